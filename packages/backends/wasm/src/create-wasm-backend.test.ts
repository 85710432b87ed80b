import type { Conv2dOptions, Tensor, TensorBackend } from '@dafl/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWasmBackend, OutOfMemoryError } from './index.ts';

function randomData(size: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) / 2 ** 23 - 1;
  });
}

function randomTensor(backend: TensorBackend, shape: readonly number[], seed: number): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return backend.tensor(randomData(size, seed), shape);
}

const same: Conv2dOptions = {
  strides: [1, 1],
  padding: { top: 1, bottom: 1, left: 1, right: 1 },
  dilations: [1, 1],
  groups: 1,
};
const pool = { windowSize: [2, 2], strides: [2, 2], padding: { top: 0, bottom: 0, left: 0, right: 0 } } as const;

/** Each computes tensors that are large enough to be shared among threads. */
const computations: Readonly<Record<string, (backend: TensorBackend) => readonly Tensor[]>> = {
  'conv2d and its gradients, 16 -> 24': (backend) => {
    const x = randomTensor(backend, [13, 17, 15, 16], 1);
    const w = randomTensor(backend, [3, 3, 16, 24], 2);
    const y = backend.conv2d(x, w, null, same);
    return [y, backend.conv2dInputGradient(y, w, x.shape, same), backend.conv2dFilterGradient(x, y, w.shape, same)];
  },
  'conv2d and its gradients, 16 -> 1': (backend) => {
    const x = randomTensor(backend, [40, 16, 16, 16], 3);
    const w = randomTensor(backend, [3, 3, 16, 1], 4);
    const y = backend.conv2d(x, w, null, same);
    return [y, backend.conv2dInputGradient(y, w, x.shape, same), backend.conv2dFilterGradient(x, y, w.shape, same)];
  },
  'conv2d and its gradients, 3 -> 16, strides 2': (backend) => {
    const options = { ...same, strides: [2, 2] } as const;
    const x = randomTensor(backend, [20, 31, 32, 3], 5);
    const w = randomTensor(backend, [3, 3, 3, 16], 6);
    const y = backend.conv2d(x, w, null, options);
    const dx = backend.conv2dInputGradient(y, w, x.shape, options);
    return [y, dx, backend.conv2dFilterGradient(x, y, w.shape, options)];
  },
  'conv2d without padding and its gradients, 6 -> 16': (backend) => {
    const options = { ...same, padding: { top: 0, bottom: 0, left: 0, right: 0 } };
    const x = randomTensor(backend, [40, 14, 13, 6], 16);
    const w = randomTensor(backend, [5, 5, 6, 16], 17);
    const y = backend.conv2d(x, w, null, options);
    const dx = backend.conv2dInputGradient(y, w, x.shape, options);
    return [y, dx, backend.conv2dFilterGradient(x, y, w.shape, options)];
  },
  'upsampleConv2d and its gradients': (backend) =>
    [
      [40, 8, 8, 16],
      [2, 41, 36, 64],
    ].flatMap((shape) => {
      const { upsampleConv2d, upsampleConv2dInputGradient, upsampleConv2dFilterGradient } = backend.fused!;
      const x = randomTensor(backend, shape, 18);
      const w = randomTensor(backend, [3, 3, shape[3], 40], 19);
      const y = upsampleConv2d!(x, w, null);
      return [y, upsampleConv2dInputGradient!(y, w), upsampleConv2dFilterGradient!(x, y)];
    }),
  softmaxDivergence: (backend) => {
    const logits = randomTensor(backend, [1000, 11], 20);
    return Object.values(backend.fused!.softmaxDivergence!(logits, backend.fill([1000, 11], 1 / 11)));
  },
  'depthwise conv2d and its gradients': (backend) => {
    const options = { ...same, groups: 24 };
    const x = randomTensor(backend, [40, 9, 11, 24], 7);
    const w = randomTensor(backend, [3, 3, 1, 24], 8);
    const y = backend.conv2d(x, w, null, options);
    const dx = backend.conv2dInputGradient(y, w, x.shape, options);
    return [y, dx, backend.conv2dFilterGradient(x, y, w.shape, options)];
  },
  'matMul in all directions': (backend) => {
    const a = randomTensor(backend, [300, 170], 9);
    const b = randomTensor(backend, [170, 90], 10);
    const c = backend.matMul(a, b, false, false);
    return [c, backend.matMul(c, b, false, true), backend.matMul(a, c, true, false), backend.matMul(b, a, true, true)];
  },
  reductions: (backend) => {
    const x = randomTensor(backend, [64, 28, 28, 3], 11);
    return [
      backend.reduce('sum', x, [0, 1, 2, 3], false),
      backend.reduce('mean', x, [0, 1, 2], false),
      backend.reduce('sum', x, [1, 2], true),
      backend.reduce('sum', x, [0, 2], false),
      backend.reduce('max', x, [3], false),
    ];
  },
  'batch norm and its gradient': (backend) =>
    [16, 3].flatMap((channels) => {
      const x = randomTensor(backend, [50, 28, 28, channels], 12);
      const g = randomTensor(backend, [50, 28, 28, channels], 13);
      const scale = randomTensor(backend, [channels], 14);
      const { output, mean, variance } = backend.fused!.batchNorm!(x, scale, scale, 1e-5, null);
      const gradient = backend.fused!.batchNormGradient!(g, x, scale, mean, variance, 1e-5);
      return [output, mean, variance, ...Object.values(gradient)];
    }),
  'pooling and upsampling': (backend) =>
    [3, 8].flatMap((channels) => {
      const x = randomTensor(backend, [64, 28, 28, channels], 15);
      const y = backend.maxPool2d(x, pool);
      const up = backend.upsampleNearest2d(y, [2, 2]);
      return [y, up, backend.maxPool2dGradient(y, x, y, pool), backend.upsampleNearest2dGradient(up, [2, 2])];
    }),
};

async function compute(backend: TensorBackend, name: string): Promise<Uint8Array[]> {
  const results = computations[name](backend);
  return await Promise.all(results.map(async (result) => new Uint8Array((await backend.read(result)).buffer.slice(0))));
}

describe('results are the same, bit for bit, for any number of threads', () => {
  const backends: TensorBackend[] = [];
  beforeAll(async () => {
    for (const threads of [1, 2, 3]) backends.push(await createWasmBackend({ threads }));
  });
  afterAll(async () => {
    await Promise.all(backends.map((backend) => backend.close()));
  });

  it.each(Object.keys(computations))('%s', async (name) => {
    const [expected, ...others] = await Promise.all(backends.map((backend) => compute(backend, name)));
    for (const actual of others) expect(actual).toEqual(expected);
  });
});

describe('many small launches', () => {
  it('lose no chunk, whatever the workers are doing', async () => {
    const backend = await createWasmBackend({ threads: 3 });
    let x = backend.fill([70_000], 0);
    for (let step = 0; step < 2000; step++) {
      const y = backend.affine(x, 1, 1);
      backend.dispose(x);
      x = y;
    }
    expect(new Set(await backend.read(x))).toEqual(new Set([2000]));
    await backend.close();
  });
});

describe('createWasmBackend', () => {
  it('describes itself', async () => {
    const backend = await createWasmBackend({ threads: 2 });
    expect(backend.name).toBe('wasm');
    expect(backend.description).toMatch(/^wasm \((relaxed )?SIMD, 2 threads\)$/);
    await backend.close();
    const plain = await createWasmBackend({ threads: 1, relaxedSimd: false });
    expect(plain.description).toBe('wasm (SIMD, 1 thread)');
    await plain.close();
  });

  it.each([0, 1.5, 65, Number.NaN])('refuses %d threads', async (threads) => {
    await expect(createWasmBackend({ threads })).rejects.toThrow(
      `Cannot create the wasm backend as 'threads' must be an integer between 1 and 64: current value is ${threads}`,
    );
  });

  it('refuses a maximum that is too small or too large', async () => {
    await expect(createWasmBackend({ maximumMemoryBytes: 2 ** 33 })).rejects.toThrow(
      `Cannot create the wasm backend as 'maximumMemoryBytes' must be between 4194304 and 4294967296: ` +
        `current value is 8589934592`,
    );
  });

  it('throws OutOfMemoryError beyond its maximum and keeps what is alive', async () => {
    const backend = await createWasmBackend({ threads: 1, maximumMemoryBytes: 32 * 2 ** 20 });
    const x = backend.fill([1000], 3);
    let error: unknown = null;
    try {
      backend.fill([100, 1000, 1000], 0);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(OutOfMemoryError);
    expect(error).toMatchObject({
      code: 'OUT_OF_MEMORY',
      message: expect.stringContaining('current value is 400000000'),
    });
    expect(backend.memory()).toEqual({ tensors: 1, bytes: 4000 });
    expect(new Set(await backend.read(x))).toEqual(new Set([3]));
    await backend.close();
  });

  it('leaves nothing behind when memory runs out half-way', async () => {
    const backend = await createWasmBackend({ threads: 1, maximumMemoryBytes: 32 * 2 ** 20 });
    const options = { stepSize: 1, beta1: 0.5, beta2: 0.5, secondMomentCorrection: 1, epsilon: 1 };
    const x = backend.fill([3, 1000, 1000], 1);
    const column = backend.fill([3, 1, 1000], 1);
    const before = backend.memory();
    // The first of three results fits, the second does not.
    expect(() => backend.fused!.adamStep!(x, x, x, x, options)).toThrow(OutOfMemoryError);
    // The result fits, the broadcast argument does not.
    expect(() => backend.binary('add', x, column)).toThrow(OutOfMemoryError);
    expect(backend.memory()).toEqual(before);
    backend.fill([4, 1000, 1000], 1);
    await backend.close();
  });

  it('computes above 2 GiB', async () => {
    const backend = await createWasmBackend({ threads: 2 });
    const filler = [0, 1].map(() => backend.fill([2 ** 28 + 2 ** 26], 0).shape);
    expect(filler).toHaveLength(2);
    const x = randomTensor(backend, [300, 70], 1);
    const low = await createWasmBackend({ threads: 1 });
    const y = randomTensor(low, [300, 70], 1);
    const high = await backend.read(backend.matMul(x, x, true, false));
    expect(high).toEqual(await low.read(low.matMul(y, y, true, false)));
    await backend.close();
    await low.close();
  }, 60_000);

  it('refuses the tensors of another backend', async () => {
    const one = await createWasmBackend({ threads: 1 });
    const other = await createWasmBackend({ threads: 1 });
    const x = one.fill([2], 1);
    expect(() => other.affine(x, 1, 1)).toThrow(
      `Cannot compute affine as 'input' must be a tensor of this wasm backend: current value is another wasm backend's`,
    );
    await one.close();
    await other.close();
  });

  it('says so when a tensor is used after it was disposed, or disposed twice', async () => {
    const backend = await createWasmBackend({ threads: 1 });
    const x = backend.fill([2, 3], 1);
    backend.dispose(x);
    const text = `must be a live tensor: current value is a disposed tensor of shape [2, 3]`;
    expect(() => backend.leakyRelu(x, 0)).toThrow(`Cannot compute leakyRelu as 'input' ${text}`);
    expect(() => backend.dispose(x)).toThrow(`Cannot dispose as 'tensor' ${text}`);
    await backend.close();
  });

  it('can be closed twice and not be used afterwards', async () => {
    const backend = await createWasmBackend({ threads: 2 });
    const x = backend.fill([2], 1);
    await backend.close();
    await backend.close();
    expect(() => backend.fill([1], 0)).toThrow(
      'Cannot make a tensor as the wasm backend must be open: current value is closed',
    );
    expect(() => backend.affine(x, 1, 1)).toThrow(
      'Cannot compute affine as the wasm backend must be open: current value is closed',
    );
  });
});
