/** How many axes have more than one position. */
export function wideAxes(shape: readonly number[]): number {
  return shape.filter((size) => size > 1).length;
}
