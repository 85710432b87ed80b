import type { Shape, Size2d } from '@dafl/core';
import type { PooledBuffer } from './buffer-pool.ts';
import type { CommandQueue } from './command-queue.ts';
import { elementKernel, ELEMENTS_PER_WORKGROUP } from './kernel.ts';
import { sizeOf } from '@dafl/core/backend-base';

const UNIFORMS = { width: 'u32', channels: 'u32', down: 'u32', across: 'u32' } as const;

function uniformsOf(
  count: number,
  smallShape: Shape,
  factors: Size2d,
): Record<keyof typeof UNIFORMS | 'count', number> {
  return { count, width: smallShape[2], channels: smallShape[3], down: factors[0], across: factors[1] };
}

/** Repeats pixels: each invocation writes one element of the large image. */
export function runUpsample(
  queue: CommandQueue,
  input: PooledBuffer,
  output: PooledBuffer,
  smallShape: Shape,
  factors: Size2d,
): void {
  const count = sizeOf(smallShape) * factors[0] * factors[1];
  queue.run({
    key: 'upsample',
    build: () =>
      elementKernel({
        uniforms: UNIFORMS,
        reads: { input: 'f32' },
        writes: { output: 'f32' },
        perElement: `
      let pixel = i / u.channels;
      let largeWidth = u.width * u.across;
      let line = pixel / largeWidth;
      let column = (pixel % largeWidth) / u.across;
      output[i] = input[((line / u.down) * u.width + column) * u.channels + i % u.channels];`,
      }),
    reads: [input],
    writes: [output],
    uniforms: uniformsOf(count, smallShape, factors),
    workgroups: Math.ceil(count / ELEMENTS_PER_WORKGROUP),
  });
}

/** Sums blocks: each invocation writes one element of the small image. */
export function runUpsampleGradient(
  queue: CommandQueue,
  outputGradient: PooledBuffer,
  inputGradient: PooledBuffer,
  smallShape: Shape,
  factors: Size2d,
): void {
  const count = sizeOf(smallShape);
  queue.run({
    key: 'upsampleGradient',
    build: () =>
      elementKernel({
        uniforms: UNIFORMS,
        reads: { outputGradient: 'f32' },
        writes: { inputGradient: 'f32' },
        perElement: `
      let pixel = i / u.channels;
      let line = pixel / u.width;
      let rowSize = u.width * u.across * u.channels;
      let start = line * u.down * rowSize + (pixel % u.width) * u.across * u.channels + i % u.channels;
      var total = 0.0;
      for (var row = 0u; row < u.down; row++) {
        for (var column = 0u; column < u.across; column++) {
          total += outputGradient[start + row * rowSize + column * u.channels];
        }
      }
      inputGradient[i] = total;`,
      }),
    reads: [outputGradient],
    writes: [inputGradient],
    uniforms: uniformsOf(count, smallShape, factors),
    workgroups: Math.ceil(count / ELEMENTS_PER_WORKGROUP),
  });
}
