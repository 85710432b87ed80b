import type { Conv2dOptions, Shape } from '@dafl/core';
import type { FloatArray } from './_array.ts';
import { sizeOf } from '@dafl/core/backend-base';
import { describeWindow, walkWindows } from './_window.ts';

/** Cross-correlation of images with filters, in groups of channels. */
export function conv2d(
  input: FloatArray,
  inputShape: Shape,
  filter: FloatArray,
  filterShape: Shape,
  bias: FloatArray | null,
  options: Conv2dOptions,
): { values: Float64Array; shape: Shape } {
  const window = describeWindow(inputShape, [filterShape[0], filterShape[1]], options);
  const { groups } = options;
  const [, , groupInputs, outputChannels] = filterShape;
  const inputChannels = inputShape[3];
  const groupOutputs = outputChannels / groups;
  const shape = [window.batch, window.outputHeight, window.outputWidth, outputChannels];
  const output = new Float64Array(sizeOf(shape));

  walkWindows(window, (outputPixel, inputPixel, tap) => {
    for (let group = 0; group < groups; group++) {
      const inputStart = inputPixel * inputChannels + group * groupInputs;
      const outputStart = outputPixel * outputChannels + group * groupOutputs;
      for (let i = 0; i < groupInputs; i++) {
        const filterStart = (tap * groupInputs + i) * outputChannels + group * groupOutputs;
        const value = input[inputStart + i];
        for (let o = 0; o < groupOutputs; o++) output[outputStart + o] += value * filter[filterStart + o];
      }
    }
  });
  if (bias !== null) {
    for (let start = 0; start < output.length; start += outputChannels) {
      for (let o = 0; o < outputChannels; o++) output[start + o] += bias[o];
    }
  }
  return { values: output, shape };
}

/** The derivative of `conv2d` with respect to its input: each product of the forward pass, sent back to its pixel. */
export function conv2dInputGradient(
  outputGradient: FloatArray,
  filter: FloatArray,
  filterShape: Shape,
  inputShape: Shape,
  options: Conv2dOptions,
): Float64Array {
  const window = describeWindow(inputShape, [filterShape[0], filterShape[1]], options);
  const { groups } = options;
  const [, , groupInputs, outputChannels] = filterShape;
  const inputChannels = inputShape[3];
  const groupOutputs = outputChannels / groups;
  const inputGradient = new Float64Array(sizeOf(inputShape));

  walkWindows(window, (outputPixel, inputPixel, tap) => {
    for (let group = 0; group < groups; group++) {
      const inputStart = inputPixel * inputChannels + group * groupInputs;
      const outputStart = outputPixel * outputChannels + group * groupOutputs;
      for (let i = 0; i < groupInputs; i++) {
        const filterStart = (tap * groupInputs + i) * outputChannels + group * groupOutputs;
        let sum = 0;
        for (let o = 0; o < groupOutputs; o++) sum += outputGradient[outputStart + o] * filter[filterStart + o];
        inputGradient[inputStart + i] += sum;
      }
    }
  });
  return inputGradient;
}

/** The derivative of `conv2d` with respect to its filter: each product of the forward pass, sent back to its weight. */
export function conv2dFilterGradient(
  input: FloatArray,
  inputShape: Shape,
  outputGradient: FloatArray,
  filterShape: Shape,
  options: Conv2dOptions,
): Float64Array {
  const window = describeWindow(inputShape, [filterShape[0], filterShape[1]], options);
  const { groups } = options;
  const [, , groupInputs, outputChannels] = filterShape;
  const inputChannels = inputShape[3];
  const groupOutputs = outputChannels / groups;
  const filterGradient = new Float64Array(sizeOf(filterShape));

  walkWindows(window, (outputPixel, inputPixel, tap) => {
    for (let group = 0; group < groups; group++) {
      const inputStart = inputPixel * inputChannels + group * groupInputs;
      const outputStart = outputPixel * outputChannels + group * groupOutputs;
      for (let i = 0; i < groupInputs; i++) {
        const filterStart = (tap * groupInputs + i) * outputChannels + group * groupOutputs;
        const value = input[inputStart + i];
        for (let o = 0; o < groupOutputs; o++)
          filterGradient[filterStart + o] += value * outputGradient[outputStart + o];
      }
    }
  });
  return filterGradient;
}
