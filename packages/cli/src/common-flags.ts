import type { Flag } from './flag.ts';

const group = 'Everywhere:';

/** Flags that each command has, and that may stand before it. */
export const commonFlags: readonly Flag[] = [
  { name: 'json', key: 'json', description: 'Write lines of JSON to stdout, the result last', group },
  { name: 'quiet', short: 'q', key: 'quiet', description: 'Write results and errors only', group },
  { name: 'no-images', key: 'noImages', description: 'Show no pictures on the terminal', group },
  { name: 'verbose', key: 'verbose', description: 'Show where an error came from', group },
  { name: 'help-all', key: 'helpAll', description: 'Show the flags that few need, too', group },
];

/** Their short forms. */
export const shortFlags: readonly string[] = commonFlags.flatMap(({ short }) =>
  short === undefined ? [] : [`-${short}`],
);
