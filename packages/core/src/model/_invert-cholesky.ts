import type { Turn } from '../turn.ts';

/** Rows between two turns of the event loop. */
const ROWS_AT_A_TIME = 32;

/** A symmetric matrix C = L Lᵀ in factors, row by row; both are zero above the diagonal. */
export interface CholeskyFactors {
  readonly factor: Float64Array;
  readonly inverse: Float64Array;
}

/**
 * Cholesky's factor of a matrix, and its inverse.
 *
 * @param matrix Symmetric and positive definite, `[size, size]`.
 * @returns Undefined where it is not, within rounding.
 */
export async function invertCholesky(
  matrix: Float64Array,
  size: number,
  turn: Turn,
): Promise<CholeskyFactors | undefined> {
  const factor = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    if (row % ROWS_AT_A_TIME === 0) await turn();
    for (let column = 0; column <= row; column++) {
      let rest = matrix[row * size + column];
      for (let at = 0; at < column; at++) rest -= factor[row * size + at] * factor[column * size + at];
      if (column < row) factor[row * size + column] = rest / factor[column * size + column];
      else if (rest > 0) factor[row * size + row] = Math.sqrt(rest);
      else return undefined;
    }
  }
  // Row by row: L⁻¹ᵢ = (eᵢ - Σ Lᵢⱼ L⁻¹ⱼ) / Lᵢᵢ, j < i.
  const inverse = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    if (row % ROWS_AT_A_TIME === 0) await turn();
    const begin = row * size;
    for (let at = 0; at < row; at++) {
      const share = factor[begin + at];
      for (let column = 0; column <= at; column++) inverse[begin + column] -= share * inverse[at * size + column];
    }
    const diagonal = factor[begin + row];
    for (let column = 0; column < row; column++) inverse[begin + column] /= diagonal;
    inverse[begin + row] = 1 / diagonal;
  }
  return { factor, inverse };
}
