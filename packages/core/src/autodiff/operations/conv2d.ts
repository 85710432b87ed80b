import type { Conv2dOptions } from '../../backend.ts';
import type { Tape, Value } from '../tape.ts';
import { assertShape } from './_shape.ts';

/**
 * 2-D convolution (cross-correlation).
 *
 * @param input Shape `[batch, height, width, inputChannels]`.
 * @param filter Shape `[kernelHeight, kernelWidth, inputChannels / groups, outputChannels]`.
 * @param bias Shape `[outputChannels]`, or null.
 */
export function conv2d(tape: Tape, input: Value, filter: Value, bias: Value | null, options: Conv2dOptions): Value {
  assertShape(input.shape.length === 4, 'conv2d', 'input', 'have rank 4', input.shape);
  const inputChannels = input.shape[3];
  assertShape(
    filter.shape.length === 4 &&
      filter.shape[2] * options.groups === inputChannels &&
      filter.shape[3] % options.groups === 0,
    'conv2d',
    'filter',
    `fit ${inputChannels} input channels in ${options.groups} groups`,
    filter.shape,
  );
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
