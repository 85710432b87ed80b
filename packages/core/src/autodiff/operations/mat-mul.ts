import type { Tape, Value } from '../tape.ts';
import { assertArguments } from './_assert-arguments.ts';

/** Product of `[rows, inner]` and `[inner, columns]`. */
export function matMul(tape: Tape, left: Value, right: Value): Value {
  assertArguments.matMul(left.shape, right.shape);
  const { backend } = tape;
  return tape.record(
    backend.matMul(left.tensor, right.tensor, false, false),
    [left, right],
    (gradient, needed) => [
      needed[0] ? backend.matMul(gradient, right.tensor, false, true) : null,
      needed[1] ? backend.matMul(left.tensor, gradient, true, false) : null,
    ],
    { saves: [...(right.requiresGradient ? [left] : []), ...(left.requiresGradient ? [right] : [])] },
  );
}
