import type { ReduceOperation } from '@dafl/core';
import { sizeOf, stridesOf } from '@dafl/core/backend-base';
import { REDUCE_MAX, REDUCE_SUM } from './kernel-operations.ts';
import { CHUNK_ELEMENTS, type KernelRunner } from './kernel-runner.ts';
import { runFill, runStridedCopy } from './layout.ts';
import { repeatsToVectors } from './repeats-to-vectors.ts';
import type { WasmTensor } from './wasm-tensor.ts';

/** Reduces the axes `axes` of `source` to `result`, which has those that are left. */
export function runReduction(
  runner: KernelRunner,
  operation: ReduceOperation,
  source: WasmTensor,
  result: WasmTensor,
  axes: readonly number[],
): void {
  if (result.size === 0) return;
  if (source.size === 0) {
    runFill(runner, result.address, result.size, { sum: 0, mean: NaN, max: -Infinity }[operation]);
    return;
  }
  const { shape } = source;
  const count = source.size / result.size;
  const id = operation === 'max' ? REDUCE_MAX : REDUCE_SUM;
  const factor = operation === 'mean' ? 1 / count : 1;

  // Neighbouring axes of one kind count as one axis.
  const isReduced = shape.map((_, axis) => axes.includes(axis));
  const groups: { isReduced: boolean; length: number }[] = [];
  shape.forEach((length, axis) => {
    if (length === 1) return;
    const last = groups.at(-1);
    if (last !== undefined && last.isReduced === isReduced[axis]) last.length *= length;
    else groups.push({ isReduced: isReduced[axis], length });
  });
  const firstReduced = groups.findIndex((group) => group.isReduced);
  if (groups.filter((group) => group.isReduced).length <= 1) {
    const outer = sizeOf(groups.slice(0, Math.max(firstReduced, 0)).map(({ length }) => length));
    reduceMiddle(runner, id, source.address, result.address, outer, count, result.size / outer, factor);
    return;
  }
  // Several separate axes: move them to the end.
  const kept = shape.map((_, axis) => axis).filter((axis) => !isReduced[axis]);
  const order = [...kept, ...axes];
  const strides = stridesOf(shape);
  const moved = order.map((axis) => shape[axis]);
  runner.withTemporary(source.size * 4, (address) => {
    const from = order.map((axis) => strides[axis]);
    runStridedCopy(runner, source.address, from, address, stridesOf(moved), moved);
    reduceMiddle(runner, id, address, result.address, result.size, count, 1, factor);
  });
}

/** Reduces the middle axis of `[outer, rows, inner]`. */
export function reduceMiddle(
  runner: KernelRunner,
  operation: number,
  from: number,
  to: number,
  outer: number,
  rows: number,
  inner: number,
  factor: number,
): void {
  const launch = (
    source: number,
    target: number,
    height: number,
    width: number,
    splits: number,
    rowsPerSplit: number,
    scale: number,
  ): void => {
    const items = outer * splits;
    const itemsPerChunk = Math.max(1, Math.floor(CHUNK_ELEMENTS / (rowsPerSplit * width)));
    runner.run('reduce', Math.ceil(items / itemsPerChunk), outer * height * width, {
      operation,
      input: source,
      output: target,
      outer,
      rows: height,
      inner: width,
      splits,
      rowsPerSplit,
      itemsPerChunk,
      factor: scale,
    });
  };
  // Rows too short for vectors are read four (or two) at a time where they are many.
  const repeats = inner > 1 && outer === 1 ? repeatsToVectors(inner) : 1;
  const fold = rows >= 64 && rows % repeats === 0 ? repeats : 1;
  const height = rows / fold;
  const width = inner * fold;
  const rowsPerSplit = Math.max(8, Math.min(inner === 1 ? CHUNK_ELEMENTS : 1024, Math.floor(CHUNK_ELEMENTS / width)));
  if (height <= rowsPerSplit && fold === 1) {
    launch(from, to, rows, inner, 1, rows, factor);
    return;
  }
  const splits = Math.ceil(height / rowsPerSplit);
  runner.withTemporary(outer * splits * width * 4, (partials) => {
    launch(from, partials, height, width, splits, rowsPerSplit, 1);
    launch(partials, to, splits * fold, inner, 1, splits * fold, factor);
  });
}

/** Place of the largest of each row. */
export function runArgMax(runner: KernelRunner, input: WasmTensor, result: WasmTensor): void {
  const columns = input.shape.at(-1)!;
  const rowsPerChunk = Math.max(1, Math.floor(CHUNK_ELEMENTS / Math.max(1, columns)));
  runner.run('argMax', Math.ceil(result.size / rowsPerChunk), input.size, {
    input: input.address,
    output: result.address,
    rows: result.size,
    columns,
    rowsPerChunk,
  });
}

/** Rows of zeros with a one at each index. */
export function runOneHot(runner: KernelRunner, indices: WasmTensor, result: WasmTensor): void {
  runFill(runner, result.address, result.size, 0);
  runner.run('oneHot', 1, 0, {
    indices: indices.address,
    output: result.address,
    count: indices.size,
    depth: result.shape.at(-1)!,
  });
}
