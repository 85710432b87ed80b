import type { DataType, Shape } from '@dafl/core';
import { sizeOf } from '@dafl/core/backend-base';
import { CHUNK_ELEMENTS, type KernelRunner } from './kernel-runner.ts';

/** Sets `count` elements to `value`. */
export function runFill(
  runner: KernelRunner,
  address: number,
  count: number,
  value: number,
  dataType: DataType = 'float32',
): void {
  const bits = dataType === 'int32' ? value : floatToBits(value);
  runner.runElements('fill', count, count, { output: address, bits });
}

const floats = new Float32Array(1);
const integers = new Int32Array(floats.buffer);

/** The bits of a float as an integer. */
function floatToBits(value: number): number {
  floats[0] = value;
  return integers[0];
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
  const [size0, size1, size2, size3, size4, size5] = lead(sizes, 1);
  const [inputStride0, inputStride1, inputStride2, inputStride3, inputStride4, inputStride5] = lead(sources, 0);
  const [outputStride0, outputStride1, outputStride2, outputStride3, outputStride4, outputStride5] = lead(targets, 0);
  runner.run('stridedCopy', Math.ceil(rows / rowsPerChunk), count, {
    input: from,
    output: to,
    rowsPerChunk,
    size0,
    size1,
    size2,
    size3,
    size4,
    size5,
    inputStride0,
    inputStride1,
    inputStride2,
    inputStride3,
    inputStride4,
    inputStride5,
    outputStride0,
    outputStride1,
    outputStride2,
    outputStride3,
    outputStride4,
    outputStride5,
  });
}
