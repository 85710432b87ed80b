import type { Shape, Tensor, TensorBackend } from '../backend.ts';
import type { CheckpointPart } from '../checkpoint.ts';
import { fail } from '../check.ts';
import type { HostTensor } from '../model/model.ts';
import type { AnsweredBatch } from './method.ts';
import { MOST_REPLAY_BYTES, type ReplayBank } from './replay-bank.ts';
import { sizeOf } from '../shape.ts';

/** Shapes of the batches that a bank holds. */
export interface ReplayShapes {
  readonly images: Shape;
  readonly teacherLogits: Shape;
}

/**
 * A bank of images of any values: tensors of the backend. All of its memory is taken at the start, so that a run's memory is
 * the same after every step and a bank that is too large fails at once.
 */
export class TensorReplayBank implements ReplayBank {
  readonly #backend: TensorBackend;
  /** Batch `id` lies at `id % capacity`. */
  readonly #slots: AnsweredBatch[];
  #added = 0;

  /**
   * @param most Batches kept, >= 1; fewer where they would take more than `MOST_REPLAY_BYTES`.
   * @throws {DaflError} `OUT_OF_MEMORY` if they do not fit; says how large they are.
   */
  constructor(backend: TensorBackend, most: number, shapes: ReplayShapes) {
    this.#backend = backend;
    const elements = [shapes.images, shapes.teacherLogits].map(sizeOf);
    const batchBytes = 4 * (elements[0] + elements[1]);
    const capacity = Math.max(1, Math.min(most, Math.floor(MOST_REPLAY_BYTES / batchBytes)));
    const taken: Tensor[] = [];
    const take = (shape: Shape): Tensor => {
      const tensor = backend.fill(shape, 0);
      taken.push(tensor);
      return tensor;
    };
    try {
      this.#slots = Array.from({ length: capacity }, () => ({
        images: take(shapes.images),
        teacherLogits: take(shapes.teacherLogits),
      }));
    } catch (error) {
      for (const tensor of taken) backend.dispose(tensor);
      if ((error as { code?: unknown }).code !== 'OUT_OF_MEMORY') throw error;
      const gibibytes = ((capacity * batchBytes) / 2 ** 30).toFixed(1);
      fail({
        code: 'OUT_OF_MEMORY',
        cannot: 'replay',
        as: "all of 'replayBatches' must fit into memory",
        value: `${capacity}, which takes ${gibibytes} GiB`,
        cause: error,
      });
    }
  }

  get size(): number {
    return Math.min(this.#added, this.#slots.length);
  }

  add(batch: AnsweredBatch): void {
    this.#put(this.#added++, batch);
  }

  at(index: number): AnsweredBatch {
    return this.#slots[(this.#added - this.size + index) % this.#slots.length];
  }

  release(): void {
    // What is drawn is what is kept.
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

  #put(id: number, batch: AnsweredBatch): void {
    const slot = id % this.#slots.length;
    this.#free(this.#slots[slot]);
    this.#slots[slot] = batch;
  }

  #free(batch: AnsweredBatch): void {
    this.#backend.dispose(batch.images);
    this.#backend.dispose(batch.teacherLogits);
  }
}
