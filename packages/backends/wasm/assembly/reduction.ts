/** Sums and maxima over axes, and the position of the maximum. */
import { REDUCE_MAX } from '../src/kernel-operations';
import { ArgMaxArguments, ReduceArguments } from './generated/kernel-arguments';
import { maxLanes, smaller, sumLanes } from './simd';

// @ts-ignore: decorator
@inline
function combine(isMax: bool, a: v128, b: v128): v128 {
  return isMax ? f32x4.max(a, b) : f32x4.add(a, b);
}

/** Reduces `count` adjacent floats. */
// @ts-ignore: decorator
@inline
function reduceRun(isMax: bool, input: usize, count: i32): f32 {
  const neutral = f32x4.splat(isMax ? -Infinity : 0);
  let r0 = neutral, r1 = neutral, r2 = neutral, r3 = neutral;
  let p = input;
  const end = input + (<usize>count << 2);
  for (const stop = input + ((<usize>count << 2) & ~63); p < stop; p += 64) {
    r0 = combine(isMax, r0, v128.load(p));
    r1 = combine(isMax, r1, v128.load(p, 16));
    r2 = combine(isMax, r2, v128.load(p, 32));
    r3 = combine(isMax, r3, v128.load(p, 48));
  }
  r0 = combine(isMax, combine(isMax, r0, r1), combine(isMax, r2, r3));
  let result = isMax ? maxLanes(r0) : sumLanes(r0);
  for (; p < end; p += 4) result = isMax ? max(result, load<f32>(p)) : result + load<f32>(p);
  return result;
}

/** Reduces `rows` rows of `inner` floats to one row. */
// @ts-ignore: decorator
@inline
function reduceRows(isMax: bool, input: usize, output: usize, rows: i32, inner: i32, factor: f32): void {
  const stride = <usize>inner << 2;
  const scale = f32x4.splat(factor);
  const neutral = f32x4.splat(isMax ? -Infinity : 0);
  let column = 0;
  for (; column + 16 <= inner; column += 16) {
    let p = input + (<usize>column << 2);
    let r0 = neutral, r1 = neutral, r2 = neutral, r3 = neutral;
    for (let row = 0; row < rows; row++, p += stride) {
      r0 = combine(isMax, r0, v128.load(p));
      r1 = combine(isMax, r1, v128.load(p, 16));
      r2 = combine(isMax, r2, v128.load(p, 32));
      r3 = combine(isMax, r3, v128.load(p, 48));
    }
    const o = output + (<usize>column << 2);
    v128.store(o, f32x4.mul(r0, scale));
    v128.store(o, f32x4.mul(r1, scale), 16);
    v128.store(o, f32x4.mul(r2, scale), 32);
    v128.store(o, f32x4.mul(r3, scale), 48);
  }
  for (; column + 4 <= inner; column += 4) {
    let p = input + (<usize>column << 2);
    let r0 = neutral;
    for (let row = 0; row < rows; row++, p += stride) r0 = combine(isMax, r0, v128.load(p));
    v128.store(output + (<usize>column << 2), f32x4.mul(r0, scale));
  }
  for (; column < inner; column++) {
    let p = input + (<usize>column << 2);
    let r: f32 = isMax ? -Infinity : 0;
    for (let row = 0; row < rows; row++, p += stride) r = isMax ? max(r, load<f32>(p)) : r + load<f32>(p);
    store<f32>(output + (<usize>column << 2), r * factor);
  }
}

/**
 * Reduces the middle axis of `[outer, rows, inner]`, split into `splits` runs of rows, to `[outer, splits, inner]`.
 * A second launch with one split combines the runs, in order.
 */
export function reduce(args: ReduceArguments, chunk: i32): void {
  const isMax = args.operation == REDUCE_MAX;
  const input = args.input;
  const output = args.output;
  const rows = args.rows;
  const inner = args.inner;
  const splits = args.splits;
  const rowsPerSplit = args.rowsPerSplit;
  const itemsPerChunk = args.itemsPerChunk;
  const factor = args.factor;
  const last = smaller((chunk + 1) * itemsPerChunk, args.outer * splits);
  for (let item = chunk * itemsPerChunk; item < last; item++) {
    const first = (item % splits) * rowsPerSplit;
    const count = smaller(rowsPerSplit, rows - first);
    const from = input + (<usize>(((item / splits) * rows + first) * inner) << 2);
    const to = output + (<usize>(item * inner) << 2);
    if (inner == 1) store<f32>(to, factor * (isMax ? reduceRun(true, from, count) : reduceRun(false, from, count)));
    else if (isMax) reduceRows(true, from, to, count, inner, factor);
    else reduceRows(false, from, to, count, inner, factor);
  }
}

/** Place of the largest of each row, the first of equals. */
export function argMax(args: ArgMaxArguments, chunk: i32): void {
  const input = args.input;
  const output = args.output;
  const columns = args.columns;
  const rowsPerChunk = args.rowsPerChunk;
  const last = smaller((chunk + 1) * rowsPerChunk, args.rows);
  for (let row = chunk * rowsPerChunk; row < last; row++) {
    const p = input + (<usize>(row * columns) << 2);
    let best = 0;
    let largest = load<f32>(p);
    for (let i = 1; i < columns; i++) {
      const value = load<f32>(p + (<usize>i << 2));
      if (value > largest) {
        largest = value;
        best = i;
      }
    }
    store<i32>(output + (<usize>row << 2), best);
  }
}
