import type { PooledBuffer } from './buffer-pool.ts';
import type { CommandQueue } from './command-queue.ts';
import { type Operand, runMatrixProduct } from './matrix-product.ts';
import type { WithTemporary } from './reduction.ts';

/**
 * A matrix as an operand: its quads lie along its rows (of the left side) or its columns (of the right side).
 *
 * @param isDepthInner Whether the elements along the depth lie side by side in memory.
 */
export function matrixOperand(side: 'Left' | 'Right', buffer: PooledBuffer, isDepthInner: boolean): Operand {
  const array = `matrix${side}`;
  const length = side === 'Left' ? 'u.rows' : 'u.columns';
  const lines = ['x', 'y', 'z', 'w'].map((component, j) =>
    isDepthInner
      ? `  if (quad + ${j}u < ${length}) { values.${component} = ${array}[(quad + ${j}u) * u.depth + k]; }`
      : `  if (quad + ${j}u < ${length}) { values.${component} = ${array}[k * ${length} + quad + ${j}u]; }`,
  );
  return {
    key: `${array} ${isDepthInner}`,
    declarations: `
alias ${side}Quad = u32;
fn prepare${side}(part: u32, first: u32) -> ${side}Quad { return first; }
fn load${side}(quad: ${side}Quad, k: u32) -> vec4f {
  var values = vec4f();
${lines.join('\n')}
  return values;
}`,
    contiguous: isDepthInner ? 'depth' : 'quads',
    reads: { [array]: 'f32' },
    buffer,
    uniforms: {},
  };
}

/** matMul of the contract, with a bias added to each row or null: output is `[rows, columns]`. */
export function runMatMul(
  queue: CommandQueue,
  left: { readonly buffer: PooledBuffer; readonly isTransposed: boolean },
  right: { readonly buffer: PooledBuffer; readonly isTransposed: boolean },
  output: { readonly buffer: PooledBuffer; readonly bias: PooledBuffer | null },
  sizes: { readonly rows: number; readonly depth: number; readonly columns: number },
  withTemporary: WithTemporary,
): void {
  runMatrixProduct(
    queue,
    { ...sizes, groups: 1 },
    matrixOperand('Left', left.buffer, !left.isTransposed),
    matrixOperand('Right', right.buffer, right.isTransposed),
    { ...output, rowStride: sizes.columns },
    withTemporary,
  );
}
