import type { TensorBackend } from '../backend.ts';
import { Variable } from '../autodiff/variable.ts';
import { DaflError } from '../errors.ts';
import type { OptimizerState } from './optimizer.ts';

/** One zero tensor beside each variable, saved and restored by name. */
export class Moments {
  readonly values: readonly Variable[];
  readonly #backend: TensorBackend;

  constructor(backend: TensorBackend, variables: readonly Variable[], name: string) {
    this.#backend = backend;
    this.values = variables.map(
      (variable) => new Variable(backend, `${variable.name}/${name}`, backend.fill(variable.shape, 0), false),
    );
  }

  async save(into: Map<string, { shape: readonly number[]; data: Float32Array }>): Promise<void> {
    for (const moment of this.values) {
      into.set(moment.name, { shape: moment.shape, data: Float32Array.from(await this.#backend.read(moment.tensor)) });
    }
  }

  restore(tensors: OptimizerState['tensors']): void {
    for (const moment of this.values) {
      const saved = tensors.get(moment.name);
      if (saved === undefined)
        throw new DaflError(
          'CHECKPOINT',
          `Cannot restore optimizer as the checkpoint must hold '${moment.name}': current value is missing`,
        );
      moment.assign(this.#backend.tensor(saved.data, moment.shape));
    }
  }

  dispose(): void {
    for (const moment of this.values) moment.dispose();
  }
}
