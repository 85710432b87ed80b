import type { CheckpointPart } from '../checkpoint.ts';
import { fail } from '../check.ts';
import type { HostTensor } from '../model/model.ts';

/** Images that came into a pool together. */
export interface PoolBatch {
  /** Bytes, one image after the other, each of `imageSize`. */
  readonly pixels: Uint8Array;
  /** What is kept with them, by name: the first axis of each goes by image. */
  readonly notes: ReadonlyMap<string, HostTensor>;
}

/** One image of a pool. */
export interface PooledImage {
  /** Shares the pool's memory. */
  readonly pixels: Uint8Array;
  /** A row of one of the notes; shares the pool's memory. */
  note(name: string): Float32Array;
}

interface StoredBatch extends PoolBatch {
  readonly id: number;
  /** Images before it in the pool. */
  start: number;
  readonly count: number;
}

/** Bytes that a float32 holds exactly: an integer below 2^24. */
const PACKED = 3;

/**
 * Single images, eight bits a channel, in host memory: the newest ones, as many as the bytes allow. Images never change
 * once they are in, so each batch of them is one part of a checkpoint, stored once.
 */
export class ImagePool {
  /** Bytes of one image. */
  readonly imageSize: number;
  readonly #mostBytes: number;
  readonly #name: string;
  #batches: StoredBatch[] = [];
  #added = 0;
  #bytes = 0;

  /**
   * @param imageSize Bytes of one image, >= 1.
   * @param mostBytes What pixels and notes may take together; the newest batch stays whatever it takes.
   * @param name What the parts of checkpoints begin with, where a method has more pools than one.
   */
  constructor(imageSize: number, mostBytes: number, name = 'pool') {
    this.imageSize = imageSize;
    this.#mostBytes = mostBytes;
    this.#name = name;
  }

  /** Images in the pool. */
  get size(): number {
    const last = this.#batches.at(-1);
    return last === undefined ? 0 : last.start + last.count;
  }

  /** Bytes that pixels and notes take. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes images in; the oldest batches go where they no longer fit.
   *
   * @throws {DaflError} `SHAPE` if there is no whole number of images, at least one, or a note has another number of rows.
   */
  add(batch: PoolBatch): void {
    this.#put(this.#added++, batch);
    while (this.#bytes > this.#mostBytes && this.#batches.length > 1) {
      const { pixels, notes } = this.#batches.shift()!;
      this.#bytes -= bytesOf(pixels, notes);
    }
    let start = 0;
    for (const stored of this.#batches) {
      stored.start = start;
      start += stored.count;
    }
  }

  /** The image at `index`, 0 being the oldest. */
  at(index: number): PooledImage {
    let [low, high] = [0, this.#batches.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#batches[middle].start <= index) low = middle;
      else high = middle - 1;
    }
    const { pixels, notes, start, count } = this.#batches[low];
    const position = index - start;
    return {
      pixels: pixels.subarray(position * this.imageSize, (position + 1) * this.imageSize),
      note(name) {
        const { data } = notes.get(name)!;
        const length = data.length / count;
        return data.subarray(position * length, (position + 1) * length);
      },
    };
  }

  parts(): CheckpointPart[] {
    return this.#batches.map(({ id, pixels, notes }) => ({
      id: `${this.#name}-${String(id).padStart(8, '0')}`,
      read: async () =>
        new Map([
          ['pixels', { shape: [Math.ceil(pixels.length / PACKED)], data: pack(pixels) }],
          ['length', { shape: [1], data: Float32Array.of(pixels.length / this.imageSize) }],
          ...[...notes].map(([name, tensor]): [string, HostTensor] => [`note/${name}`, tensor]),
        ]),
    }));
  }

  /** Puts the parts of a checkpoint in the place of what the pool holds; those of other names are passed over. */
  async restore(parts: readonly CheckpointPart[]): Promise<void> {
    this.#batches = [];
    this.#added = 0;
    this.#bytes = 0;
    const prefix = `${this.#name}-`;
    for (const part of parts.filter(({ id }) => id.startsWith(prefix))) {
      const tensors = await part.read();
      const count = tensors.get('length')!.data[0];
      const notes = [...tensors].filter(([name]) => name.startsWith('note/'));
      this.#added = Number(part.id.slice(prefix.length));
      this.add({
        pixels: unpack(tensors.get('pixels')!.data, count * this.imageSize),
        notes: new Map(notes.map(([name, tensor]) => [name.slice('note/'.length), tensor])),
      });
    }
  }

  #put(id: number, { pixels, notes }: PoolBatch): void {
    const count = pixels.length / this.imageSize;
    const rows = [...notes.values()].map(({ shape }) => shape[0]);
    if (!(Number.isInteger(count) && count >= 1) || rows.some((length) => length !== count)) {
      fail({
        code: 'SHAPE',
        cannot: 'add to the pool',
        as: `'pixels' must be whole images of ${this.imageSize} bytes, with as many rows in each note`,
        value: `${pixels.length} bytes and [${rows.join(', ')}] rows`,
      });
    }
    this.#batches.push({ id, pixels, notes, start: 0, count });
    this.#bytes += bytesOf(pixels, notes);
  }
}

function bytesOf(pixels: Uint8Array, notes: ReadonlyMap<string, HostTensor>): number {
  return [...notes.values()].reduce((total, { data }) => total + data.byteLength, pixels.byteLength);
}

/** Three bytes a float: checkpoints hold float32 alone. */
function pack(bytes: Uint8Array): Float32Array {
  return Float32Array.from({ length: Math.ceil(bytes.length / PACKED) }, (_, index) => {
    const at = index * PACKED;
    return bytes[at] + 256 * (bytes[at + 1] ?? 0) + 65_536 * (bytes[at + 2] ?? 0);
  });
}

function unpack(packed: Float32Array, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) =>
    Math.floor(packed[Math.floor(index / PACKED)] / 256 ** (index % PACKED)),
  );
}
