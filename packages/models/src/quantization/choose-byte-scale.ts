import type { ValueStatistics } from './measure-values.ts';
import type { ByteScale } from './quantized-model.ts';

/** Shares of the range that are tried, the whole first. */
const SHARES = Array.from({ length: 21 }, (_, index) => 1 - index / 40);

/**
 * The scale with the least mean square error: large values that are rare may be cut off. On training images no other choice
 * is better for all networks that were tried (`npm run bench:int8`).
 */
export function chooseByteScale({ minimum, maximum, histogram }: ValueStatistics): ByteScale {
  if (!(maximum > minimum)) return { scale: 1, zeroPoint: 0 };
  const width = (maximum - minimum) / histogram.length;
  const total = histogram.reduce((sum, count) => sum + count, 0);
  /** What is cut off beyond a bound: how many values, and their square error. */
  const cutOff = (bound: number): { bound: number; count: number; error: number } => {
    const cut = { bound, count: 0, error: 0 };
    for (let bin = 0; bin < histogram.length; bin++) {
      const value = minimum + (bin + 0.5) * width;
      if (bound < 0 ? value >= bound : value <= bound) continue;
      cut.count += histogram[bin];
      cut.error += histogram[bin] * (value - bound) ** 2;
    }
    return cut;
  };
  const nothing = { bound: 0, count: 0, error: 0 };
  const lows = minimum === 0 ? [nothing] : SHARES.map((share) => cutOff(share * minimum));
  const highs = maximum === 0 ? [nothing] : SHARES.map((share) => cutOff(share * maximum));
  let least = Infinity;
  let range: readonly [number, number] = [minimum, maximum];
  for (const low of lows) {
    for (const high of highs) {
      const rounded = total - low.count - high.count;
      const error = low.error + high.error + (rounded * ((high.bound - low.bound) / 255) ** 2) / 12;
      if (error >= least) continue;
      least = error;
      range = [low.bound, high.bound];
    }
  }
  const [low, high] = range;
  // Files hold it as float32.
  const scale = Math.fround((high - low) / 255);
  return { scale, zeroPoint: Math.min(255, Math.max(0, Math.round(-low / scale))) };
}
