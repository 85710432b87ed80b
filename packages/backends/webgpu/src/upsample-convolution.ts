import type { Conv2dOptions, Shape } from '@dafl/core';
import type { PooledBuffer } from './buffer-pool.ts';
import type { CommandQueue } from './command-queue.ts';
import {
  convolutionSizes,
  runConvolution,
  runConvolutionFilterGradient,
  runConvolutionInputGradient,
} from './convolution.ts';
import { elementKernel, ELEMENTS_PER_WORKGROUP } from './kernel.ts';
import type { WithTemporary } from './reduction.ts';

/*
 * Doubling an image and convolving it with a 3x3 filter is the input gradient of a 4x4 convolution of stride 2 and
 * padding 1, from the large image to the small one. Its filter `spread` has at row t the sum of the 3x3 filter's rows
 * max(0, 2 - t) to min(2, 3 - t): {2}, {1, 2}, {0, 1}, {0}; columns likewise. The two gradients follow: that
 * convolution itself, and its filter gradient, whose rows 2 - k and 3 - k add up to row k of the 3x3 one.
 */
const SPREAD_OPTIONS: Conv2dOptions = {
  strides: [2, 2],
  padding: { top: 1, bottom: 1, left: 1, right: 1 },
  dilations: [1, 1],
  groups: 1,
};
const SPREAD_TAPS = 16;

/** Shapes of the small image and of the large one. */
export interface UpsampleConvolutionShapes {
  readonly small: Shape;
  readonly large: Shape;
}

function spreadSizes({ small, large }: UpsampleConvolutionShapes): ReturnType<typeof convolutionSizes> {
  return convolutionSizes(large, [4, 4, large[3], small[3]], SPREAD_OPTIONS);
}

/** spread [4, 4, outputs, inputs] of filter [3, 3, inputs, outputs]. */
function runSpreadFilter(
  queue: CommandQueue,
  filter: PooledBuffer,
  spread: PooledBuffer,
  inputs: number,
  outputs: number,
): void {
  const count = SPREAD_TAPS * inputs * outputs;
  queue.run({
    key: 'spreadFilter',
    build: () =>
      elementKernel({
        uniforms: { inputs: 'u32', outputs: 'u32' },
        reads: { filters: 'f32' },
        writes: { spread: 'f32' },
        perElement: `
      let tap = i / (u.inputs * u.outputs);
      let place = (i % u.inputs) * u.outputs + (i / u.inputs) % u.outputs;
      let row = tap / 4u;
      let column = tap % 4u;
      var total = 0.0;
      for (var y = 2u - min(2u, row); y <= min(2u, 3u - row); y++) {
        for (var x = 2u - min(2u, column); x <= min(2u, 3u - column); x++) {
          total += filters[(y * 3u + x) * u.inputs * u.outputs + place];
        }
      }
      spread[i] = total;`,
      }),
    reads: [filter],
    writes: [spread],
    uniforms: { count, inputs, outputs },
    workgroups: Math.ceil(count / ELEMENTS_PER_WORKGROUP),
  });
}

/** The gradient of filter [3, 3, inputs, outputs] from that of spread [4, 4, outputs, inputs]. */
function runGatherFilter(
  queue: CommandQueue,
  spread: PooledBuffer,
  filter: PooledBuffer,
  inputs: number,
  outputs: number,
): void {
  const count = 9 * inputs * outputs;
  queue.run({
    key: 'gatherFilter',
    build: () =>
      elementKernel({
        uniforms: { inputs: 'u32', outputs: 'u32' },
        reads: { spread: 'f32' },
        writes: { filters: 'f32' },
        perElement: `
      let tap = i / (u.inputs * u.outputs);
      let place = (i % u.outputs) * u.inputs + (i / u.outputs) % u.inputs;
      let first = (2u - tap / 3u) * 4u + 2u - tap % 3u;
      let size = u.inputs * u.outputs;
      filters[i] = (spread[first * size + place] + spread[(first + 1u) * size + place])
        + (spread[(first + 4u) * size + place] + spread[(first + 5u) * size + place]);`,
      }),
    reads: [spread],
    writes: [filter],
    uniforms: { count, inputs, outputs },
    workgroups: Math.ceil(count / ELEMENTS_PER_WORKGROUP),
  });
}

/** upsampleConv2d of the contract. */
export function runUpsampleConvolution(
  queue: CommandQueue,
  input: PooledBuffer,
  filter: PooledBuffer,
  bias: PooledBuffer | null,
  output: PooledBuffer,
  shapes: UpsampleConvolutionShapes,
  withTemporary: WithTemporary,
): void {
  const [inputs, outputs] = [shapes.small[3], shapes.large[3]];
  withTemporary(SPREAD_TAPS * inputs * outputs, (spread) => {
    runSpreadFilter(queue, filter, spread, inputs, outputs);
    const sizes = spreadSizes(shapes);
    runConvolutionInputGradient(queue, input, spread, bias, output, sizes, SPREAD_OPTIONS, withTemporary);
  });
}

/** upsampleConv2dInputGradient of the contract. */
export function runUpsampleConvolutionInputGradient(
  queue: CommandQueue,
  outputGradient: PooledBuffer,
  filter: PooledBuffer,
  inputGradient: PooledBuffer,
  shapes: UpsampleConvolutionShapes,
  withTemporary: WithTemporary,
): void {
  const [inputs, outputs] = [shapes.small[3], shapes.large[3]];
  withTemporary(SPREAD_TAPS * inputs * outputs, (spread) => {
    runSpreadFilter(queue, filter, spread, inputs, outputs);
    const sizes = spreadSizes(shapes);
    runConvolution(queue, outputGradient, spread, null, inputGradient, sizes, SPREAD_OPTIONS, withTemporary);
  });
}

/** upsampleConv2dFilterGradient of the contract. */
export function runUpsampleConvolutionFilterGradient(
  queue: CommandQueue,
  input: PooledBuffer,
  outputGradient: PooledBuffer,
  filterGradient: PooledBuffer,
  shapes: UpsampleConvolutionShapes,
  withTemporary: WithTemporary,
): void {
  const [inputs, outputs] = [shapes.small[3], shapes.large[3]];
  withTemporary(SPREAD_TAPS * inputs * outputs, (spread) => {
    const sizes = spreadSizes(shapes);
    runConvolutionFilterGradient(queue, outputGradient, input, spread, sizes, SPREAD_OPTIONS, withTemporary);
    runGatherFilter(queue, spread, filterGradient, inputs, outputs);
  });
}
