import { extent, quantileSorted } from 'd3-array';
import type { Points } from './decimate.ts';

/** The values that a chart's axis is made for. */
export interface FocusRange {
  readonly low: number;
  readonly high: number;
  /** Whether the start of the line lies outside. */
  readonly isCut: boolean;
}

/** Below, nothing is known about a trend. */
const FEWEST = 6;
/** Share of a line that counts as its start. */
const START = 0.125;
/** A start is cut where it would take more than half of the height. */
const MOST_SPREAD = 2;

/**
 * The range in which a line of a run lies after its start. A loss that falls within a few steps, or an accuracy that rises
 * from chance, would else press all that comes later into a flat line.
 *
 * @param points At least one.
 */
export function focusRange(points: Points): FocusRange {
  const values = points.map(([, y]) => y);
  const [low, high] = extent(values) as [number, number];
  if (values.length < FEWEST) return { low, high, isCut: false };
  const later = values.slice(Math.ceil(values.length * START)).sort((left, right) => left - right);
  // A few outliers of a noisy line do not make its range.
  const [share, count] = [0.01, later.length];
  const isMany = count >= 100;
  const least = isMany ? quantileSorted(later, share)! : later[0];
  const most = isMany ? quantileSorted(later, 1 - share)! : later[count - 1];
  const span = most - least || Math.abs(most) * 0.02;
  if (high - low <= MOST_SPREAD * span) return { low, high, isCut: false };
  const room = span * 0.15;
  return { low: Math.max(low, least - room), high: Math.min(high, most + room), isCut: true };
}
