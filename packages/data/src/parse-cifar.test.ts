import { DaflError } from '@dafl/core';
import { describe, expect, it } from 'vitest';
import { parseCifar } from './parse-cifar.ts';

/** A record whose planes count from 0, 100 and 200, modulo 256 and with the record's number added. */
function record(labels: readonly number[], number: number): number[] {
  const planes = [0, 100, 200].map((start) =>
    Array.from({ length: 1024 }, (_, pixel) => (start + pixel + number) % 256),
  );
  return [...labels, ...planes.flat()];
}

describe('parseCifar', () => {
  it('reads CIFAR-10: one label, planes become pixels', () => {
    const set = parseCifar(Uint8Array.from([...record([3], 0), ...record([9], 5)]), 1);
    expect(set).toMatchObject({ count: 2, height: 32, width: 32, channels: 3, labels: Uint32Array.of(3, 9) });
    expect(set.pixels.length).toBe(2 * 3072);
    expect([...set.pixels.subarray(0, 6)]).toEqual([0, 100, 200, 1, 101, 201]);
    expect([...set.pixels.subarray(3072, 3075)]).toEqual([5, 105, 205]);
    expect([...set.pixels.subarray(-3)]).toEqual([1028 % 256, 1128 % 256, 1228 % 256]);
  });

  it('reads CIFAR-100: the fine of two labels', () => {
    const set = parseCifar(Uint8Array.from([...record([19, 99], 0), ...record([1, 42], 1)]), 2);
    expect(set.labels).toEqual(Uint32Array.of(99, 42));
    expect([...set.pixels.subarray(3072, 3075)]).toEqual([1, 101, 201]);
  });

  it.each([
    [1, 0, 3073],
    [1, 3072, 3073],
    [1, 3074, 3073],
    [2, 3073, 3074],
  ] as const)('refuses, with %d label bytes, a file of %d bytes', (labelBytes, length, recordBytes) => {
    const parse = () => parseCifar(new Uint8Array(length), labelBytes, 'data_batch_1.bin');
    expect(parse).toThrow(DaflError);
    expect(parse).toThrow(
      `Cannot read 'data_batch_1.bin' as CIFAR as its length must be a multiple of ${recordBytes}: current value is ${length}`,
    );
  });
});
