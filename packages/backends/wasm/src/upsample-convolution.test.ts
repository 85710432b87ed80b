import { expectClose } from '@dafl/conformance';
import type { Conv2dOptions, Shape, Tensor, TensorBackend } from '@dafl/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWasmBackend } from './index.ts';

const same: Conv2dOptions = {
  strides: [1, 1],
  padding: { top: 1, bottom: 1, left: 1, right: 1 },
  dilations: [1, 1],
  groups: 1,
};

interface Arguments {
  readonly input: Tensor;
  readonly filter: Tensor;
  readonly bias: Tensor;
  readonly outputGradient: Tensor;
}

/** Each result by the fused kernel and by the kernels that it stands for. */
const kernels: Readonly<
  Record<string, (backend: TensorBackend, values: Arguments) => [fused: Tensor, composed: Tensor]>
> = {
  upsampleConv2d: (backend, { input, filter, bias }) => [
    backend.fused!.upsampleConv2d!(input, filter, bias),
    backend.conv2d(backend.upsampleNearest2d(input, [2, 2]), filter, bias, same),
  ],
  upsampleConv2dInputGradient: (backend, { input, filter, outputGradient }) => {
    const [batch, height, width, channels] = input.shape;
    const shape = [batch, 2 * height, 2 * width, channels];
    const large = backend.conv2dInputGradient(outputGradient, filter, shape, same);
    return [
      backend.fused!.upsampleConv2dInputGradient!(outputGradient, filter),
      backend.upsampleNearest2dGradient(large, [2, 2]),
    ];
  },
  upsampleConv2dFilterGradient: (backend, { input, filter, outputGradient }) => [
    backend.fused!.upsampleConv2dFilterGradient!(input, outputGradient),
    backend.conv2dFilterGradient(backend.upsampleNearest2d(input, [2, 2]), outputGradient, filter.shape, same),
  ],
};

function makeArguments(backend: TensorBackend, shape: Shape, outputs: number, spoil?: number): Arguments {
  let state = 1;
  const random = (...sizes: number[]): Tensor => {
    const size = sizes.reduce((product, length) => product * length, 1);
    const data = Float32Array.from({ length: size }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      return (state >>> 8) / 2 ** 23 - 1;
    });
    if (spoil !== undefined && sizes.length === 4 && sizes[0] === shape[0]) data[Math.floor(size / 3)] = spoil;
    return backend.tensor(data, sizes);
  };
  const [batch, height, width, inputs] = shape;
  return {
    input: random(batch, height, width, inputs),
    filter: random(3, 3, inputs, outputs),
    bias: random(outputs),
    outputGradient: random(batch, 2 * height, 2 * width, outputs),
  };
}

describe.each([true, false])('upsampling convolutions, relaxed SIMD %s', (relaxedSimd) => {
  let backend: TensorBackend;
  beforeAll(async () => {
    backend = await createWasmBackend({ threads: 2, relaxedSimd });
  });
  afterAll(() => backend.close());

  // Images of several blocks, whole and not, and columns that are multiplied in several groups.
  for (const [shape, outputs] of [
    [[2, 41, 36, 64], 40],
    [[1, 64, 3, 130], 70],
    [[7, 16, 15, 128], 9],
    [[70, 4, 4, 20], 24],
  ] as const) {
    it.each(Object.keys(kernels))(`[${shape.join(', ')}] to ${outputs}: %s`, async (name) => {
      const [fused, composed] = kernels[name](backend, makeArguments(backend, shape, outputs));
      expect(fused.shape).toEqual(composed.shape);
      const expected = Float32Array.from(await backend.read(composed));
      // Twice the 2e-6 of the conformance suite: both sides are rounded.
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      expectClose(await backend.read(fused), expected, { absolute: 4e-6 * largest, relative: 0 });
    });
  }

  it.each([Number.NaN, Infinity])('%d spoils no other results than those that depend on it', async (value) => {
    for (const name of ['upsampleConv2d', 'upsampleConv2dInputGradient']) {
      for (const shape of [
        [2, 7, 6, 5],
        [2, 8, 8, 4],
      ]) {
        const results = kernels[name](backend, makeArguments(backend, shape, 3, value));
        const [fused, composed] = await Promise.all(results.map(async (result) => await backend.read(result)));
        expect(fused.some((element) => !Number.isFinite(element))).toBe(true);
        expect(Array.from(fused, Number.isFinite)).toEqual(Array.from(composed, Number.isFinite));
      }
    }
  });
});
