/** `low-rank`, or `low-rank-0.4`. What follows must look like a number, so that files of other names stay files. */
const LOW_RANK = /^low-rank(?:-([\d.]+))?$/;
const DEFAULT_SHARE = 0.5;

/**
 * The share of the teacher's multiply-accumulates that a student's name asks for.
 *
 * @returns Undefined if the name asks for no student of low rank; NaN if its share is none in (0, 1).
 */
export function lowRankShare(student: string | number): number | undefined {
  const match = LOW_RANK.exec(String(student));
  if (match === null) return undefined;
  if (match[1] === undefined) return DEFAULT_SHARE;
  const share = Number(match[1]);
  return share > 0 && share < 1 ? share : Number.NaN;
}
