import type { HostTensor, PastMoments, Tensor, TensorBackend } from '@dafl/core';

/**
 * Running averages of the statistics at a teacher's batch norms, over batches of images that were made: so that the pool,
 * and not each small batch, is to match what the teacher expects.
 */
export class PastStatistics {
  readonly #backend: TensorBackend;
  readonly #momentum: number;
  readonly #known = new Map<string, PastMoments>();

  /** @param momentum Share of the past, in [0, 1). */
  constructor(backend: TensorBackend, momentum: number) {
    this.#backend = backend;
    this.#momentum = momentum;
  }

  /** By node; empty before the first batch. */
  get known(): ReadonlyMap<string, PastMoments> {
    return this.#known;
  }

  /** Takes the statistics of a batch in, and ownership of them. */
  take(batch: ReadonlyMap<string, Tensor>): void {
    const backend = this.#backend;
    for (const [name, moments] of batch) {
      const past = this.#known.get(name);
      if (past === undefined) {
        this.#put(name, moments);
        continue;
      }
      const [before, now] = [
        backend.affine(past.moments, this.#momentum, 0),
        backend.affine(moments, 1 - this.#momentum, 0),
      ];
      this.#put(name, backend.binary('add', before, now));
      for (const tensor of [before, now, moments]) backend.dispose(tensor);
    }
  }

  async state(): Promise<Map<string, HostTensor>> {
    const tensors = new Map<string, HostTensor>();
    for (const [name, { moments }] of this.#known)
      tensors.set(name, { shape: moments.shape, data: Float32Array.from(await this.#backend.read(moments)) });
    return tensors;
  }

  restore(tensors: ReadonlyMap<string, HostTensor>): void {
    this.dispose();
    for (const [name, { shape, data }] of tensors) this.#put(name, this.#backend.tensor(data, shape));
  }

  dispose(): void {
    for (const { moments } of this.#known.values()) this.#backend.dispose(moments);
    this.#known.clear();
  }

  #put(name: string, moments: Tensor): void {
    const former = this.#known.get(name);
    if (former !== undefined) this.#backend.dispose(former.moments);
    this.#known.set(name, { moments, share: this.#momentum });
  }
}
