import { type Canvas, softEdge } from '../canvas.ts';
import { paintGround } from '../ground.ts';
import type { PictureRandom } from '../picture-random.ts';
import { randomColour } from '../random-colour.ts';

const MOST_STROKES = 3;
/** Straight pieces of a curve. */
const PIECES = 14;

/** One to three thick cubic Bézier curves or straight lines: writing, outlines, wires. */
export function strokes(canvas: Canvas, random: PictureRandom): void {
  const { channels, pixelsPerUnit, values } = canvas;
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
    const reach = thickness + softness / pixelsPerUnit;
    const nearest = squaredDistances(canvas, path, reach);
    for (let pixel = 0; pixel < nearest.length; pixel++) {
      if (nearest[pixel] === Infinity) continue;
      const share = softEdge(((thickness - Math.sqrt(nearest[pixel])) * pixelsPerUnit) / softness);
      for (let channel = 0, at = pixel * channels; channel < channels; channel++, at++)
        values[at] += share * (colour[channel] - values[at]);
    }
  }
}

function bezier([a, b, c, d]: readonly (readonly number[])[], t: number): number[] {
  const s = 1 - t;
  return [0, 1].map((axis) => s ** 3 * a[axis] + 3 * s * s * t * b[axis] + 3 * s * t * t * c[axis] + t ** 3 * d[axis]);
}

/** Of each pixel's centre from a path, shape `[height, width]`; infinite for most that are farther than `reach`. */
function squaredDistances(canvas: Canvas, path: readonly (readonly number[])[], reach: number): Float64Array {
  const { height, width } = canvas;
  const least = new Float64Array(height * width).fill(Infinity);
  for (let index = 1; index < path.length; index++) {
    const [fromX, fromY] = path[index - 1];
    const [toX, toY] = path[index];
    const alongX = toX - fromX;
    const alongY = toY - fromY;
    const length = alongX * alongX + alongY * alongY || 1;
    const { left, right, top, bottom } = canvas.pixelsOf({
      left: Math.min(fromX, toX) - reach,
      right: Math.max(fromX, toX) + reach,
      top: Math.min(fromY, toY) - reach,
      bottom: Math.max(fromY, toY) + reach,
    });
    for (let row = top; row < bottom; row++) {
      const y = canvas.y(row) - fromY;
      for (let column = left; column < right; column++) {
        const x = canvas.x(column) - fromX;
        const share = Math.min(1, Math.max(0, (x * alongX + y * alongY) / length));
        const offX = x - share * alongX;
        const offY = y - share * alongY;
        const distance = offX * offX + offY * offY;
        if (distance < least[row * width + column]) least[row * width + column] = distance;
      }
    }
  }
  return least;
}
