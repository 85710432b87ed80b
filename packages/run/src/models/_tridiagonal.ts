import { createRandomStream } from '@dafl/core';

/** Called between pieces of work that take milliseconds. */
export type Breathe = () => Promise<void>;

/** Reflections that are applied to so many vectors at once, so that each is read once for all of them. */
const VECTORS_AT_ONCE = 4;
/** Eigenvalues that lie closer, as a share of the largest, do not part their vectors: these are made orthogonal. */
const LEAST_GAP = 1e-7;
/** The first already brings all of the precision mostly. */
const INVERSE_ITERATIONS = 3;

/**
 * A symmetric matrix as three diagonals and the reflections that lead there: all eigenvalues cost little then, and vectors
 * only as many as are wanted.
 *
 * Sources: Householder's reduction and the implicit QL method, Wilkinson and Reinsch, "Handbook for Automatic Computation",
 * volume 2, 1971, II/2 and II/4; vectors by inverse iteration, II/18.
 */
export class Tridiagonal {
  readonly #size: number;
  readonly #diagonal: Float64Array;
  /** Beside the diagonal: of row `i` and the one before; the first is 0. */
  readonly #beside: Float64Array;
  /** Row `i` holds the vector of a reflection in its first `i` numbers. */
  readonly #reflections: Float64Array;
  /** Half of the square of each such vector; 0 where there is no reflection. */
  readonly #halfSquares: Float64Array;

  private constructor(matrix: Float64Array, size: number) {
    this.#size = size;
    this.#reflections = matrix;
    this.#diagonal = new Float64Array(size);
    this.#beside = new Float64Array(size);
    this.#halfSquares = new Float64Array(size);
  }

  /** @param matrix Shape `[size, size]`, of which the lower triangle is read; it is overwritten. */
  static async reduce(matrix: Float64Array, size: number, breathe: Breathe): Promise<Tridiagonal> {
    const result = new Tridiagonal(matrix, size);
    await result.#reduce(breathe);
    return result;
  }

  /**
   * From the last row to the first, each row is reflected onto its last number. What a reflection does to the rows before,
   * `matrix -= v wT + w vT`, is done while the next one reads them.
   */
  async #reduce(breathe: Breathe): Promise<void> {
    const size = this.#size;
    const matrix = this.#reflections;
    let [v, w] = [new Float64Array(size), new Float64Array(size)];
    let [nextV, nextW] = [new Float64Array(size), new Float64Array(size)];
    for (let row = size - 1; row >= 0; row--) {
      await breathe();
      const begin = row * size;
      subtractProducts(matrix, begin, row + 1, v, w, row);
      this.#diagonal[row] = matrix[begin + row];
      if (row === 0) break;
      let square = 0;
      for (let column = 0; column < row; column++) square += matrix[begin + column] ** 2;
      const last = matrix[begin + row - 1];
      const length = last < 0 ? Math.sqrt(square) : -Math.sqrt(square);
      this.#beside[row] = length;
      matrix[begin + row - 1] = last - length;
      const half = square - last * length;
      this.#halfSquares[row] = half;
      nextV.set(matrix.subarray(begin, begin + row));
      reflect(matrix, { size, count: row, v, w, nextV, product: nextW });
      if (half > 0) {
        let along = 0;
        for (let index = 0; index < row; index++) {
          nextW[index] /= half;
          along += nextV[index] * nextW[index];
        }
        along /= 2 * half;
        for (let index = 0; index < row; index++) nextW[index] -= along * nextV[index];
      } else {
        nextV.fill(0);
        nextW.fill(0);
      }
      [v, w, nextV, nextW] = [nextV, nextW, v, w];
    }
  }

  /** All eigenvalues, falling. */
  async eigenvalues(breathe: Breathe): Promise<Float64Array> {
    const size = this.#size;
    const values = this.#diagonal.slice();
    // Of row `i` and the one after.
    const beside = new Float64Array(size);
    beside.set(this.#beside.subarray(1));
    for (let first = 0; first < size; first++) {
      await breathe();
      for (;;) {
        let last = first;
        while (last < size - 1) {
          const sum = Math.abs(values[last]) + Math.abs(values[last + 1]);
          if (sum + Math.abs(beside[last]) === sum) break;
          last++;
        }
        if (last === first) break;
        rotateOnce(values, beside, first, last);
      }
    }
    return values.sort().reverse();
  }

  /**
   * Unit eigenvectors.
   *
   * @param values Eigenvalues, falling, without gaps in between: the first `count` of `eigenvalues()`.
   * @returns Shape `[values.length, size]`, row by row.
   */
  async eigenvectors(values: Float64Array, breathe: Breathe): Promise<Float64Array> {
    const size = this.#size;
    const vectors = new Float64Array(values.length * size);
    const norm = largestSum(this.#diagonal, this.#beside);
    const random = createRandomStream(0, 'inverse iteration');
    const solver = new ShiftedSolver(this.#diagonal, this.#beside, norm * Number.EPSILON || 1);
    let firstAlike = 0;
    for (let index = 0; index < values.length; index++) {
      await breathe();
      if (index > 0 && values[index - 1] - values[index] > LEAST_GAP * norm) firstAlike = index;
      const vector = vectors.subarray(index * size, (index + 1) * size);
      vector.set(random.normal(size));
      solver.shiftBy(values[index]);
      for (let iteration = 0; iteration <= INVERSE_ITERATIONS; iteration++) {
        if (iteration > 0) solver.solve(vector);
        normalize(vector);
        for (let pass = 0; pass < 2; pass++) {
          for (let other = firstAlike; other < index; other++)
            subtractAlong(vector, vectors.subarray(other * size, (other + 1) * size));
        }
        normalize(vector);
      }
    }
    await this.#reflectBack(vectors, values.length, breathe);
    return vectors;
  }

  async #reflectBack(vectors: Float64Array, count: number, breathe: Breathe): Promise<void> {
    const size = this.#size;
    for (let begin = 0; begin < count; begin += VECTORS_AT_ONCE) {
      await breathe();
      const at = begin * size;
      const isWhole = begin + VECTORS_AT_ONCE <= count;
      for (let row = 1; row < size; row++) {
        const half = this.#halfSquares[row];
        if (half === 0) continue;
        if (isWhole) reflectFour(vectors, at, size, this.#reflections, row, half);
        else {
          for (let vector = begin; vector < count; vector++)
            reflectOne(vectors, vector * size, this.#reflections, row * size, row, half);
        }
      }
    }
  }
}

/** Takes `v wT + w vT` off one row. */
function subtractProducts(
  matrix: Float64Array,
  begin: number,
  count: number,
  v: Float64Array,
  w: Float64Array,
  row: number,
): void {
  const atV = v[row];
  const atW = w[row];
  for (let column = 0; column < count; column++) matrix[begin + column] -= atV * w[column] + atW * v[column];
}

/** Two vectors whose products are taken off a matrix, the next reflection, and what it gives. */
interface Reflection {
  readonly size: number;
  /** Rows that are reflected. */
  readonly count: number;
  readonly v: Float64Array;
  readonly w: Float64Array;
  readonly nextV: Float64Array;
  readonly product: Float64Array;
}

/**
 * Takes `v wT + w vT` off the first rows, and multiplies what comes out by the next `v`. Two rows at once, so that what they
 * share is read once. Arrays made in these loops would be garbage.
 */
function reflect(matrix: Float64Array, { size, count, v, w, nextV, product }: Reflection): void {
  const isOdd = count % 2 === 1;
  if (isOdd) {
    matrix[0] -= 2 * v[0] * w[0];
    product[0] = matrix[0] * nextV[0];
  }
  for (let row = isOdd ? 1 : 0; row < count; row += 2) {
    const begin = row * size;
    const begin1 = begin + size;
    const atV = v[row];
    const atV1 = v[row + 1];
    const atW = w[row];
    const atW1 = w[row + 1];
    const at = nextV[row];
    const at1 = nextV[row + 1];
    let sum = 0;
    let sum1 = 0;
    for (let column = 0; column < row; column++) {
      const byV = v[column];
      const byW = w[column];
      const by = nextV[column];
      const value = matrix[begin + column] - atV * byW - atW * byV;
      const value1 = matrix[begin1 + column] - atV1 * byW - atW1 * byV;
      matrix[begin + column] = value;
      matrix[begin1 + column] = value1;
      sum += value * by;
      sum1 += value1 * by;
      product[column] += value * at + value1 * at1;
    }
    const diagonal = matrix[begin + row] - 2 * atV * atW;
    const beside = matrix[begin1 + row] - atV1 * atW - atW1 * atV;
    const diagonal1 = matrix[begin1 + row + 1] - 2 * atV1 * atW1;
    matrix[begin + row] = diagonal;
    matrix[begin1 + row] = beside;
    matrix[begin1 + row + 1] = diagonal1;
    product[row] = sum + diagonal * at + beside * at1;
    product[row + 1] = sum1 + beside * at + diagonal1 * at1;
  }
}

/** One step of the implicit QL method on rows `first` to `last`. */
function rotateOnce(values: Float64Array, beside: Float64Array, first: number, last: number): void {
  let shift = (values[first + 1] - values[first]) / (2 * beside[first]);
  let length = Math.sqrt(shift * shift + 1);
  shift = values[last] - values[first] + beside[first] / (shift + (shift < 0 ? -length : length));
  let sine = 1;
  let cosine = 1;
  let offset = 0;
  for (let row = last - 1; row >= first; row--) {
    const sideways = sine * beside[row];
    const along = cosine * beside[row];
    length = Math.sqrt(sideways * sideways + shift * shift);
    beside[row + 1] = length;
    if (length === 0) {
      values[row + 1] -= offset;
      beside[last] = 0;
      return;
    }
    sine = sideways / length;
    cosine = shift / length;
    shift = values[row + 1] - offset;
    const turned = (values[row] - shift) * sine + 2 * cosine * along;
    offset = sine * turned;
    values[row + 1] = shift + offset;
    shift = cosine * turned - along;
  }
  values[first] -= offset;
  beside[first] = shift;
  beside[last] = 0;
}

/** Solves `(matrix - shift) x = y` for three diagonals, by elimination with exchanges of rows. */
class ShiftedSolver {
  readonly #diagonal: Float64Array;
  readonly #beside: Float64Array;
  /** Stands for a pivot of 0. */
  readonly #leastPivot: number;
  readonly #pivots: Float64Array;
  readonly #second: Float64Array;
  readonly #third: Float64Array;
  readonly #factors: Float64Array;
  readonly #isExchanged: Uint8Array;

  constructor(diagonal: Float64Array, beside: Float64Array, leastPivot: number) {
    const size = diagonal.length;
    this.#diagonal = diagonal;
    this.#beside = beside;
    this.#leastPivot = leastPivot;
    this.#pivots = new Float64Array(size);
    this.#second = new Float64Array(size);
    this.#third = new Float64Array(size);
    this.#factors = new Float64Array(size);
    this.#isExchanged = new Uint8Array(size);
  }

  shiftBy(shift: number): void {
    const size = this.#diagonal.length;
    let pivot = this.#diagonal[0] - shift;
    let second = size > 1 ? this.#beside[1] : 0;
    for (let row = 0; row < size - 1; row++) {
      const below = this.#beside[row + 1];
      const next = this.#diagonal[row + 1] - shift;
      const afterNext = row + 2 < size ? this.#beside[row + 2] : 0;
      const isExchanged = Math.abs(below) > Math.abs(pivot);
      this.#isExchanged[row] = isExchanged ? 1 : 0;
      if (isExchanged) {
        const factor = pivot / below;
        this.#pivots[row] = below;
        this.#second[row] = next;
        this.#third[row] = afterNext;
        this.#factors[row] = factor;
        pivot = second - factor * next;
        second = -factor * afterNext;
      } else {
        this.#pivots[row] = this.#awayFromZero(pivot);
        this.#second[row] = second;
        this.#third[row] = 0;
        const factor = below / this.#pivots[row];
        this.#factors[row] = factor;
        pivot = next - factor * second;
        second = afterNext;
      }
    }
    this.#pivots[size - 1] = this.#awayFromZero(pivot);
  }

  #awayFromZero(pivot: number): number {
    return Math.abs(pivot) < this.#leastPivot ? this.#leastPivot : pivot;
  }

  /** @param vector `y`, overwritten with `x`. */
  solve(vector: Float64Array): void {
    const size = vector.length;
    for (let row = 0; row < size - 1; row++) {
      if (this.#isExchanged[row] === 1) {
        const above = vector[row];
        vector[row] = vector[row + 1];
        vector[row + 1] = above;
      }
      vector[row + 1] -= this.#factors[row] * vector[row];
    }
    let next = 0;
    let afterNext = 0;
    for (let row = size - 1; row >= 0; row--) {
      const value = (vector[row] - this.#second[row] * next - this.#third[row] * afterNext) / this.#pivots[row];
      vector[row] = value;
      afterNext = next;
      next = value;
    }
  }
}

/** No eigenvalue is larger. */
function largestSum(diagonal: Float64Array, beside: Float64Array): number {
  return diagonal.reduce(
    (most, value, row) => Math.max(most, Math.abs(value) + Math.abs(beside[row]) + Math.abs(beside[row + 1] ?? 0)),
    0,
  );
}

function normalize(vector: Float64Array): void {
  const largest = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  let square = 0;
  for (let index = 0; index < vector.length; index++) square += (vector[index] / largest) ** 2;
  const length = Math.sqrt(square) * largest;
  for (let index = 0; index < vector.length; index++) vector[index] /= length;
}

function subtractAlong(vector: Float64Array, unit: Float64Array): void {
  let along = 0;
  for (let index = 0; index < vector.length; index++) along += vector[index] * unit[index];
  for (let index = 0; index < vector.length; index++) vector[index] -= along * unit[index];
}

function reflectOne(
  vectors: Float64Array,
  at: number,
  reflections: Float64Array,
  begin: number,
  count: number,
  half: number,
): void {
  let along = 0;
  for (let index = 0; index < count; index++) along += vectors[at + index] * reflections[begin + index];
  along /= half;
  for (let index = 0; index < count; index++) vectors[at + index] -= along * reflections[begin + index];
}

function reflectFour(
  vectors: Float64Array,
  at: number,
  size: number,
  reflections: Float64Array,
  row: number,
  half: number,
): void {
  const begin = row * size;
  const at1 = at + size;
  const at2 = at + 2 * size;
  const at3 = at + 3 * size;
  let along = 0;
  let along1 = 0;
  let along2 = 0;
  let along3 = 0;
  for (let index = 0; index < row; index++) {
    const value = reflections[begin + index];
    along += vectors[at + index] * value;
    along1 += vectors[at1 + index] * value;
    along2 += vectors[at2 + index] * value;
    along3 += vectors[at3 + index] * value;
  }
  along /= half;
  along1 /= half;
  along2 /= half;
  along3 /= half;
  for (let index = 0; index < row; index++) {
    const value = reflections[begin + index];
    vectors[at + index] -= along * value;
    vectors[at1 + index] -= along1 * value;
    vectors[at2 + index] -= along2 * value;
    vectors[at3 + index] -= along3 * value;
  }
}
