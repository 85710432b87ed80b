import type { Shape, Size2d } from '@dafl/core';
import { sizeOf } from '@dafl/core/backend-base';
import type { FloatArray } from './_array.ts';

/** Repeats each pixel `factors[0]` times down and `factors[1]` times across. */
export function upsampleNearest2d(input: FloatArray, inputShape: Shape, factors: Size2d): Float64Array {
  const output = new Float64Array(input.length * factors[0] * factors[1]);
  walkPixels(inputShape, factors, (inputStart, outputStart, channels) => {
    for (let channel = 0; channel < channels; channel++) output[outputStart + channel] = input[inputStart + channel];
  });
  return output;
}

/** The derivative of `upsampleNearest2d`: sums each block of `factors` pixels. */
export function upsampleNearest2dGradient(
  outputGradient: FloatArray,
  inputShape: Shape,
  factors: Size2d,
): Float64Array {
  const inputGradient = new Float64Array(sizeOf(inputShape));
  walkPixels(inputShape, factors, (inputStart, outputStart, channels) => {
    for (let channel = 0; channel < channels; channel++) {
      inputGradient[inputStart + channel] += outputGradient[outputStart + channel];
    }
  });
  return inputGradient;
}

/** Visits each pixel of the upsampled image, with the offset of the pixel that it repeats. */
function walkPixels(
  inputShape: Shape,
  factors: Size2d,
  visit: (inputStart: number, outputStart: number, channels: number) => void,
): void {
  const [batch, height, width, channels] = inputShape;
  const outputHeight = height * factors[0];
  const outputWidth = width * factors[1];
  let outputStart = 0;
  for (let image = 0; image < batch; image++) {
    for (let row = 0; row < outputHeight; row++) {
      const rowStart = (image * height + Math.floor(row / factors[0])) * width;
      for (let column = 0; column < outputWidth; column++, outputStart += channels) {
        visit((rowStart + Math.floor(column / factors[1])) * channels, outputStart, channels);
      }
    }
  }
}
