import type { Canvas } from '../canvas.ts';
import { paintGround } from '../ground.ts';
import { paintPath } from '../paint-path.ts';
import type { PictureRandom } from '../picture-random.ts';
import { randomColour } from '../random-colour.ts';

const MOST_STROKES = 3;
/** Straight pieces of a curve. */
const PIECES = 14;

/** One to three thick cubic Bézier curves or straight lines: writing, outlines, wires. */
export function strokes(canvas: Canvas, random: PictureRandom): void {
  const { channels } = canvas;
  const isDark = random.chance(0.7);
  paintGround(canvas, random, isDark ? 1 : 0);
  const colour = randomColour(random, channels, isDark ? random.between(0.6, 1) : random.next());
  const thickness = random.between(0.04, 0.17);
  const softness = random.chance(0.6) ? 1 : random.between(1, 3);
  const count = 1 + random.integer(MOST_STROKES);
  for (let stroke = 0; stroke < count; stroke++) {
    const isStraight = random.chance(0.2);
    const points = Array.from({ length: isStraight ? 2 : 4 }, () => [
      random.between(-0.78, 0.78),
      random.between(-0.78, 0.78),
    ]);
    const path = isStraight ? points : Array.from({ length: PIECES + 1 }, (_, index) => bezier(points, index / PIECES));
    paintPath(canvas, path, { thickness, softness, colour });
  }
}

function bezier([a, b, c, d]: readonly (readonly number[])[], t: number): number[] {
  const s = 1 - t;
  return [0, 1].map((axis) => s ** 3 * a[axis] + 3 * s * s * t * b[axis] + 3 * s * t * t * c[axis] + t ** 3 * d[axis]);
}
