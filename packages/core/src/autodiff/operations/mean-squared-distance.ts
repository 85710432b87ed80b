import type { Tensor } from '../../backend.ts';
import { sizeOf } from '../../shape.ts';
import type { Tape, Value } from '../tape.ts';
import { assertArguments } from './_assert-arguments.ts';
import { using } from './_using.ts';

/**
 * Mean of (left - right)² over all elements, a scalar: as `mean(square(subtract(left, right)))`, with half the passes over
 * them.
 *
 * @throws {DaflError} `SHAPE` if the shapes differ.
 */
export function meanSquaredDistance(tape: Tape, left: Value, right: Value): Value {
  assertArguments.sameShape('meanSquaredDistance', 'right', right.shape, left.shape);
  const { backend } = tape;
  const axes = left.shape.map((_, axis) => axis);
  const factor = 2 / sizeOf(left.shape);
  const difference = backend.binary('subtract', left.tensor, right.tensor);
  const output = using(backend, (keep) =>
    backend.reduce('mean', keep(backend.unary('square', difference)), axes, false),
  );
  return tape.record(
    output,
    [left, right],
    (gradient, needed) =>
      using(backend, (keep) => {
        const slope = (sign: 1 | -1): Tensor =>
          backend.binary('multiply', difference, keep(backend.affine(gradient, sign * factor, 0)));
        return [needed[0] ? slope(1) : null, needed[1] ? slope(-1) : null];
      }),
    { cleanUp: () => backend.dispose(difference) },
  );
}
