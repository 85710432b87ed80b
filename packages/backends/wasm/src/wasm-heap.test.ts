import { DaflError } from '@dafl/core';
import { describe, expect, it } from 'vitest';
import { OutOfMemoryError, WasmHeap } from './wasm-heap.ts';

const PAGE_BYTES = 65_536;

function createHeap(maximumPages: number): WasmHeap {
  const memory = new WebAssembly.Memory({ initial: 64, maximum: maximumPages, shared: true });
  return new WasmHeap(memory, maximumPages * PAGE_BYTES);
}

function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
}

describe('WasmHeap', () => {
  it.each([1, 2, 3, 4, 5])('keeps blocks apart, aligned and inside the memory, seed %i', (seed) => {
    const random = createRandom(seed);
    const heap = createHeap(2048);
    const live = new Map<number, number>();
    const misplaced: number[] = [];
    for (let step = 0; step < 3000; step++) {
      if (live.size > 0 && (random() < 0.48 || live.size > 200)) {
        const address = [...live.keys()][Math.floor(random() * live.size)];
        heap.free(address);
        live.delete(address);
      } else {
        const bytes = Math.floor(random() ** 4 * 400_000);
        const address = heap.allocate(bytes, 'a block');
        const isInside = address >= PAGE_BYTES && address + bytes <= heap.memory.buffer.byteLength;
        if (address % 64 !== 0 || !isInside) misplaced.push(address);
        live.set(address, Math.max(64, Math.ceil(bytes / 64) * 64));
      }
      expect(heap.liveBytes).toBe([...live.values()].reduce((sum, bytes) => sum + bytes, 0));
    }
    expect(misplaced).toEqual([]);
    const sorted = [...live].toSorted(([a], [b]) => a - b);
    for (let i = 1; i < sorted.length; i++) {
      expect(sorted[i][0]).toBeGreaterThanOrEqual(sorted[i - 1][0] + sorted[i - 1][1]);
    }
    // Free neighbours have become one: all of the memory can be had at once, without growth.
    for (const address of live.keys()) heap.free(address);
    const before = heap.memory.buffer.byteLength;
    const all = heap.allocate(before - PAGE_BYTES - 256, 'everything');
    expect(heap.memory.buffer.byteLength).toBe(before);
    heap.free(all);
    expect(heap.liveBytes).toBe(0);
  });

  it('uses freed memory again at once', () => {
    const heap = createHeap(2048);
    const first = heap.allocate(1000, 'a block');
    heap.allocate(1000, 'a block');
    heap.free(first);
    expect(heap.allocate(900, 'a block')).toBe(first);
  });

  it('takes the smallest block that fits', () => {
    const heap = createHeap(2048);
    const blocks = [1024, 64, 512, 64].map((bytes) => heap.allocate(bytes, 'a block'));
    heap.free(blocks[0]);
    heap.free(blocks[2]);
    expect(heap.allocate(500, 'a block')).toBe(blocks[2]);
  });

  it('refuses to free twice', () => {
    const heap = createHeap(64);
    const address = heap.allocate(64, 'a block');
    heap.free(address);
    expect(() => heap.free(address)).toThrow(
      new DaflError('USAGE', `Cannot free as 'address' must be one in use: current value is ${address}`),
    );
  });

  it('says what was asked for and what is in use when memory is exhausted, and goes on working', () => {
    const heap = createHeap(128);
    const address = heap.allocate(2_000_000, 'a block');
    const error = (() => {
      try {
        heap.allocate(7_000_000, 'a tensor of shape [1750000]');
        return null;
      } catch (caught) {
        return caught;
      }
    })();
    expect(error).toBeInstanceOf(OutOfMemoryError);
    expect(error).toMatchObject({
      name: 'OutOfMemoryError',
      code: 'OUT_OF_MEMORY',
      message:
        `Cannot allocate a tensor of shape [1750000] as 'bytes' must fit into the 8388608 bytes of the wasm backend's ` +
        `memory, of which 2000000 are in use: current value is 7000000`,
    });
    heap.free(address);
    heap.free(heap.allocate(7_000_000, 'a block'));
  });

  it('hands out addresses above 2 GiB', () => {
    const heap = createHeap(40_000);
    const low = heap.allocate(2 ** 31, 'a block');
    const high = heap.allocate(1000, 'a block');
    expect(high).toBeGreaterThan(2 ** 31);
    heap.free(low);
    heap.free(high);
  });
});
