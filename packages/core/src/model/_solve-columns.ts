import { dotColumns } from './_dot-columns.ts';

/** Systems of linear equations with one symmetric matrix, a system for each column of a kernel. */
export interface ColumnSystems {
  /** The matrix and what stands on its diagonal besides, times a kernel. */
  readonly multiply: (kernel: Float64Array) => Promise<Float64Array>;
  /** About what stands on the diagonal, for each value of a kernel: what the systems are preconditioned by. */
  readonly diagonal: Float64Array;
  readonly right: Float64Array;
  readonly columns: number;
  readonly iterations: number;
  /** Where what is left to gain, in the measure of the diagonal and over all columns, is no more, nothing is solved. */
  readonly leastGain: number;
}

/**
 * Conjugate gradients for each column by itself, preconditioned by the diagonal.
 *
 * @returns What the systems come to after so many iterations from zero on; undefined where there is nothing to gain.
 */
export async function solveColumns(systems: ColumnSystems): Promise<Float64Array | undefined> {
  const { multiply, diagonal, right, columns, iterations, leastGain } = systems;
  const precondition = (values: Float64Array): Float64Array => values.map((value, index) => value / diagonal[index]);
  const rest = right.slice();
  const solution = new Float64Array(right.length);
  let direction = precondition(rest);
  let sizes = dotColumns(rest, direction, columns);
  if (!(sizes.reduce((sum, value) => sum + value, 0) > leastGain)) return undefined;
  for (let iteration = 0; iteration < iterations; iteration++) {
    const product = await multiply(direction);
    const curvatures = dotColumns(direction, product, columns);
    const steps = sizes.map((size, column) => (curvatures[column] > 0 ? size / curvatures[column] : 0));
    for (let index = 0; index < solution.length; index++) {
      solution[index] += steps[index % columns] * direction[index];
      rest[index] -= steps[index % columns] * product[index];
    }
    const next = precondition(rest);
    const nextSizes = dotColumns(rest, next, columns);
    const shares = nextSizes.map((size, column) => (sizes[column] > 0 ? size / sizes[column] : 0));
    direction = next.map((value, index) => value + shares[index % columns] * direction[index]);
    sizes = nextSizes;
  }
  return solution;
}
