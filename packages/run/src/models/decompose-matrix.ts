import { type Breathe, Tridiagonal } from './_tridiagonal.ts';

/** A matrix of numbers, row by row. */
export interface DenseMatrix {
  readonly rows: number;
  readonly columns: number;
  /** Shape `[rows, columns]`. */
  readonly data: ArrayLike<number>;
}

/** The singular values of a matrix, and as many of its vectors as are wanted. */
export interface SingularDecomposition {
  /** Squares of the singular values, falling. Below 1e-15 of the first they are rounding. */
  readonly squares: Float64Array;
  /** The first pairs: their products, summed up, are the nearest matrix of that rank. */
  pairs(count: number): Promise<SingularPairs>;
}

/** Vectors row by row: singular value `i` times the outer product of the rows `i` is one part of the matrix. */
export interface SingularPairs {
  readonly values: Float64Array;
  /** Shape `[count, rows]`. */
  readonly left: Float64Array;
  /** Shape `[count, columns]`. */
  readonly right: Float64Array;
}

/**
 * Decomposes a matrix by the eigenvalues of its products with itself, along its smaller side. Half of the digits of small
 * singular values are lost that way: those are no part of what is kept. The same on every machine.
 *
 * @param breathe Called between pieces of work that take milliseconds.
 */
export async function decomposeMatrix(matrix: DenseMatrix, breathe: Breathe): Promise<SingularDecomposition> {
  const isTall = matrix.rows > matrix.columns;
  const size = Math.min(matrix.rows, matrix.columns);
  const length = Math.max(matrix.rows, matrix.columns);
  const read = (isTransposed: boolean): Float64Array =>
    isTransposed ? transpose(matrix) : Float64Array.from(matrix.data);
  const flat = read(isTall);
  const products = await multiplyRows(
    { left: flat, right: flat, rows: size, otherRows: size, length, isSymmetric: true },
    breathe,
  );
  const tridiagonal = await Tridiagonal.reduce(products, size, breathe);
  const squares = (await tridiagonal.eigenvalues(breathe)).map((square) => Math.max(0, square));
  return {
    squares,
    async pairs(count) {
      const short = await tridiagonal.eigenvectors(squares.slice(0, count), breathe);
      const long = await multiplyRows(
        { left: short, right: read(!isTall), rows: count, otherRows: length, length: size, isSymmetric: false },
        breathe,
      );
      const values = Float64Array.from({ length: count }, (_, pair) => scaleToOne(long, pair * length, length));
      return isTall ? { values, left: long, right: short } : { values, left: short, right: long };
    },
  };
}

function transpose({ rows, columns, data }: DenseMatrix): Float64Array {
  const output = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) output[column * rows + row] = data[row * columns + column];
  }
  return output;
}

/** Divides a vector by its length, which it gives; one of zeros stays as it is. */
function scaleToOne(values: Float64Array, begin: number, count: number): number {
  let square = 0;
  for (let index = begin; index < begin + count; index++) square += values[index] ** 2;
  const length = Math.sqrt(square);
  if (length > 0) {
    for (let index = begin; index < begin + count; index++) values[index] /= length;
  }
  return length;
}

/** What is multiplied: rows of the same length. */
interface Factors {
  readonly left: Float64Array;
  readonly right: Float64Array;
  readonly rows: number;
  readonly otherRows: number;
  readonly length: number;
}

/** Products of each row with each other row. @param isSymmetric What lies above the diagonal is not wanted. */
async function multiplyRows(
  factors: Factors & { readonly isSymmetric: boolean },
  breathe: Breathe,
): Promise<Float64Array> {
  const { rows, otherRows, isSymmetric } = factors;
  const output = new Float64Array(rows * otherRows);
  for (let row = 0; row < rows; row += 2) {
    await breathe();
    multiplyTwoRows(factors, { row, most: isSymmetric ? Math.min(row + 2, otherRows) : otherRows, output });
  }
  return output;
}

/** Two rows with four others at once, so that each number is read for several products. Arrays made in these loops would be garbage. */
function multiplyTwoRows(
  { left, right, rows, otherRows, length }: Factors,
  { row, most, output }: { readonly row: number; readonly most: number; readonly output: Float64Array },
): void {
  // What lies beyond the end is the last once more.
  const row1 = Math.min(row + 1, rows - 1);
  const begin = row * length;
  const begin1 = row1 * length;
  const last = otherRows - 1;
  for (let other = 0; other < most; other += 4) {
    const other1 = Math.min(other + 1, last);
    const other2 = Math.min(other + 2, last);
    const other3 = Math.min(other + 3, last);
    const at = other * length;
    const at1 = other1 * length;
    const at2 = other2 * length;
    const at3 = other3 * length;
    let sum = 0;
    let sum1 = 0;
    let sum2 = 0;
    let sum3 = 0;
    let below = 0;
    let below1 = 0;
    let below2 = 0;
    let below3 = 0;
    for (let index = 0; index < length; index++) {
      const value = left[begin + index];
      const value1 = left[begin1 + index];
      const by = right[at + index];
      const by1 = right[at1 + index];
      const by2 = right[at2 + index];
      const by3 = right[at3 + index];
      sum += value * by;
      sum1 += value * by1;
      sum2 += value * by2;
      sum3 += value * by3;
      below += value1 * by;
      below1 += value1 * by1;
      below2 += value1 * by2;
      below3 += value1 * by3;
    }
    const line = row * otherRows;
    const line1 = row1 * otherRows;
    output[line + other] = sum;
    output[line + other1] = sum1;
    output[line + other2] = sum2;
    output[line + other3] = sum3;
    output[line1 + other] = below;
    output[line1 + other1] = below1;
    output[line1 + other2] = below2;
    output[line1 + other3] = below3;
  }
}
