import { accumulateFilterGradient, convolve } from './convolution.ts';
import type { KernelRunner } from './kernel-runner.ts';
import { runFill, runStridedCopy } from './layout.ts';
import type { WasmTensor } from './wasm-tensor.ts';

/** Rows of a matrix product that the filter gradient's kernel treats as one image. */
const MATRIX_ROW_PIXELS = 128;

/** `matMul` of the contract. */
export function runMatMul(
  runner: KernelRunner,
  a: WasmTensor,
  b: WasmTensor,
  result: WasmTensor,
  transposeLeft: boolean,
  transposeRight: boolean,
): void {
  const [rows, columns] = result.shape;
  const depth = a.shape[transposeLeft ? 0 : 1];
  if (!transposeLeft) {
    multiply(runner, a.address, b.address, 0, result.address, rows, depth, columns, transposeRight);
  } else if (!transposeRight) {
    multiplyTransposed(runner, a.address, b.address, result.address, rows, depth, columns);
  } else {
    runner.withTemporary(b.size * 4, (turned) => {
      runStridedCopy(runner, b.address, [1, depth], turned, [columns, 1], [depth, columns]);
      multiplyTransposed(runner, a.address, turned, result.address, rows, depth, columns);
    });
  }
}

/** result [rows, columns] = left [rows, depth] x right + bias. */
export function multiply(
  runner: KernelRunner,
  left: number,
  right: number,
  bias: number,
  result: number,
  rows: number,
  depth: number,
  columns: number,
  isTransposed: boolean,
): void {
  if (rows === 0 || columns === 0) return;
  convolve(
    runner,
    {
      address: left,
      image: { batch: 1, height: rows, width: 1, channels: depth },
      firstChannel: 0,
      channels: depth,
    },
    {
      strides: [1, 1],
      taps: [1, 1],
      dilations: [1, 1],
      top: 0,
      left: 0,
      outputHeight: rows,
      outputWidth: 1,
    },
    {
      address: right,
      bias,
      sizes: [1, 1, depth],
      strides: [0, 0, isTransposed ? 1 : columns],
      columns,
      columnStride: isTransposed ? depth : 1,
    },
    { address: result, image: 0, row: columns, column: 0 },
  );
}

/** result [rows, columns] = transpose of left [depth, rows] x right [depth, columns]. */
export function multiplyTransposed(
  runner: KernelRunner,
  left: number,
  right: number,
  result: number,
  rows: number,
  depth: number,
  columns: number,
): void {
  if (rows === 0 || columns === 0) return;
  if (depth === 0) {
    runFill(runner, result, rows * columns, 0);
    return;
  }
  const width = Math.min(depth, MATRIX_ROW_PIXELS);
  accumulateFilterGradient(
    runner,
    {
      address: left,
      image: { batch: Math.ceil(depth / width), height: 1, width, channels: rows },
      firstChannel: 0,
      channels: rows,
    },
    {
      strides: [1, 1],
      taps: [1, 1],
      dilations: [1, 1],
      top: 0,
      left: 0,
      outputHeight: 1,
      outputWidth: width,
    },
    { address: right, channels: columns, firstChannel: 0, columns },
    result,
    depth,
  );
}
