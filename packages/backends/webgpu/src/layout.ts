import type { DataType, Shape } from '@dafl/core';
import type { PooledBuffer } from './buffer-pool.ts';
import type { CommandQueue } from './command-queue.ts';
import { elementKernel, ELEMENTS_PER_WORKGROUP } from './kernel.ts';
import { sizeOf } from '@dafl/core/backend-base';
import { collapseAxes } from './collapse-axes.ts';

/** One side of a copy: where the block begins and the distances between its elements. */
export interface StridedBlock {
  readonly buffer: PooledBuffer;
  readonly start: number;
  readonly strides: readonly number[];
}

const bits = new DataView(new ArrayBuffer(4));

/** The bits of a number as an element of a tensor. */
function bitsOf(value: number, dataType: DataType): number {
  if (dataType === 'int32') bits.setInt32(0, value);
  else bits.setFloat32(0, value);
  return bits.getUint32(0);
}

/** Sets `count` elements to `value`. */
export function runFill(
  queue: CommandQueue,
  output: PooledBuffer,
  count: number,
  value: number,
  dataType: DataType = 'float32',
): void {
  queue.run({
    key: 'fill',
    build: () =>
      elementKernel({
        uniforms: { value: 'u32' },
        reads: {},
        writes: { output: 'u32' },
        perElement: 'output[i] = u.value;',
      }),
    reads: [],
    writes: [output],
    uniforms: { count, value: bitsOf(value, dataType) },
    workgroups: Math.ceil(count / ELEMENTS_PER_WORKGROUP),
  });
}

/** Copies the elements of a block of the given shape, whatever their type. */
export function runStridedCopy(queue: CommandQueue, shape: Shape, from: StridedBlock, to: StridedBlock): void {
  const count = sizeOf(shape);
  if (count === 0) return;
  const axes = collapseAxes(shape, [from.strides, to.strides]);
  const rank = axes.sizes.length;
  const uniforms: Record<string, number> = { count, fromStart: from.start, toStart: to.start };
  axes.sizes.forEach((size, axis) => {
    uniforms[`size${axis}`] = size;
    uniforms[`from${axis}`] = axes.strides[0][axis];
    uniforms[`to${axis}`] = axes.strides[1][axis];
  });
  const types = Object.fromEntries(Object.keys(uniforms).map((name) => [name, 'u32' as const]));
  queue.run({
    key: `stridedCopy ${rank}`,
    build: () => {
      const lines = ['var rest = i; var f = u.fromStart; var t = u.toStart;'];
      for (let axis = rank - 1; axis >= 0; axis--) {
        const place = axis === 0 ? 'rest' : `(rest % u.size${axis})`;
        lines.push(`f += ${place} * u.from${axis}; t += ${place} * u.to${axis};`);
        if (axis > 0) lines.push(`rest /= u.size${axis};`);
      }
      lines.push('output[t] = input[f];');
      return elementKernel({
        uniforms: types,
        reads: { input: 'u32' },
        writes: { output: 'u32' },
        perElement: lines.join('\n      '),
      });
    },
    reads: [from.buffer],
    writes: [to.buffer],
    uniforms,
    workgroups: Math.ceil(count / ELEMENTS_PER_WORKGROUP),
  });
}
