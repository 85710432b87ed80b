import type { DataType, Shape } from '@dafl/core';
import { sizeOf } from '@dafl/core/backend-base';
import { KERNEL_FILL, KERNEL_STRIDED_COPY } from './kernel-ids.ts';
import { asFloat, CHUNK_ELEMENTS, type KernelRunner } from './kernel-runner.ts';

/** Sets `count` elements to `value`. */
export function runFill(
  runner: KernelRunner,
  address: number,
  count: number,
  value: number,
  dataType: DataType = 'float32',
): void {
  runner.runElements(KERNEL_FILL, count, count, [
    address,
    count,
    CHUNK_ELEMENTS,
    dataType === 'int32' ? value : asFloat(value),
  ]);
}

/** Copies a block between strided arrays; strides count elements and may be 0 on the input's side. */
export function runStridedCopy(
  runner: KernelRunner,
  from: number,
  fromStrides: readonly number[],
  to: number,
  toStrides: readonly number[],
  shape: Shape,
): void {
  const total = sizeOf(shape);
  if (total === 0) return;
  const sizes: number[] = [];
  const sources: number[] = [];
  const targets: number[] = [];
  // Axes that lie end to end on both sides are one axis.
  shape.forEach((size, axis) => {
    if (size === 1) return;
    const last = sizes.length - 1;
    const source = fromStrides[axis];
    const target = toStrides[axis];
    if (last >= 0 && sources[last] === source * size && targets[last] === target * size) {
      sizes[last] *= size;
      sources[last] = source;
      targets[last] = target;
    } else {
      sizes.push(size);
      sources.push(source);
      targets.push(target);
    }
  });
  if (sizes.length === 1 && sources[0] === 1 && targets[0] === 1 && total > CHUNK_ELEMENTS) {
    // One long run: cut it, so that threads can share it.
    const whole = Math.floor(total / CHUNK_ELEMENTS) * CHUNK_ELEMENTS;
    runStridedCopy(runner, from + whole * 4, [1], to + whole * 4, [1], [total - whole]);
    sizes.splice(0, 1, whole / CHUNK_ELEMENTS, CHUNK_ELEMENTS);
    sources.splice(0, 1, CHUNK_ELEMENTS, 1);
    targets.splice(0, 1, CHUNK_ELEMENTS, 1);
  }
  const missing = 6 - sizes.length;
  const lead = (values: readonly number[], value: number): number[] => [
    ...Array.from({ length: missing }, () => value),
    ...values,
  ];
  const length = sizes.at(-1) ?? 1;
  const count = sizeOf(sizes);
  const rows = count / length;
  const rowsPerChunk = Math.max(1, Math.floor(CHUNK_ELEMENTS / length));
  runner.run(KERNEL_STRIDED_COPY, Math.ceil(rows / rowsPerChunk), count, [
    from,
    to,
    rowsPerChunk,
    ...lead(sizes, 1),
    ...lead(sources, 0),
    ...lead(targets, 0),
  ]);
}
