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
  const grid = new Float32Array(rows * columns);
  for (let cell = 0; cell < grid.length; cell++) grid[cell] = random.normal();
  if (rows === height && columns === width) return grid;
  const field = new Float32Array(height * width);
  const lefts = new Int32Array(width);
  const rights = new Int32Array(width);
  const shares = new Float64Array(width);
  for (let column = 0; column < width; column++) {
    const x = Math.max(0, Math.min(columns - 1, ((column + 0.5) * columns) / width - 0.5));
    lefts[column] = Math.floor(x);
    rights[column] = Math.min(columns - 1, lefts[column] + 1);
    shares[column] = x - lefts[column];
  }
  for (let row = 0; row < height; row++) {
    const y = Math.max(0, Math.min(rows - 1, ((row + 0.5) * rows) / height - 0.5));
    const top = Math.floor(y) * columns;
    const bottom = Math.min(rows - 1, Math.floor(y) + 1) * columns;
    const share = y - Math.floor(y);
    for (let column = 0; column < width; column++) {
      const left = lefts[column];
      const right = rights[column];
      const above = grid[top + left] + shares[column] * (grid[top + right] - grid[top + left]);
      const below = grid[bottom + left] + shares[column] * (grid[bottom + right] - grid[bottom + left]);
      field[row * width + column] = above + share * (below - above);
    }
  }
  return field;
}
