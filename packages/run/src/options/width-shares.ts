/** Shares of the teacher's widths that a student may be asked for by a name. */
export const widthShares: ReadonlyMap<string, number> = new Map([
  ['half', 0.5],
  ['quarter', 0.25],
]);
