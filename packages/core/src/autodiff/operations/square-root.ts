import type { Tape, Value } from '../tape.ts';
import { using } from './_using.ts';

/** Half the steepest slope: what is 0 for sure before it, as of a square that is 0, stays 0 behind it. */
const LEAST_DIVISOR = 1e-18;

/** Square root; its derivative at 0, which is infinite, is taken as a large number. */
export function squareRoot(tape: Tape, input: Value): Value {
  const { backend } = tape;
  const output = backend.unary('sqrt', input.tensor);
  return tape.record(
    output,
    [input],
    (gradient) =>
      using(backend, (keep) => {
        const twice = keep(backend.affine(output, 2, 0));
        const divisor = keep(backend.binary('maximum', twice, keep(backend.fill([], LEAST_DIVISOR))));
        return [backend.binary('divide', gradient, divisor)];
      }),
    { saves: ['output'] },
  );
}
