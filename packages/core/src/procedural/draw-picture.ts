import type { RandomStream } from '../random.ts';
import { Canvas, type PictureSize } from './canvas.ts';
import { pictureFamilies, type PictureFamilyName } from './picture-families.ts';
import { PictureRandom } from './picture-random.ts';
import { valueNoise } from './value-noise.ts';

/** A kind of picture: its family, and whether light and dark are exchanged. */
export interface PictureKind {
  readonly family: PictureFamilyName;
  readonly isInverted: boolean;
}

/** Cells of the noise that some pictures get; the last is as fine as the pixels. */
const NOISE_CELLS = [4, 8, 16, Infinity] as const;

/**
 * Draws one picture without any data: a family's, with noise and tone of its own.
 *
 * @param random A stream for this picture alone: the same stream, the same picture.
 * @param output Where its bytes go, shape `[height, width, channels]`, 0..255.
 * @example
 * ```ts
 * const size = { height: 32, width: 32, channels: 1 };
 * const picture = new Uint8Array(32 * 32);
 * drawPicture({ family: 'shapes', isInverted: false }, size, createRandomStream(0, 'picture 0'), picture);
 * ```
 */
export function drawPicture(kind: PictureKind, size: PictureSize, random: RandomStream, output: Uint8Array): void {
  const canvas = new Canvas(size);
  const draws = new PictureRandom(random);
  pictureFamilies[kind.family](canvas, draws);
  const { values, channels } = canvas;
  if (draws.chance(0.5)) {
    for (const cells of NOISE_CELLS) {
      if (!draws.chance(0.3)) continue;
      const amount = draws.between(0, 0.25);
      const field = valueNoise(draws, canvas, Math.min(cells, Math.max(size.height, size.width)));
      for (let index = 0; index < values.length; index++) values[index] += amount * field[Math.floor(index / channels)];
    }
  }
  // Gamma curves of light and dark prints, by way of a table.
  const gamma = Math.exp(draws.between(-0.6, 0.6));
  for (let index = 0; index < values.length; index++) {
    const value = Math.min(1, Math.max(0, values[index])) ** gamma;
    output[index] = Math.round(255 * (kind.isInverted ? 1 - value : value));
  }
}
