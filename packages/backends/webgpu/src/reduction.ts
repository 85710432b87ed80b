import { SPECIAL_VALUES } from './_special-values.ts';
import type { PooledBuffer } from './buffer-pool.ts';
import type { CommandQueue } from './command-queue.ts';
import { elementKernel, ELEMENTS_PER_WORKGROUP } from './kernel.ts';

/** How many elements one invocation folds, one after the other. More of them are folded in several passes. */
const LONGEST_RUN = 64;
/** Rows that a workgroup folds as a tree. */
const ROWS_PER_WORKGROUP = 4096;
const WORKGROUP_SIZE = 256;

const FOLD = { sum: { first: '0.0', fold: 'total + x' }, max: { first: '-infinity()', fold: 'maximumOf(total, x)' } };

/** Gives a temporary buffer to `body`. */
export type WithTemporary = (count: number, body: (buffer: PooledBuffer) => void) => void;

/**
 * Reduces the middle axis of `[outer, rows, inner]`, none of them 0, and multiplies by `factor`.
 *
 * Sums are trees whose nodes have at most 64 children, so that the error grows with the logarithm of the length.
 */
export function runReduction(
  queue: CommandQueue,
  operation: 'sum' | 'max',
  input: PooledBuffer,
  output: PooledBuffer,
  sizes: { readonly outer: number; readonly rows: number; readonly inner: number },
  factor: number,
  withTemporary: WithTemporary,
): void {
  const { outer, rows, inner } = sizes;
  const isTree = inner === 1 && rows > LONGEST_RUN;
  const splits = Math.ceil(rows / (isTree ? ROWS_PER_WORKGROUP : LONGEST_RUN));
  const launch = (target: PooledBuffer, scale: number): void => {
    if (isTree) runTree(queue, operation, input, target, { outer, rows, splits }, scale);
    else runColumns(queue, operation, input, target, { outer, rows, inner, splits }, scale);
  };
  if (splits === 1) {
    launch(output, factor);
    return;
  }
  withTemporary(outer * splits * inner, (partials) => {
    launch(partials, 1);
    runReduction(queue, operation, partials, output, { outer, rows: splits, inner }, factor, withTemporary);
  });
}

/** Each invocation folds rows s, s + splits, ... of one column: neighbours read neighbouring elements. */
function runColumns(
  queue: CommandQueue,
  operation: 'sum' | 'max',
  input: PooledBuffer,
  output: PooledBuffer,
  sizes: { readonly outer: number; readonly rows: number; readonly inner: number; readonly splits: number },
  factor: number,
): void {
  const { outer, rows, inner, splits } = sizes;
  const count = outer * splits * inner;
  queue.run({
    key: `reduce columns ${operation}`,
    build: () =>
      elementKernel({
        uniforms: { rows: 'u32', inner: 'u32', splits: 'u32', factor: 'f32' },
        reads: { input: 'f32' },
        writes: { output: 'f32' },
        declarations: SPECIAL_VALUES,
        perElement: `
      let width = u.splits * u.inner;
      let column = i % width;
      var at = (i / width) * u.rows * u.inner + column;
      var total = ${FOLD[operation].first};
      for (var row = column / u.inner; row < u.rows; row += u.splits) {
        let x = input[at];
        total = ${FOLD[operation].fold};
        at += width;
      }
      output[i] = total * u.factor;`,
      }),
    reads: [input],
    writes: [output],
    uniforms: { count, rows, inner, splits, factor },
    workgroups: Math.ceil(count / ELEMENTS_PER_WORKGROUP),
  });
}

/** Each workgroup folds up to 4096 neighbouring elements of one row. */
function runTree(
  queue: CommandQueue,
  operation: 'sum' | 'max',
  input: PooledBuffer,
  output: PooledBuffer,
  sizes: { readonly outer: number; readonly rows: number; readonly splits: number },
  factor: number,
): void {
  const { outer, rows, splits } = sizes;
  const { first, fold } = FOLD[operation];
  queue.run({
    key: `reduce tree ${operation}`,
    build: () => ({
      uniforms: { rows: 'u32', splits: 'u32', count: 'u32', factor: 'f32' },
      reads: { input: 'f32' },
      writes: { output: 'f32' },
      workgroupSize: WORKGROUP_SIZE,
      declarations: `${SPECIAL_VALUES}
var<workgroup> totals: array<f32, ${WORKGROUP_SIZE}>;`,
      body: `
  if (group >= u.count) { return; }
  let row = group / u.splits;
  let begin = (group % u.splits) * ${ROWS_PER_WORKGROUP}u;
  let end = min(begin + ${ROWS_PER_WORKGROUP}u, u.rows);
  var total = ${first};
  for (var at = begin + lane; at < end; at += ${WORKGROUP_SIZE}u) {
    let x = input[row * u.rows + at];
    total = ${fold};
  }
  totals[lane] = total;
  for (var distance = ${WORKGROUP_SIZE / 2}u; distance > 0u; distance /= 2u) {
    workgroupBarrier();
    if (lane < distance) {
      let x = totals[lane + distance];
      total = ${fold};
      totals[lane] = total;
    }
  }
  if (lane == 0u) { output[group] = total * u.factor; }`,
    }),
    reads: [input],
    writes: [output],
    uniforms: { rows, splits, count: outer * splits, factor },
    workgroups: outer * splits,
  });
}

/** Index of the first largest of each row of `columns` elements. */
export function runArgMax(
  queue: CommandQueue,
  input: PooledBuffer,
  output: PooledBuffer,
  rows: number,
  columns: number,
): void {
  queue.run({
    key: 'argMax',
    build: () =>
      elementKernel({
        uniforms: { columns: 'u32' },
        reads: { input: 'f32' },
        writes: { output: 'i32' },
        declarations: SPECIAL_VALUES,
        perElement: `
      let start = i * u.columns;
      var best = input[start];
      var index = 0u;
      for (var column = 1u; column < u.columns; column++) {
        let x = input[start + column];
        if (!isNan(best) && (isNan(x) || x > best)) { best = x; index = column; }
      }
      output[i] = i32(index);`,
      }),
    reads: [input],
    writes: [output],
    uniforms: { count: rows, columns },
    workgroups: Math.ceil(rows / ELEMENTS_PER_WORKGROUP),
  });
}

/** oneHot of the contract, for `rows` indices. */
export function runOneHot(
  queue: CommandQueue,
  indices: PooledBuffer,
  output: PooledBuffer,
  rows: number,
  depth: number,
): void {
  const count = rows * depth;
  queue.run({
    key: 'oneHot',
    build: () =>
      elementKernel({
        uniforms: { depth: 'u32' },
        reads: { indices: 'i32' },
        writes: { output: 'f32' },
        perElement: 'output[i] = select(0.0, 1.0, indices[i / u.depth] == i32(i % u.depth));',
      }),
    reads: [indices],
    writes: [output],
    uniforms: { count, depth },
    workgroups: Math.ceil(count / ELEMENTS_PER_WORKGROUP),
  });
}
