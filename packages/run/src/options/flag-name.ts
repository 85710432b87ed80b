import type { OptionSchema } from './parse-options.ts';

/** How a command line names the flag of an option, without dashes: what its schema says, else its key in small letters with hyphens. */
export function flagName(key: string, { flag }: Pick<OptionSchema, 'flag'> = {}): string {
  if (typeof flag === 'string' && flag !== '') return flag;
  return key.replaceAll(/[A-Z0-9]+/g, (match, offset: number) =>
    offset === 0 || /\d/.test(match) ? match : `-${match.toLowerCase()}`,
  );
}
