import type { Tape, Value } from '../tape.ts';
import { using } from './_using.ts';

/** log(1 + exp(input)), without overflow: max(x, 0) + log(1 + exp(-|x|)). */
export function softplus(tape: Tape, input: Value): Value {
  const { backend } = tape;
  const output = using(backend, (keep) => {
    const small = keep(backend.unary('exp', keep(backend.unary('negate', keep(backend.unary('abs', input.tensor))))));
    const rest = keep(backend.unary('log', keep(backend.affine(small, 1, 1))));
    return backend.binary('add', keep(backend.leakyRelu(input.tensor, 0)), rest);
  });
  return tape.record(
    output,
    [input],
    (gradient) =>
      using(backend, (keep) => [backend.binary('multiply', gradient, keep(backend.unary('sigmoid', input.tensor)))]),
    { saves: [input] },
  );
}
