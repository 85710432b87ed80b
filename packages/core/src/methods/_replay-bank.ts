import type { Tensor, TensorBackend } from '../backend.ts';
import type { CheckpointPart } from '../checkpoint.ts';
import type { HostTensor } from '../model/model.ts';
import type { StudentBatch } from './method.ts';

/** The last synthetic batches, for the student to learn from more than once. */
export class ReplayBank {
  readonly #backend: TensorBackend;
  readonly #capacity: number;
  #entries: { readonly id: number; readonly batch: StudentBatch }[] = [];
  #added = 0;

  /** @param capacity Batches kept, >= 1. */
  constructor(backend: TensorBackend, capacity: number) {
    this.#backend = backend;
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Takes ownership of a batch; the oldest goes when the bank is full. */
  add(batch: StudentBatch): void {
    this.#entries.push({ id: this.#added++, batch });
    if (this.#entries.length > this.#capacity) this.#free(this.#entries.shift()!.batch);
  }

  /** The batch at `index`, 0 being the oldest. It stays the bank's. */
  at(index: number): StudentBatch {
    return this.#entries[index].batch;
  }

  parts(): CheckpointPart[] {
    const onHost = async (tensor: Tensor): Promise<HostTensor> => ({
      shape: tensor.shape,
      data: Float32Array.from(await this.#backend.read(tensor)),
    });
    return this.#entries.map(({ id, batch }) => ({
      id: `replay-${String(id).padStart(8, '0')}`,
      read: async () =>
        new Map([
          ['images', await onHost(batch.images)],
          ['teacherLogits', await onHost(batch.teacherLogits)],
        ]),
    }));
  }

  async restore(parts: readonly CheckpointPart[]): Promise<void> {
    this.dispose();
    for (const part of parts) {
      const tensors = await part.read();
      const upload = (name: string): Tensor => {
        const { data, shape } = tensors.get(name)!;
        return this.#backend.tensor(data, shape);
      };
      const id = Number(part.id.slice('replay-'.length));
      this.#entries.push({ id, batch: { images: upload('images'), teacherLogits: upload('teacherLogits') } });
      this.#added = id + 1;
    }
  }

  dispose(): void {
    for (const { batch } of this.#entries.splice(0)) this.#free(batch);
  }

  #free(batch: StudentBatch): void {
    this.#backend.dispose(batch.images);
    this.#backend.dispose(batch.teacherLogits);
  }
}
