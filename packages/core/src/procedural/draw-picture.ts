import type { RandomStream } from '../random.ts';
import { Canvas, type PictureSize } from './canvas.ts';
import { pictureFamilies, type PictureFamilyName } from './picture-families.ts';
import { PictureRandom } from './picture-random.ts';
import { softenColours } from './soften-colours.ts';
import { valueNoise } from './value-noise.ts';

/** A kind of picture: its family, and whether light and dark are exchanged. */
export interface PictureKind {
  readonly family: PictureFamilyName;
  readonly isInverted: boolean;
}

/** Cells of the noise that some pictures get; the last is as fine as the pixels. */
const NOISE_CELLS = [4, 8, 16, Infinity] as const;

/** How much of its softened colours a picture keeps: channels of real images go together. */
const COLOURFULNESS = [0.1, 1.1] as const;

/** Steps of a table of tones: dark ones lie close together once a gamma curve has spread them. */
const TONES = 1023;

/** Gamma curves from e^-0.6 to e^0.6: more than a picture's bytes tell apart, and few enough to keep their tables. */
const CURVES = 64;
const LARGEST_EXPONENT = 0.6;

/** The byte of each tone, bent by a gamma curve as light and dark prints are; made when it is first wanted. */
const toneTables: (Uint8Array | undefined)[] = [];

function toneTable(curve: number, isInverted: boolean): Uint8Array {
  const place = 2 * curve + Number(isInverted);
  const known = toneTables[place];
  if (known !== undefined) return known;
  const gamma = Math.exp(LARGEST_EXPONENT * ((2 * curve) / (CURVES - 1) - 1));
  const table = new Uint8Array(TONES + 1);
  for (let tone = 0; tone <= TONES; tone++) {
    const value = (tone / TONES) ** gamma;
    table[tone] = Math.round(255 * (isInverted ? 1 - value : value));
  }
  return (toneTables[place] = table);
}

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
      for (let pixel = 0, index = 0; pixel < field.length; pixel++) {
        const change = amount * field[pixel];
        for (let channel = 0; channel < channels; channel++) values[index++] += change;
      }
    }
  }
  if (channels > 1) softenColours(values, size, draws.between(...COLOURFULNESS));
  const tones = toneTable(draws.integer(CURVES), kind.isInverted);
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    output[index] = tones[value >= 1 ? TONES : value > 0 ? Math.round(value * TONES) : 0];
  }
}
