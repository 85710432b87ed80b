import type { RandomStream } from '@dafl/core';

/**
 * Rows of random directions, each of length 1 and at right angles to the others (Gram and Schmidt).
 *
 * @param rows 1..`columns`.
 * @returns Shape `[rows, columns]`.
 */
export function orthonormalRows(random: RandomStream, rows: number, columns: number): Float32Array {
  const output = new Float64Array(random.normal(rows * columns));
  for (let row = 0; row < rows; row++) {
    const own = output.subarray(row * columns, (row + 1) * columns);
    // Twice: once leaves a rest where many rows are near each other.
    for (let round = 0; round < 2; round++) {
      for (let before = 0; before < row; before++) {
        const other = output.subarray(before * columns, (before + 1) * columns);
        const share = own.reduce((sum, value, column) => sum + value * other[column], 0);
        for (let column = 0; column < columns; column++) own[column] -= share * other[column];
      }
    }
    const length = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0));
    for (let column = 0; column < columns; column++) own[column] /= length;
  }
  return Float32Array.from(output);
}
