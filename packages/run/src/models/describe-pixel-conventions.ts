import type { Model } from '@dafl/core';
import { rankPixelConventions } from './rank-pixel-conventions.ts';

/** Misfits that differ by less than this factor tell little. */
const CLEAR = 1.5;
/** Beyond it a misfit is no guess at what was meant. */
const MOST_SHOWN = 10;

/**
 * What a network itself says of how it takes pixels, where its file does not: a sentence.
 *
 * @param model Whose preprocessing is not known; 0..1 is assumed.
 */
export async function describePixelConventions(model: Model): Promise<string> {
  const ranked = await rankPixelConventions(model);
  if (ranked === undefined) return 'Nothing in it tells which: it has no batch norm that remembers its pictures';
  const list = ranked.map(
    ({ name, flags, misfit }) => `${name} ${misfit < MOST_SHOWN ? misfit.toFixed(2) : `over ${MOST_SHOWN}`} (${flags})`,
  );
  const [best, second] = ranked;
  const verdict =
    best.flags === '--range 0..1'
      ? 'which is what is assumed'
      : second.misfit < CLEAR * best.misfit
        ? `but not clearly; ${second.name} would do nearly as well`
        : 'so that what is assumed is likely wrong';
  return `Its first batch norm fits ${best.name} best, ${verdict}. Misfits, 0 for none: ${list.join(', ')}`;
}
