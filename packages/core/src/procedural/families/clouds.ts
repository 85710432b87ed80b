import type { Canvas } from '../canvas.ts';
import type { PictureRandom } from '../picture-random.ts';
import { randomColour } from '../random-colour.ts';
import { valueNoise } from '../value-noise.ts';

/** Fractal noise between two or three colours: smooth grounds, textures and everything between. */
export function clouds(canvas: Canvas, random: PictureRandom): void {
  const { channels, values, height, width } = canvas;
  const roughness = random.between(0.35, 0.95);
  const first = 2 ** random.integer(3);
  const field = new Float32Array(height * width);
  let amplitude = 1;
  let total = 0;
  for (let cells = first; cells <= Math.max(height, width); cells *= 2) {
    const octave = valueNoise(random, canvas, cells);
    for (let index = 0; index < field.length; index++) field[index] += amplitude * octave[index];
    total += amplitude;
    amplitude *= roughness;
  }
  const sharpness = random.between(0.8, 3) / total;
  const [low, high, middle] = Array.from({ length: 3 }, () => randomColour(random, channels));
  const hasMiddle = random.chance(0.4);
  for (let index = 0; index < field.length; index++) {
    const share = Math.min(1, Math.max(0, 0.5 + sharpness * field[index]));
    for (let channel = 0; channel < channels; channel++) {
      const plain = low[channel] + share * (high[channel] - low[channel]);
      const bump = hasMiddle ? 4 * share * (1 - share) : 0;
      values[index * channels + channel] = plain + bump * (middle[channel] - plain);
    }
  }
}
