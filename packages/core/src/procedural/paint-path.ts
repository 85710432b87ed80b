import { type Canvas, type Colour, softEdge } from './canvas.ts';

/** How a path is drawn. */
export interface Pen {
  /** Half of the line's width, in units of the canvas. */
  readonly thickness: number;
  /** Pixels over which the line's edge fades. */
  readonly softness: number;
  readonly colour: Colour;
}

/** Draws the straight pieces between points as one line: round at its ends, and no stronger where it crosses itself. */
export function paintPath(
  canvas: Canvas,
  path: readonly (readonly number[])[],
  { thickness, softness, colour }: Pen,
): void {
  const { channels, pixelsPerUnit, values } = canvas;
  const reach = thickness + softness / pixelsPerUnit;
  const nearest = squaredDistances(canvas, path, reach);
  for (let pixel = 0; pixel < nearest.length; pixel++) {
    if (nearest[pixel] === Infinity) continue;
    const share = softEdge(((thickness - Math.sqrt(nearest[pixel])) * pixelsPerUnit) / softness);
    for (let channel = 0, at = pixel * channels; channel < channels; channel++, at++)
      values[at] += share * (colour[channel] - values[at]);
  }
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
