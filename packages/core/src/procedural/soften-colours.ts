import type { PictureSize } from './canvas.ts';

/** Standard deviation of the blur for a picture whose shorter side is this long, in pixels. */
const SIGMA = 1;
const USUAL_SIDE = 32;
/** The blur ends after so many standard deviations. */
const REACH = 2;

/**
 * Blurs and weakens what sets the channels of a picture apart, and leaves their mean: the colours of real images are weaker
 * and of coarser detail than their light and dark.
 *
 * @param values Shape `[height, width, channels]`; changed.
 * @param share How much of the colours stays, >= 0.
 */
export function softenColours(values: Float32Array, size: PictureSize, share: number): void {
  const { height, width, channels } = size;
  const means = new Float32Array(height * width);
  for (let pixel = 0, begin = 0; pixel < means.length; pixel++, begin += channels) {
    let sum = 0;
    for (let index = begin; index < begin + channels; index++) sum += values[index];
    means[pixel] = sum / channels;
    for (let index = begin; index < begin + channels; index++) values[index] -= means[pixel];
  }
  const kernel = bell((SIGMA * Math.min(height, width)) / USUAL_SIDE);
  const colours = blurAlong(blurAlong(values, size, kernel, 'width'), size, kernel, 'height');
  for (let index = 0; index < values.length; index++)
    values[index] = means[Math.floor(index / channels)] + share * colours[index];
}

/** What a blur adds up along an axis. */
interface Kernel {
  /** Of a normal distribution, an odd number whose sum is 1. */
  readonly weights: Float32Array;
  /** Pixels from one to the next: in large pictures about a standard deviation, as all of them would take long. */
  readonly apart: number;
}

function bell(sigma: number): Kernel {
  const apart = Math.max(1, Math.round(sigma));
  const radius = Math.ceil((REACH * sigma) / apart);
  const weights = Float32Array.from({ length: 2 * radius + 1 }, (_, at) =>
    Math.exp(-((apart * (at - radius)) ** 2) / (2 * sigma ** 2)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return { weights: weights.map((weight) => weight / total), apart };
}

/** What lies beyond the border is as the border is. */
function blurAlong(
  values: Float32Array,
  { height, width, channels }: PictureSize,
  { weights, apart }: Kernel,
  axis: 'height' | 'width',
): Float32Array {
  const blurred = new Float32Array(values.length);
  const radius = (weights.length - 1) / 2;
  const [length, stride] = axis === 'width' ? [width, channels] : [height, width * channels];
  for (let index = 0; index < values.length; index++) {
    const place = Math.floor(index / stride) % length;
    let sum = 0;
    for (let offset = -radius; offset <= radius; offset++) {
      const from = Math.min(length - 1, Math.max(0, place + apart * offset));
      sum += weights[offset + radius] * values[index + (from - place) * stride];
    }
    blurred[index] = sum;
  }
  return blurred;
}
