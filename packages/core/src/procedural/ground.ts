import type { Canvas } from './canvas.ts';
import { clouds } from './families/clouds.ts';
import { leaves } from './families/leaves.ts';
import { waves } from './families/waves.ts';
import type { PictureRandom } from './picture-random.ts';
import { randomColour } from './random-colour.ts';

/** How often the ground is a texture: colour pictures are mostly photographs, grey ones mostly drawings and scans. */
const TEXTURED_SHARE = { grey: 0.1, colour: 0.35 } as const;

/**
 * Paints what lies behind the things of a picture: one tone, often the darkest; a shading; or a texture.
 *
 * @param darkShare How often the ground is black.
 */
export function paintGround(canvas: Canvas, random: PictureRandom, darkShare: number): void {
  const { channels, height, width, values } = canvas;
  if (random.chance(TEXTURED_SHARE[channels === 1 ? 'grey' : 'colour'])) {
    random.pick([clouds, clouds, waves, leaves])(canvas, random);
    return;
  }
  if (random.chance(darkShare)) {
    values.fill(0);
    return;
  }
  const colour = randomColour(random, channels);
  const slopeX = random.chance(0.5) ? random.between(-0.5, 0.5) : 0;
  const slopeY = slopeX === 0 ? 0 : random.between(-0.5, 0.5);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const shade = slopeX * canvas.x(column) + slopeY * canvas.y(row);
      for (let channel = 0; channel < channels; channel++)
        values[(row * width + column) * channels + channel] = colour[channel] + shade;
    }
  }
}
