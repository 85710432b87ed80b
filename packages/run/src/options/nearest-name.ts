/** Letters to insert, delete, change, or swap with the next, to make one name of the other. */
function editDistance(left: string, right: string): number {
  let before: readonly number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const change = previous[column - 1] + (left[row - 1] === right[column - 1] ? 0 : 1);
      const isSwap = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      const swap = isSwap && row > 1 && column > 1 ? before[column - 2] + 1 : Infinity;
      current.push(Math.min(change, swap, previous[column] + 1, current[column - 1] + 1));
    }
    before = previous;
    previous = current;
  }
  return previous[right.length];
}

/**
 * The known name that a mistyped one probably means.
 *
 * @returns Undefined where none is near: more than a third of the letters would have to change, and none begins so.
 * @example
 * ```ts
 * nearestName('batchsize', ['steps', 'batchSize']); // 'batchSize'
 * ```
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const lower = name.toLowerCase();
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(lower, candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  if (best === undefined) return undefined;
  if (best.distance <= Math.max(1, Math.floor(best.candidate.length / 3))) return best.candidate;
  return lower.length < 3
    ? undefined
    : ranked.find(({ candidate }) => candidate.toLowerCase().startsWith(lower))?.candidate;
}
