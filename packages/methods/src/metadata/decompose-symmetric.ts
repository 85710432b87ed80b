import { EigenvalueDecomposition, Matrix } from 'ml-matrix';

/** Eigenvalues of a symmetric matrix and, as columns, their vectors. */
export interface SymmetricDecomposition {
  readonly values: Float64Array;
  /** Shape `[size, size]`, row by row. */
  readonly vectors: Float64Array;
}

/**
 * Decomposes a symmetric matrix: seconds for some hundred rows, in which nothing else can be done.
 *
 * @param matrix Shape `[size, size]`, row by row.
 */
export function decomposeSymmetric(matrix: Float64Array, size: number): SymmetricDecomposition {
  const rows = Array.from({ length: size }, (_, row) => matrix.subarray(row * size, (row + 1) * size));
  const found = new EigenvalueDecomposition(new Matrix(rows), { assumeSymmetric: true });
  return {
    values: Float64Array.from(found.realEigenvalues),
    vectors: Float64Array.from(found.eigenvectorMatrix.to1DArray()),
  };
}
