import type { Tape, Value } from '../tape.ts';
import { assertArguments } from './_assert-arguments.ts';
import { alias } from './_shape.ts';
import { affine, multiply, subtract } from './element-wise.ts';
import { sum } from './reduction.ts';
import { logSoftmax } from './softmax.ts';

/** Below every probability that float32 holds with full precision; its logarithm is finite. */
const SMALLEST_NORMAL = 1.1754943508222875e-38;

/**
 * Kullback-Leibler divergence of softmax(logits / temperature) from a target, per example: Σₖ tₖ (log tₖ - log softmax(x)ₖ), with
 * 0 log 0 = 0. For a one-hot target this is the cross-entropy.
 *
 * @param logits Shape `[batch, classes]`, unnormalised.
 * @param target Probabilities of the same shape, taken as given: no gradient flows into them.
 * @param temperature > 0.
 * @returns Shape `[batch]`, nats, >= 0.
 */
export function softmaxDivergence(tape: Tape, logits: Value, target: Value, temperature = 1): Value {
  const { shape } = logits;
  assertArguments.logits('softmaxDivergence', shape);
  assertArguments.sameShape('softmaxDivergence', 'target', target.shape, shape);
  const { backend } = tape;
  const { fused } = backend;
  if (!fused?.softmaxDivergence) {
    const raised = backend.affine(target.tensor, 1, SMALLEST_NORMAL);
    const logTarget = tape.own(backend.unary('log', raised));
    backend.dispose(raised);
    const softened = temperature === 1 ? logits : affine(tape, logits, 1 / temperature);
    const difference = subtract(tape, logTarget, logSoftmax(tape, softened));
    return sum(tape, multiply(tape, difference, tape.constant(target.tensor)), [1]);
  }
  const softened =
    temperature === 1 ? alias(backend, logits.tensor) : backend.affine(logits.tensor, 1 / temperature, 0);
  const { divergence, logitsGradient } = fused.softmaxDivergence(softened, target.tensor);
  backend.dispose(softened);
  return tape.record(
    divergence,
    [logits],
    (gradient) => {
      // The column is the smaller one of the two to divide by the temperature.
      const column = backend.reshape(gradient, [shape[0], 1]);
      const scaled = backend.affine(column, 1 / temperature, 0);
      const inputGradient = backend.binary('multiply', logitsGradient, scaled);
      backend.dispose(column);
      backend.dispose(scaled);
      return [inputGradient];
    },
    { cleanUp: () => backend.dispose(logitsGradient) },
  );
}
