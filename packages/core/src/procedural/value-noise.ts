import type { Canvas } from './canvas.ts';
import type { PictureRandom } from './picture-random.ts';

/**
 * A field of normal values on a grid of `cells` x `cells`, interpolated to the canvas's pixels.
 *
 * @returns Shape `[height, width]`; with `cells` as fine as the pixels: white noise.
 */
export function valueNoise(random: PictureRandom, { height, width }: Canvas, cells: number): Float32Array {
  const rows = Math.min(cells, height);
  const columns = Math.min(cells, width);
  const grid = Float32Array.from({ length: rows * columns }, () => random.normal());
  if (rows === height && columns === width) return grid;
  const field = new Float32Array(height * width);
  for (let row = 0; row < height; row++) {
    const y = Math.max(0, Math.min(rows - 1, ((row + 0.5) * rows) / height - 0.5));
    const top = Math.floor(y);
    const bottom = Math.min(rows - 1, top + 1);
    for (let column = 0; column < width; column++) {
      const x = Math.max(0, Math.min(columns - 1, ((column + 0.5) * columns) / width - 0.5));
      const left = Math.floor(x);
      const right = Math.min(columns - 1, left + 1);
      const above =
        grid[top * columns + left] + (x - left) * (grid[top * columns + right] - grid[top * columns + left]);
      const below =
        grid[bottom * columns + left] + (x - left) * (grid[bottom * columns + right] - grid[bottom * columns + left]);
      field[row * width + column] = above + (y - top) * (below - above);
    }
  }
  return field;
}
