import type { Conv2dOptions, Shape } from '../../backend.ts';
import type { Tape, Value } from '../tape.ts';
import { assertArguments } from './_assert-arguments.ts';

/**
 * Transposed 2-D convolution: what `conv2d` with these options maps to the input, taken backwards.
 *
 * @param input Shape `[batch, height, width, inputChannels]`.
 * @param filter Shape `[kernelHeight, kernelWidth, outputChannels / groups, inputChannels]`.
 * @param outputShape Shape `[batch, outputHeight, outputWidth, outputChannels]`, one that `conv2d` maps to the input's.
 */
export function transposedConv2d(
  tape: Tape,
  input: Value,
  filter: Value,
  outputShape: Shape,
  options: Conv2dOptions,
): Value {
  assertArguments.transposedConv2d(input.shape, filter.shape, outputShape, options);
  const { backend } = tape;
  const { shape: filterShape } = filter;
  return tape.record(
    backend.conv2dInputGradient(input.tensor, filter.tensor, outputShape, options),
    [input, filter],
    (gradient, needed) => [
      needed[0] ? backend.conv2d(gradient, filter.tensor, null, options) : null,
      needed[1] ? backend.conv2dFilterGradient(gradient, input.tensor, filterShape, options) : null,
    ],
    { saves: [...(filter.requiresGradient ? [input] : []), ...(input.requiresGradient ? [filter] : [])] },
  );
}
