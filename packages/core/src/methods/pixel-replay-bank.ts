import type { Tensor, TensorBackend } from '../backend.ts';
import type { CheckpointPart } from '../checkpoint.ts';
import { pixelTable, translatePixels } from '../data/translate-pixels.ts';
import type { Classifier } from '../model/classifier.ts';
import { ImagePool } from './image-pool.ts';
import type { AnsweredBatch } from './method.ts';
import { MOST_REPLAY_BYTES, type ReplayBank } from './replay-bank.ts';
import { sizeOf } from '../shape.ts';

/** Options of a `PixelReplayBank`. */
export interface PixelReplayOptions {
  /** Batches kept, >= 1; fewer where they would take more than `MOST_REPLAY_BYTES`. */
  readonly capacity: number;
  /** Images of a batch. */
  readonly batchSize: number;
  /** Of the teacher: what pixels are in its input space. */
  readonly classifier: Classifier;
}

/**
 * A bank of images that are pixels: kept in host memory, eight bits a channel, as stored pictures are, and brought back to
 * the backend when they are drawn.
 */
export class PixelReplayBank implements ReplayBank {
  readonly #backend: TensorBackend;
  readonly #options: PixelReplayOptions;
  readonly #pool: ImagePool;
  /** What each byte is in the teacher's input space. */
  readonly #table: Float32Array;
  /** A batch on its way to the backend. Taken once: fresh pages are dear. */
  readonly #values: Float32Array;
  /** What was drawn since the last `release`, by index. */
  readonly #drawn = new Map<number, AnsweredBatch>();

  constructor(backend: TensorBackend, options: PixelReplayOptions) {
    const { capacity, batchSize, classifier } = options;
    this.#backend = backend;
    this.#options = options;
    const imageSize = sizeOf(classifier.inputShape);
    this.#table = pixelTable(classifier.preprocessing);
    this.#values = new Float32Array(batchSize * imageSize);
    const batchBytes = batchSize * (imageSize + 4 * classifier.classes);
    this.#pool = new ImagePool(imageSize, Math.min(capacity * batchBytes, MOST_REPLAY_BYTES), 'replay');
  }

  get size(): number {
    return this.#pool.size / this.#options.batchSize;
  }

  async add({ images, teacherLogits }: AnsweredBatch): Promise<void> {
    const { classifier } = this.#options;
    const { mean, standardDeviation } = classifier.preprocessing;
    const values = await this.#backend.read(images);
    const pixels = new Uint8Array(values.length);
    for (let index = 0, channel = 0; index < values.length; index++) {
      const pixel = values[index] * standardDeviation[channel] + mean[channel];
      pixels[index] = Math.round(255 * Math.min(1, Math.max(0, pixel)));
      channel = channel + 1 === mean.length ? 0 : channel + 1;
    }
    const logits = Float32Array.from(await this.#backend.read(teacherLogits));
    this.#pool.add({
      pixels,
      notes: new Map([['teacherLogits', { shape: teacherLogits.shape, data: logits }]]),
    });
    free(this.#backend, { images, teacherLogits });
  }

  at(index: number): AnsweredBatch {
    const known = this.#drawn.get(index);
    if (known !== undefined) return known;
    const { batchSize, classifier } = this.#options;
    const { imageSize } = this.#pool;
    const logits = new Float32Array(batchSize * classifier.classes);
    for (let position = 0; position < batchSize; position++) {
      const image = this.#pool.at(index * batchSize + position);
      translatePixels(image.pixels, 0, imageSize, this.#table, this.#values, position * imageSize);
      logits.set(image.note('teacherLogits'), position * classifier.classes);
    }
    const uploaded: Tensor[] = [
      this.#backend.tensor(this.#values, [batchSize, ...classifier.inputShape]),
      this.#backend.tensor(logits, [batchSize, classifier.classes]),
    ];
    const batch = { images: uploaded[0], teacherLogits: uploaded[1] };
    this.#drawn.set(index, batch);
    return batch;
  }

  release(): void {
    for (const batch of this.#drawn.values()) free(this.#backend, batch);
    this.#drawn.clear();
  }

  parts(): CheckpointPart[] {
    return this.#pool.parts();
  }

  async restore(parts: readonly CheckpointPart[]): Promise<void> {
    this.release();
    await this.#pool.restore(parts);
  }

  dispose(): void {
    this.release();
  }
}

function free(backend: TensorBackend, { images, teacherLogits }: AnsweredBatch): void {
  backend.dispose(images);
  backend.dispose(teacherLogits);
}
