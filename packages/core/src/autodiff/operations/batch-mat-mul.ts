import type { Tensor } from '../../backend.ts';
import type { Tape, Value } from '../tape.ts';
import { assertArguments } from './_assert-arguments.ts';

/** Products of `[count, rows, inner]` and `[count, inner, columns]`, one for each of the first axis. */
export function batchMatMul(tape: Tape, left: Value, right: Value): Value {
  assertArguments.batchMatMul(left.shape, right.shape);
  const [count] = left.shape;
  const { backend } = tape;
  const product = (a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor => {
    const matrix = (tensor: Tensor, index: number): Tensor => {
      const [, rows, columns] = tensor.shape;
      const block = backend.slice(tensor, [index, 0, 0], [1, rows, columns]);
      const flat = backend.reshape(block, [rows, columns]);
      backend.dispose(block);
      return flat;
    };
    const rows = Array.from({ length: count }, (_, index) => {
      const [x, y] = [matrix(a, index), matrix(b, index)];
      const result = backend.matMul(x, y, transposeA, transposeB);
      const lifted = backend.reshape(result, [1, ...result.shape]);
      for (const tensor of [x, y, result]) backend.dispose(tensor);
      return lifted;
    });
    const joined = backend.concat(rows, 0);
    for (const row of rows) backend.dispose(row);
    return joined;
  };
  return tape.record(
    product(left.tensor, right.tensor, false, false),
    [left, right],
    (gradient, needed) => [
      needed[0] ? product(gradient, right.tensor, false, true) : null,
      needed[1] ? product(left.tensor, gradient, true, false) : null,
    ],
    { saves: [...(right.requiresGradient ? [left] : []), ...(left.requiresGradient ? [right] : [])] },
  );
}
