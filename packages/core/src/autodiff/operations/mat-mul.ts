import type { Tape, Value } from '../tape.ts';
import { assertShape } from './_shape.ts';

/** Product of `[rows, inner]` and `[inner, columns]`. */
export function matMul(tape: Tape, left: Value, right: Value): Value {
  assertShape(left.shape.length === 2, 'matMul', 'left', 'have rank 2', left.shape);
  assertShape(
    right.shape.length === 2 && right.shape[0] === left.shape[1],
    'matMul',
    'right',
    `have shape [${left.shape[1]}, columns]`,
    right.shape,
  );
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
