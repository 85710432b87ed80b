import type { RandomStream } from '../random.ts';
import type { PictureSize } from './canvas.ts';
import { PictureRandom } from './picture-random.ts';

/** What a new picture is made from; all of the same size. */
export interface Parents {
  readonly picture: Uint8Array;
  /** Of the class that the teacher sees in `picture`. */
  readonly relative: Uint8Array;
  /** Of any class. */
  readonly stranger: Uint8Array;
}

/**
 * Makes a new picture from known ones: turned, stretched, shifted, with another tone; often blended with another of its
 * class, or with parts of it or of a stranger.
 *
 * @param random A stream for this picture alone.
 * @param output Where its bytes go, shape `[height, width, channels]`.
 */
export function varyPicture(parents: Parents, size: PictureSize, random: RandomStream, output: Uint8Array): void {
  const draws = new PictureRandom(random);
  const own = warp(parents.picture, size, draws);
  const kind = draws.integer(4);
  if (kind === 0) {
    const stranger = warp(parents.stranger, size, draws);
    const share = draws.between(0.6, 1);
    for (let index = 0; index < own.length; index++) own[index] = share * own[index] + (1 - share) * stranger[index];
  } else if (kind === 1) {
    pasteRectangle(own, warp(parents.stranger, size, draws), size, draws);
  } else if (kind === 2) {
    const relative = warp(parents.relative, size, draws);
    const share = draws.next();
    for (let index = 0; index < own.length; index++) own[index] = share * own[index] + (1 - share) * relative[index];
  }
  const gamma = Math.exp(draws.between(-0.4, 0.4));
  const tone = Uint8Array.from({ length: 256 }, (_, value) => Math.round(255 * (value / 255) ** gamma));
  for (let index = 0; index < own.length; index++) output[index] = tone[Math.round(own[index])];
}

/** Turned by up to 20 degrees, scaled, stretched, sheared and shifted; what moves in continues the border. */
function warp(picture: Uint8Array, { height, width, channels }: PictureSize, draws: PictureRandom): Float32Array {
  const angle = draws.between(-0.35, 0.35);
  const scale = Math.exp(draws.between(-0.4, 0.4));
  const stretch = Math.exp(draws.between(-0.25, 0.25));
  const shear = draws.between(-0.2, 0.2);
  const shiftX = draws.between(-0.125, 0.125) * width;
  const shiftY = draws.between(-0.125, 0.125) * height;
  const acrossX = Math.cos(angle) * scale * stretch;
  const acrossY = (shear - Math.sin(angle)) * scale;
  const downX = Math.sin(angle) * scale;
  const downY = (Math.cos(angle) * scale) / stretch;
  const middleX = (width - 1) / 2;
  const middleY = (height - 1) / 2;
  const output = new Float32Array(height * width * channels);
  let at = 0;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const fromX = middleX + shiftX + acrossX * (column - middleX) + acrossY * (row - middleY);
      const fromY = middleY + shiftY + downX * (column - middleX) + downY * (row - middleY);
      const x = Math.min(width - 1, Math.max(0, fromX));
      const y = Math.min(height - 1, Math.max(0, fromY));
      const left = Math.floor(x);
      const top = Math.floor(y);
      const right = Math.min(width - 1, left + 1);
      const bottom = Math.min(height - 1, top + 1);
      const shareX = x - left;
      const shareY = y - top;
      for (let channel = 0; channel < channels; channel++, at++) {
        const above =
          picture[(top * width + left) * channels + channel] * (1 - shareX) +
          picture[(top * width + right) * channels + channel] * shareX;
        const below =
          picture[(bottom * width + left) * channels + channel] * (1 - shareX) +
          picture[(bottom * width + right) * channels + channel] * shareX;
        output[at] = above * (1 - shareY) + below * shareY;
      }
    }
  }
  return output;
}

function pasteRectangle(
  onto: Float32Array,
  from: Float32Array,
  { height, width, channels }: PictureSize,
  draws: PictureRandom,
): void {
  const edges = (length: number): [number, number] => {
    const [first, second] = [draws.integer(length + 1), draws.integer(length + 1)];
    return first < second ? [first, second] : [second, first];
  };
  const [top, bottom] = edges(height);
  const [left, right] = edges(width);
  for (let row = top; row < bottom; row++) {
    const begin = (row * width + left) * channels;
    const end = (row * width + right) * channels;
    onto.set(from.subarray(begin, end), begin);
  }
}
