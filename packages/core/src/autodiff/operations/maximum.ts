import type { Tape, Value } from '../tape.ts';
import { assertArguments } from './_assert-arguments.ts';
import { sumToShape } from './_shape.ts';
import { using } from './_using.ts';

/** The larger of each pair, with broadcasting; where both are equal the gradient goes to the left. */
export function maximum(tape: Tape, left: Value, right: Value): Value {
  return choose(tape, 'maximum', left, right);
}

/** The smaller of each pair, with broadcasting; where both are equal the gradient goes to the left. */
export function minimum(tape: Tape, left: Value, right: Value): Value {
  return choose(tape, 'minimum', left, right);
}

function choose(tape: Tape, operation: 'maximum' | 'minimum', left: Value, right: Value): Value {
  assertArguments.broadcast(operation, left.shape, right.shape);
  const { backend } = tape;
  return tape.record(
    backend.binary(operation, left.tensor, right.tensor),
    [left, right],
    (gradient, needed) =>
      using(backend, (keep) => {
        const [winner, loser] = operation === 'maximum' ? [right, left] : [left, right];
        const ofRight = keep(backend.binary('greater', winner.tensor, loser.tensor));
        const ofLeft = keep(backend.affine(ofRight, -1, 1));
        return [
          needed[0] ? sumToShape(backend, keep(backend.binary('multiply', gradient, ofLeft)), left.shape) : null,
          needed[1] ? sumToShape(backend, keep(backend.binary('multiply', gradient, ofRight)), right.shape) : null,
        ];
      }),
    { saves: [left, right] },
  );
}
