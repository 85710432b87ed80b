import { encode } from 'fast-png';
import type { FeatureProjection } from './project-features.ts';

const SIDE = 640;
const MARGIN = 24;
type Colour = readonly [number, number, number];
const PAPER: Colour = [250, 250, 250];
const OUTLINE: Colour = [20, 20, 24];
/** Colours that stay apart for most eyes; classes beyond take them again. */
const COLOURS: readonly Colour[] = [
  [31, 119, 180],
  [255, 127, 14],
  [44, 160, 44],
  [214, 39, 40],
  [148, 103, 189],
  [140, 86, 75],
  [227, 119, 194],
  [127, 127, 127],
  [188, 189, 34],
  [23, 190, 207],
];

/** Draws a projection as a PNG: small dots are real images, outlined squares generated ones, a colour for each class. */
export function renderFeaturesImage({ points }: FeatureProjection): Uint8Array {
  const data = new Uint8Array(SIDE * SIDE * 3);
  const paint = (x: number, y: number, colour: Colour): void => {
    if (x >= 0 && y >= 0 && x < SIDE && y < SIDE) data.set(colour, (y * SIDE + x) * 3);
  };
  for (let y = 0; y < SIDE; y++) for (let x = 0; x < SIDE; x++) paint(x, y, PAPER);
  const range = (values: readonly number[]): readonly [low: number, span: number] => {
    const low = values.reduce((least, value) => Math.min(least, value), Infinity);
    const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
    return [low, high - low || 1];
  };
  const [left, width] = range(points.map(({ x }) => x));
  const [bottom, height] = range(points.map(({ y }) => y));
  for (const { x, y, label, isGenerated } of points) {
    const colour = COLOURS[label % COLOURS.length];
    const centreX = Math.round(MARGIN + ((x - left) / width) * (SIDE - 2 * MARGIN));
    const centreY = Math.round(SIDE - MARGIN - ((y - bottom) / height) * (SIDE - 2 * MARGIN));
    const radius = isGenerated ? 5 : 3;
    for (let down = -radius; down <= radius; down++) {
      for (let across = -radius; across <= radius; across++) {
        const isEdge = Math.max(Math.abs(down), Math.abs(across)) === radius;
        if (isGenerated) paint(centreX + across, centreY + down, isEdge ? OUTLINE : colour);
        else if (down * down + across * across <= radius * radius) paint(centreX + across, centreY + down, colour);
      }
    }
  }
  return encode({ width: SIDE, height: SIDE, data, channels: 3, depth: 8 });
}
