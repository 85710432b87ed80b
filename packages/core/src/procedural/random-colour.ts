import type { Colour } from './canvas.ts';
import type { PictureRandom } from './picture-random.ts';

/**
 * A colour of the given lightness, grey or tinted: channels of real images go together, so most tints are weak.
 *
 * @param lightness In 0..1; default: drawn.
 */
export function randomColour(random: PictureRandom, channels: number, lightness: number = random.next()): Colour {
  if (channels === 1) return [lightness];
  const saturation = random.next() ** 1.5;
  return Array.from({ length: channels }, () => {
    const tint = random.between(-0.6, 0.6);
    return Math.min(1, Math.max(0, lightness + saturation * tint));
  });
}
