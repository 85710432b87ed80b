/** Sums of the products of two kernels, for each filter. */
export function dotColumns(one: Float64Array, other: Float64Array, columns: number): Float64Array {
  const sums = new Float64Array(columns);
  for (let index = 0; index < one.length; index++) sums[index % columns] += one[index] * other[index];
  return sums;
}
