import type { AveragePool2dOptions, Pool2dOptions, Shape } from '@dafl/core';
import { sizeOf } from '@dafl/core/backend-base';
import type { FloatArray } from './_array.ts';
import { describeWindow, type Window2d, walkWindows } from './_window.ts';

/** Largest element of each window; padded positions never win. */
export function maxPool2d(
  input: FloatArray,
  inputShape: Shape,
  options: Pool2dOptions,
): { values: Float64Array; shape: Shape } {
  const window = describeWindow(inputShape, options.windowSize, options);
  const channels = inputShape[3];
  const shape = [window.batch, window.outputHeight, window.outputWidth, channels];
  const output = new Float64Array(sizeOf(shape)).fill(-Infinity);
  walkWindows(window, (outputPixel, inputPixel) => {
    for (let channel = 0; channel < channels; channel++) {
      const o = outputPixel * channels + channel;
      // Math.max and not a comparison, so that a NaN in the window shows in the output.
      output[o] = Math.max(output[o], input[inputPixel * channels + channel]);
    }
  });
  return { values: output, shape };
}

/** The derivative of `maxPool2d`: the first element of each window that equals its maximum takes the gradient. */
export function maxPool2dGradient(
  outputGradient: FloatArray,
  input: FloatArray,
  inputShape: Shape,
  output: FloatArray,
  options: Pool2dOptions,
): Float64Array {
  const window = describeWindow(inputShape, options.windowSize, options);
  const channels = inputShape[3];
  const inputGradient = new Float64Array(input.length);
  const isTaken = new Uint8Array(output.length);
  walkWindows(window, (outputPixel, inputPixel) => {
    for (let channel = 0; channel < channels; channel++) {
      const o = outputPixel * channels + channel;
      const i = inputPixel * channels + channel;
      if (isTaken[o] === 1 || input[i] !== output[o]) continue;
      inputGradient[i] += outputGradient[o];
      isTaken[o] = 1;
    }
  });
  return inputGradient;
}

/** Mean of each window. */
export function averagePool2d(
  input: FloatArray,
  inputShape: Shape,
  options: AveragePool2dOptions,
): { values: Float64Array; shape: Shape } {
  const window = describeWindow(inputShape, options.windowSize, options);
  const channels = inputShape[3];
  const shape = [window.batch, window.outputHeight, window.outputWidth, channels];
  const output = new Float64Array(sizeOf(shape));
  walkWindows(window, (outputPixel, inputPixel) => {
    for (let channel = 0; channel < channels; channel++) {
      output[outputPixel * channels + channel] += input[inputPixel * channels + channel];
    }
  });
  const divisors = countElements(window, options.countsPadding);
  for (let i = 0; i < output.length; i++) output[i] /= divisors[Math.floor(i / channels)];
  return { values: output, shape };
}

/** The derivative of `averagePool2d`: each output's gradient, shared out evenly over its window. */
export function averagePool2dGradient(
  outputGradient: FloatArray,
  inputShape: Shape,
  options: AveragePool2dOptions,
): Float64Array {
  const window = describeWindow(inputShape, options.windowSize, options);
  const channels = inputShape[3];
  const inputGradient = new Float64Array(sizeOf(inputShape));
  const divisors = countElements(window, options.countsPadding);
  walkWindows(window, (outputPixel, inputPixel) => {
    for (let channel = 0; channel < channels; channel++) {
      inputGradient[inputPixel * channels + channel] +=
        outputGradient[outputPixel * channels + channel] / divisors[outputPixel];
    }
  });
  return inputGradient;
}

/** The divisor of each output pixel's mean. */
function countElements(window: Window2d, countsPadding: boolean): Float64Array {
  const counts = new Float64Array(window.batch * window.outputHeight * window.outputWidth);
  if (countsPadding) return counts.fill(window.kernelHeight * window.kernelWidth);
  walkWindows(window, (outputPixel) => {
    counts[outputPixel]++;
  });
  return counts;
}
