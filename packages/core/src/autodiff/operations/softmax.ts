import type { Tensor, TensorBackend } from '../../backend.ts';
import type { Tape, Value } from '../tape.ts';
import { assertArguments } from './_assert-arguments.ts';
import { using } from './_using.ts';

/**
 * Logarithm of the softmax over the last axis, without overflow: x - max(x) - log(sum(exp(x - max(x)))).
 *
 * @param logits Shape `[batch, classes]`.
 */
export function logSoftmax(tape: Tape, logits: Value): Value {
  assertArguments.logits('logSoftmax', logits.shape);
  const { backend } = tape;
  const freeAll = (tensors: Tensor[]) => tensors.forEach((tensor) => backend.dispose(tensor));

  const largest = backend.reduce('max', logits.tensor, [1], true);
  const shifted = backend.binary('subtract', logits.tensor, largest);
  const exponentials = backend.unary('exp', shifted);
  const total = backend.reduce('sum', exponentials, [1], true);
  const logTotal = backend.unary('log', total);
  const output = backend.binary('subtract', shifted, logTotal);
  freeAll([largest, shifted, exponentials, total, logTotal]);

  return tape.record(
    output,
    [logits],
    (gradient) => {
      // dL/dx = g - softmax(x) sum(g)
      const probabilities = backend.unary('exp', output);
      const gradientTotal = backend.reduce('sum', gradient, [1], true);
      const spread = backend.binary('multiply', probabilities, gradientTotal);
      const inputGradient = backend.binary('subtract', gradient, spread);
      freeAll([probabilities, gradientTotal, spread]);
      return [inputGradient];
    },
    { saves: ['output'] },
  );
}

/**
 * Softmax over the last axis.
 *
 * @param logits Shape `[batch, classes]`.
 */
export function softmax(tape: Tape, logits: Value): Value {
  assertArguments.logits('softmax', logits.shape);
  const { backend } = tape;
  const output = backend.fused?.softmax?.(logits.tensor) ?? composedSoftmax(backend, logits.tensor);
  return tape.record(
    output,
    [logits],
    (gradient) => {
      // dL/dx = y (g - sum(g y))
      const weighted = backend.binary('multiply', gradient, output);
      const total = backend.reduce('sum', weighted, [1], true);
      const centred = backend.binary('subtract', gradient, total);
      const inputGradient = backend.binary('multiply', centred, output);
      for (const tensor of [weighted, total, centred]) backend.dispose(tensor);
      return [inputGradient];
    },
    { saves: ['output'] },
  );
}

function composedSoftmax(backend: TensorBackend, logits: Tensor): Tensor {
  return using(backend, (keep) => {
    const largest = keep(backend.reduce('max', logits, [1], true));
    const exponentials = keep(backend.unary('exp', keep(backend.binary('subtract', logits, largest))));
    return backend.binary('divide', exponentials, keep(backend.reduce('sum', exponentials, [1], true)));
  });
}
