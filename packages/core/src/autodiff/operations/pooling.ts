import type { AveragePool2dOptions, Pool2dOptions, Size2d } from '../../backend.ts';
import type { Tape, Value } from '../tape.ts';
import { assertArguments } from './_assert-arguments.ts';

/** Largest element of each window of `[batch, height, width, channels]`. */
export function maxPool2d(tape: Tape, input: Value, options: Pool2dOptions): Value {
  assertArguments.pool2d('maxPool2d', input.shape, options);
  const { backend } = tape;
  const output = backend.maxPool2d(input.tensor, options);
  return tape.record(
    output,
    [input],
    (gradient) => [backend.maxPool2dGradient(gradient, input.tensor, output, options)],
    {
      saves: [input, 'output'],
    },
  );
}

/** Mean of each window of `[batch, height, width, channels]`. */
export function averagePool2d(tape: Tape, input: Value, options: AveragePool2dOptions): Value {
  assertArguments.pool2d('averagePool2d', input.shape, options);
  const { backend } = tape;
  const { shape } = input;
  return tape.record(backend.averagePool2d(input.tensor, options), [input], (gradient) => [
    backend.averagePool2dGradient(gradient, shape, options),
  ]);
}

/** Repeats each pixel of `[batch, height, width, channels]` `factors[0]` times down and `factors[1]` times across. */
export function upsampleNearest2d(tape: Tape, input: Value, factors: Size2d): Value {
  assertArguments.upsampleNearest2d(input.shape, factors);
  const { backend } = tape;
  return tape.record(backend.upsampleNearest2d(input.tensor, factors), [input], (gradient) => [
    backend.upsampleNearest2dGradient(gradient, factors),
  ]);
}
