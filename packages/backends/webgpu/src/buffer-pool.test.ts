import { describe, expect, it } from 'vitest';
import { sizeClass } from './buffer-pool.ts';

describe('sizeClass', () => {
  it('is at least the size, and at most a quarter more', () => {
    for (let bytes = 257; bytes < 10_000; bytes += 7) {
      expect(sizeClass(bytes)).toBeGreaterThanOrEqual(bytes);
      expect(sizeClass(bytes)).toBeLessThanOrEqual(bytes * 1.25);
    }
  });

  it('has four steps to each power of two', () => {
    expect([0, 1, 256, 257, 320, 321, 511, 512, 513].map(sizeClass)).toEqual([
      256, 256, 256, 320, 320, 384, 512, 512, 640,
    ]);
    const classes = new Set(Array.from({ length: 1024 }, (_, i) => sizeClass(1025 + i)));
    expect([...classes]).toEqual([1280, 1536, 1792, 2048]);
  });

  it('gives sizes that hold whole vectors', () => {
    for (let bytes = 1; bytes < 5000; bytes += 3) expect(sizeClass(bytes) % 16).toBe(0);
  });
});
