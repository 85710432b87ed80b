import type { Shape, Tensor, TensorBackend } from '../backend.ts';
import type { CheckpointPart } from '../checkpoint.ts';
import type { HostTensor } from '../model/model.ts';
import type { StudentBatch } from './method.ts';

/** Shapes of the batches that a bank holds. */
export interface ReplayShapes {
  readonly images: Shape;
  readonly teacherLogits: Shape;
}

/**
 * The last synthetic batches, for the student to learn from more than once. All of its memory is taken at the start, so
 * that a run's memory is the same after every step and a bank that is too large fails at once.
 */
export class ReplayBank {
  readonly #backend: TensorBackend;
  /** Batch `id` lies at `id % capacity`. */
  readonly #slots: StudentBatch[];
  #added = 0;

  /** @param capacity Batches kept, >= 1. */
  constructor(backend: TensorBackend, capacity: number, shapes: ReplayShapes) {
    this.#backend = backend;
    this.#slots = Array.from({ length: capacity }, () => ({
      images: backend.fill(shapes.images, 0),
      teacherLogits: backend.fill(shapes.teacherLogits, 0),
    }));
  }

  /** Batches that were added and are still there. */
  get size(): number {
    return Math.min(this.#added, this.#slots.length);
  }

  /** Takes ownership of a batch; the oldest goes when the bank is full. */
  add(batch: StudentBatch): void {
    this.#put(this.#added++, batch);
  }

  /** The batch at `index`, 0 being the oldest. It stays the bank's. */
  at(index: number): StudentBatch {
    return this.#slots[(this.#added - this.size + index) % this.#slots.length];
  }

  parts(): CheckpointPart[] {
    const onHost = async (tensor: Tensor): Promise<HostTensor> => ({
      shape: tensor.shape,
      data: Float32Array.from(await this.#backend.read(tensor)),
    });
    return Array.from({ length: this.size }, (_, index) => {
      const batch = this.at(index);
      return {
        id: `replay-${String(this.#added - this.size + index).padStart(8, '0')}`,
        read: async () =>
          new Map([
            ['images', await onHost(batch.images)],
            ['teacherLogits', await onHost(batch.teacherLogits)],
          ]),
      };
    });
  }

  /** Puts the parts of a checkpoint in the place of what the bank holds. */
  async restore(parts: readonly CheckpointPart[]): Promise<void> {
    this.#added = 0;
    for (const part of parts) {
      const tensors = await part.read();
      const upload = (name: string): Tensor => {
        const { data, shape } = tensors.get(name)!;
        return this.#backend.tensor(data, shape);
      };
      const id = Number(part.id.slice('replay-'.length));
      this.#put(id, { images: upload('images'), teacherLogits: upload('teacherLogits') });
      this.#added = id + 1;
    }
  }

  dispose(): void {
    for (const batch of this.#slots.splice(0)) this.#free(batch);
  }

  #put(id: number, batch: StudentBatch): void {
    const slot = id % this.#slots.length;
    this.#free(this.#slots[slot]);
    this.#slots[slot] = batch;
  }

  #free(batch: StudentBatch): void {
    this.#backend.dispose(batch.images);
    this.#backend.dispose(batch.teacherLogits);
  }
}
