import type { Variable } from './autodiff/variable.ts';
import type { HostTensor } from './model/model.ts';
import { createNetwork, type Network } from './model/network.ts';

/**
 * An exponential moving average of a network's weights (Polyak averaging): a ← d a + (1 - d) w, with the decay rising
 * as (1 + t) / (10 + t) until it reaches its value, so that the random start is soon forgotten. Running statistics
 * are averaged likewise.
 */
export class WeightAverage {
  /** A network with the averaged weights. */
  readonly network: Network;
  readonly #source: Network;
  readonly #decay: number;
  #updates = 0;

  /** @param decay In (0, 1). */
  static async create(source: Network, decay: number): Promise<WeightAverage> {
    if (!(decay > 0 && decay < 1))
      throw new RangeError(`Cannot average weights as 'decay' must be in (0, 1): current value is ${decay}`);
    return new WeightAverage(source, createNetwork(source.backend, await source.toModel()), decay);
  }

  private constructor(source: Network, network: Network, decay: number) {
    this.#source = source;
    this.network = network;
    this.#decay = decay;
  }

  get updates(): number {
    return this.#updates;
  }

  update(): void {
    const decay = Math.min(this.#decay, (1 + this.#updates) / (10 + this.#updates));
    this.#updates++;
    const { backend } = this.network;
    for (const [name, average] of this.network.variables) {
      const { tensor } = this.#source.variables.get(name) as Variable;
      const kept = backend.affine(average.tensor, decay, 0);
      const added = backend.affine(tensor, 1 - decay, 0);
      average.assign(backend.binary('add', kept, added));
      backend.dispose(kept);
      backend.dispose(added);
    }
  }

  restore(weights: ReadonlyMap<string, HostTensor>, updates: number): void {
    this.network.load(weights);
    this.#updates = updates;
  }

  dispose(): void {
    this.network.dispose();
  }
}
