import type { Conv2dOptions } from '../../backend.ts';
import type { Tape, Value } from '../tape.ts';
import { assertArguments } from './_assert-arguments.ts';
import { conv2d } from './conv2d.ts';
import { upsampleNearest2d } from './pooling.ts';

/** The one geometry that `upsampleConv2d` has. */
const CONV_3X3: Conv2dOptions = {
  strides: [1, 1],
  padding: { top: 1, bottom: 1, left: 1, right: 1 },
  dilations: [1, 1],
  groups: 1,
};

/**
 * Nearest upsampling by two, then a convolution of kernel 3x3, stride 1 and padding 1, without the upsampled image where
 * the backend can.
 *
 * @param input Shape `[batch, height, width, inputChannels]`.
 * @param filter Shape `[3, 3, inputChannels, outputChannels]`.
 * @param bias Shape `[outputChannels]`, or null.
 * @returns Shape `[batch, 2 height, 2 width, outputChannels]`.
 */
export function upsampleConv2d(tape: Tape, input: Value, filter: Value, bias: Value | null): Value {
  assertArguments.upsampleConv2d(input.shape, filter.shape, bias?.shape);
  const { backend } = tape;
  const { fused } = backend;
  if (!fused?.upsampleConv2d || !fused.upsampleConv2dInputGradient || !fused.upsampleConv2dFilterGradient) {
    const upsampled = upsampleNearest2d(tape, input, [2, 2]);
    const output = conv2d(tape, upsampled, filter, bias, CONV_3X3);
    tape.release(upsampled);
    return output;
  }
  return tape.record(
    fused.upsampleConv2d(input.tensor, filter.tensor, bias === null ? null : bias.tensor),
    bias === null ? [input, filter] : [input, filter, bias],
    (gradient, needed) => [
      needed[0] ? fused.upsampleConv2dInputGradient!(gradient, filter.tensor) : null,
      needed[1] ? fused.upsampleConv2dFilterGradient!(input.tensor, gradient) : null,
      needed[2] ? backend.reduce('sum', gradient, [0, 1, 2], false) : null,
    ],
    { saves: [...(filter.requiresGradient ? [input] : []), ...(input.requiresGradient ? [filter] : [])] },
  );
}
