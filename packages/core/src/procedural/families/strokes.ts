import { type Canvas, softEdge } from '../canvas.ts';
import { paintGround } from '../ground.ts';
import type { PictureRandom } from '../picture-random.ts';
import { randomColour } from '../random-colour.ts';

const MOST_STROKES = 3;
/** Straight pieces of a curve. */
const PIECES = 14;

/** One to three thick cubic Bézier curves or straight lines: writing, outlines, wires. */
export function strokes(canvas: Canvas, random: PictureRandom): void {
  const { channels, pixelsPerUnit } = canvas;
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
    const xs = path.map(([x]) => x);
    const ys = path.map(([, y]) => y);
    const reach = thickness + softness / pixelsPerUnit;
    canvas.paint((x, y) => softEdge(((thickness - distanceTo(path, x, y)) * pixelsPerUnit) / softness), colour, {
      left: Math.min(...xs) - reach,
      right: Math.max(...xs) + reach,
      top: Math.min(...ys) - reach,
      bottom: Math.max(...ys) + reach,
    });
  }
}

function bezier([a, b, c, d]: readonly (readonly number[])[], t: number): number[] {
  const s = 1 - t;
  return [0, 1].map((axis) => s ** 3 * a[axis] + 3 * s * s * t * b[axis] + 3 * s * t * t * c[axis] + t ** 3 * d[axis]);
}

function distanceTo(path: readonly (readonly number[])[], x: number, y: number): number {
  let least = Infinity;
  for (let index = 1; index < path.length; index++) {
    const [fromX, fromY] = path[index - 1];
    const alongX = path[index][0] - fromX;
    const alongY = path[index][1] - fromY;
    const length = alongX * alongX + alongY * alongY;
    const share = Math.min(1, Math.max(0, ((x - fromX) * alongX + (y - fromY) * alongY) / (length || 1)));
    const offX = x - fromX - share * alongX;
    const offY = y - fromY - share * alongY;
    least = Math.min(least, offX * offX + offY * offY);
  }
  return Math.sqrt(least);
}
