import type { Tape, Value } from '../tape.ts';
import { using } from './_using.ts';

/** Square root; its derivative at 0 is infinite. */
export function squareRoot(tape: Tape, input: Value): Value {
  const { backend } = tape;
  const output = backend.unary('sqrt', input.tensor);
  return tape.record(
    output,
    [input],
    (gradient) => using(backend, (keep) => [backend.binary('divide', gradient, keep(backend.affine(output, 2, 0)))]),
    { saves: ['output'] },
  );
}
