const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * Milliseconds of a duration such as `90s`, `1.5m` or `250ms`.
 *
 * @returns The text itself if it is none, for the option's own check to name.
 */
export function parseDuration(text: string): number | string {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text.trim());
  return match === null ? text : Number(match[1]) * MILLISECONDS[match[2]];
}
