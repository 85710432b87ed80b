import { describe, expect, it } from 'vitest';
import { ImagePool, type PoolBatch } from './image-pool.ts';

/** Images of four bytes and a note of two numbers each. */
function batchOf(...values: number[]): PoolBatch {
  return {
    pixels: Uint8Array.from(values.flatMap((value) => [value, 255 - value, 0, 255])),
    notes: new Map([['pair', { shape: [values.length, 2], data: Float32Array.from(values.flatMap((v) => [v, -v])) }]]),
  };
}

const contentOf = (pool: ImagePool): number[][] =>
  Array.from({ length: pool.size }, (_, index) => {
    const image = pool.at(index);
    return [...image.pixels, ...image.note('pair')];
  });

/** What two images of `batchOf` take: 4 bytes of pixels and two floats each. */
const OF_TWO = 2 * (4 + 8);

describe('ImagePool', () => {
  it('gives each image with its notes, whatever batch it came in', () => {
    const pool = new ImagePool(4, 1e6);
    pool.add(batchOf(1, 2));
    pool.add(batchOf(3));
    pool.add(batchOf(4, 5, 6));
    expect(contentOf(pool)).toEqual([1, 2, 3, 4, 5, 6].map((value) => [value, 255 - value, 0, 255, value, -value]));
  });

  it('keeps the newest batches, as many as the bytes allow, and the newest whatever it takes', () => {
    const pool = new ImagePool(4, 2 * OF_TWO);
    for (const value of [10, 20, 30]) pool.add(batchOf(value, value + 1));
    expect(pool.bytes).toBe(2 * OF_TWO);
    expect(contentOf(pool).map(([first]) => first)).toEqual([20, 21, 30, 31]);
    pool.add(batchOf(1, 2, 3, 4, 5));
    expect(contentOf(pool).map(([first]) => first)).toEqual([1, 2, 3, 4, 5]);
  });

  it('is stored in parts that stay as they are, and comes back from them byte for byte', async () => {
    const pool = new ImagePool(4, 2 * OF_TWO);
    for (const value of [10, 20, 30]) pool.add(batchOf(value, value + 1));
    const parts = pool.parts();
    expect(parts.map(({ id }) => id)).toEqual(['pool-00000001', 'pool-00000002']);
    const restored = new ImagePool(4, 2 * OF_TWO);
    restored.add(batchOf(99));
    await restored.restore(parts);
    expect(contentOf(restored)).toEqual(contentOf(pool));
    for (const each of [pool, restored]) each.add(batchOf(40, 41));
    expect(contentOf(restored)).toEqual(contentOf(pool));
    expect(restored.parts().map(({ id }) => id)).toEqual(pool.parts().map(({ id }) => id));
  });

  it('brings every byte back, whatever its neighbours are', async () => {
    const pixels = Uint8Array.from({ length: 1024 }, (_, index) => (index * 7) % 256);
    const pool = new ImagePool(4, 1e6);
    pool.add({ pixels, notes: new Map() });
    const restored = new ImagePool(4, 1e6);
    await restored.restore(pool.parts());
    expect(Array.from({ length: 256 }, (_, index) => [...restored.at(index).pixels]).flat()).toEqual([...pixels]);
  });

  it.each([
    [{ pixels: new Uint8Array(6), notes: new Map() }, '6 bytes and [] rows'],
    [{ pixels: new Uint8Array(0), notes: new Map() }, '0 bytes and [] rows'],
    [{ ...batchOf(1, 2), pixels: new Uint8Array(4) }, '4 bytes and [2] rows'],
  ])('refuses what is no whole number of images with their notes: %#', (batch, value) => {
    expect(() => new ImagePool(4, 100).add(batch)).toThrow(
      `Cannot add to the pool as 'pixels' must be whole images of 4 bytes, with as many rows in each note: current value is ${value}`,
    );
  });
});
