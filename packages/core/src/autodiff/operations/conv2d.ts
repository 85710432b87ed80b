import type { Conv2dOptions } from '../../backend.ts';
import type { Tape, Value } from '../tape.ts';
import { assertArguments } from './_assert-arguments.ts';

/**
 * 2-D convolution (cross-correlation).
 *
 * @param input Shape `[batch, height, width, inputChannels]`.
 * @param filter Shape `[kernelHeight, kernelWidth, inputChannels / groups, outputChannels]`.
 * @param bias Shape `[outputChannels]`, or null.
 */
export function conv2d(tape: Tape, input: Value, filter: Value, bias: Value | null, options: Conv2dOptions): Value {
  assertArguments.conv2d('conv2d', input.shape, filter.shape, bias?.shape, options);
  const { backend } = tape;
  const { shape: inputShape } = input;
  const { shape: filterShape } = filter;
  return tape.record(
    backend.conv2d(input.tensor, filter.tensor, bias === null ? null : bias.tensor, options),
    bias === null ? [input, filter] : [input, filter, bias],
    (gradient, needed) => [
      needed[0] ? backend.conv2dInputGradient(gradient, filter.tensor, inputShape, options) : null,
      needed[1] ? backend.conv2dFilterGradient(input.tensor, gradient, filterShape, options) : null,
      needed[2] ? backend.reduce('sum', gradient, [0, 1, 2], false) : null,
    ],
    { saves: [...(filter.requiresGradient ? [input] : []), ...(input.requiresGradient ? [filter] : [])] },
  );
}
