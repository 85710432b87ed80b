/** Methods that a run can follow, in the order of the help. */
export const methodNames = [
  'procedural',
  'pool',
  'dafl',
  'nayer',
  'deep-inversion',
  'dfq',
  'dfad',
  'zskt',
  'noise',
  'alternative-data',
  'original-data',
  'metadata',
] as const;

/** One of them. */
export type MethodName = (typeof methodNames)[number];
