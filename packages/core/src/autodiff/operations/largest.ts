import type { Tape, Value } from '../tape.ts';
import { assertArguments } from './_assert-arguments.ts';
import { using } from './_using.ts';

/**
 * Largest element over `axes`, which are kept with size 1. Those that are equally large share the gradient evenly, as in
 * PyTorch's `amax`.
 */
export function largest(tape: Tape, input: Value, axes: readonly number[]): Value {
  assertArguments.axes('largest', input.shape, axes);
  const { backend } = tape;
  const output = backend.reduce('max', input.tensor, axes, true);
  return tape.record(
    output,
    [input],
    (gradient) =>
      using(backend, (keep) => {
        const isLargest = keep(backend.binary('equal', input.tensor, output));
        const count = keep(backend.reduce('sum', isLargest, axes, true));
        return [backend.binary('multiply', isLargest, keep(backend.binary('divide', gradient, count)))];
      }),
    { saves: [input, 'output'] },
  );
}
