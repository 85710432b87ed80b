import { DaflError, sliceImageSet } from '@dafl/core';
import { describe, expect, it } from 'vitest';
import { imageSetFromIdx, parseIdx } from './parse-idx.ts';

/** Two zero bytes, the type, the rank, big-endian sizes, values. */
function idx(shape: readonly number[], values: readonly number[], type = 8): Uint8Array {
  const sizes = shape.flatMap((size) => [size >>> 24, (size >>> 16) & 255, (size >>> 8) & 255, size & 255]);
  return Uint8Array.from([0, 0, type, shape.length, ...sizes, ...values]);
}

const twoImages = idx([2, 2, 3], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255]);

describe('parseIdx', () => {
  it('reads sizes and values', () => {
    expect(parseIdx(twoImages)).toEqual({
      shape: [2, 2, 3],
      data: Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255),
    });
    expect(parseIdx(idx([3], [7, 0, 9]))).toEqual({ shape: [3], data: Uint8Array.of(7, 0, 9) });
    const many = new Array<number>(300).fill(1);
    expect(parseIdx(idx([300], many)).shape).toEqual([300]);
  });

  it('reads a part of a larger buffer', () => {
    const buffer = Uint8Array.from([9, 9, 9, ...twoImages, 9]);
    expect(parseIdx(buffer.subarray(3, -1))).toEqual(parseIdx(twoImages));
  });

  it.each<[string, Uint8Array]>([
    ['it must hold at least 4 bytes: current value is 0', new Uint8Array()],
    ['it must hold at least 4 bytes: current value is 2', twoImages.subarray(0, 2)],
    ['it must start with two zero bytes: current value is [31, 139]', Uint8Array.of(31, 139, 8, 8, 0)],
    ['its type must be 8 (unsigned bytes): current value is 13', idx([1], [0], 13)],
    ['its rank must be in 1..4: current value is 0', idx([], [])],
    ['its rank must be in 1..4: current value is 5', idx([1, 1, 1, 1, 1], [0])],
    ['it must hold at least 16 bytes: current value is 9', twoImages.subarray(0, 9)],
    ['it must hold 28 bytes: current value is 27', twoImages.subarray(0, -1)],
    ['it must hold 28 bytes: current value is 29', Uint8Array.from([...twoImages, 0])],
    ['it must hold 18446744065119617000 bytes: current value is 12', idx([0xffffffff, 0xffffffff], [])],
  ])('says: %s', (message, bytes) => {
    const parse = () => parseIdx(bytes, 'train-images');
    expect(parse).toThrow(DaflError);
    expect(parse).toThrow(`Cannot read 'train-images' as IDX as ${message}`);
  });

  it('refuses every truncation', () => {
    for (let length = 0; length < twoImages.length; length++) {
      expect(() => parseIdx(twoImages.subarray(0, length))).toThrow(DaflError);
    }
  });
});

describe('imageSetFromIdx', () => {
  const images = parseIdx(twoImages);

  it('joins images and labels', () => {
    const labels = parseIdx(idx([2], [4, 9]));
    expect(imageSetFromIdx(images, labels)).toEqual({
      count: 2,
      height: 2,
      width: 3,
      channels: 1,
      pixels: images.data,
      labels: Uint32Array.of(4, 9),
    });
    expect(imageSetFromIdx(images, null).labels).toBeUndefined();
  });

  it('reads colours', () => {
    const colours = parseIdx(idx([1, 1, 2, 3], [1, 2, 3, 4, 5, 6]));
    expect(imageSetFromIdx(colours, null)).toMatchObject({ count: 1, height: 1, width: 2, channels: 3 });
  });

  it('refuses what does not fit', () => {
    expect(() => imageSetFromIdx(parseIdx(idx([2], [4, 9])), null)).toThrow(
      'Cannot read IDX images as their shape must be [count, height, width]: current shape is [2]',
    );
    expect(() => imageSetFromIdx(images, parseIdx(idx([3], [4, 9, 1])))).toThrow(
      'Cannot read IDX labels as their shape must be [2]: current shape is [3]',
    );
    expect(() => imageSetFromIdx(images, images)).toThrow(
      'Cannot read IDX labels as their shape must be [2]: current shape is [2, 2, 3]',
    );
  });
});

describe('sliceImageSet', () => {
  it('cuts images and labels, if there are any', () => {
    const set = imageSetFromIdx(parseIdx(twoImages), parseIdx(idx([2], [4, 9])));
    expect(sliceImageSet(set, 1, 2)).toEqual({
      count: 1,
      height: 2,
      width: 3,
      channels: 1,
      pixels: Uint8Array.of(6, 7, 8, 9, 10, 255),
      labels: Uint32Array.of(9),
    });
    expect(sliceImageSet({ ...set, labels: undefined }, 0, 1).labels).toBeUndefined();
  });
});
