/** How many times a row is repeated so that its length is a multiple of 4. */
export function repeatsToVectors(length: number): number {
  if (length % 4 === 0) return 1;
  return length % 2 === 0 ? 2 : 4;
}
