import { batchNorm as normalize, frozenBatchNorm } from '../../autodiff/operations/batch-norm.ts';
import { add, affine, multiply } from '../../autodiff/operations/element-wise.ts';
import { boolean, number } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';

/**
 * Weights `scale`, `offset` (with `affine`), `runningMean` and `runningVariance`, each `[channels]`. In training the
 * running values move by `momentum` towards the batch's; momentum 0 leaves them as they are.
 */
export interface BatchNormNode extends NodeBase {
  readonly kind: 'batchNorm';
  readonly epsilon: number;
  readonly momentum: number;
  readonly affine: boolean;
}

/** Normalises each channel: by the batch in training, by the running statistics in inference. */
export const batchNorm: NodeKind<BatchNormNode> = {
  fields: {
    epsilon: number('a number > 0', (value) => value > 0),
    momentum: number('a number in [0, 1]', (value) => value >= 0 && value <= 1),
    affine: boolean,
  },

  infer(node, [input]) {
    const shape = [input[input.length - 1]];
    const running = {
      runningMean: { shape, trainable: false, initial: 0 },
      runningVariance: { shape, trainable: false, initial: 1, least: 0 },
    };
    return {
      output: input,
      weights: node.affine
        ? { scale: { shape, trainable: true, initial: 1 }, offset: { shape, trainable: true, initial: 0 }, ...running }
        : running,
    };
  },

  forward(node, [input], { tape, mode, weight, variable }) {
    const { backend } = tape;
    const scale = node.affine ? weight('scale') : null;
    const offset = node.affine ? weight('offset') : null;
    const runningMean = variable('runningMean');
    const runningVariance = variable('runningVariance');
    if (mode === 'training') {
      const { momentum } = node;
      const statistics = momentum > 0 ? { mean: runningMean.tensor, variance: runningVariance.tensor, momentum } : null;
      const { output, mean, variance, running } = normalize(tape, input, scale, offset, node.epsilon, statistics);
      if (running !== null) {
        runningMean.assign(tape.keep(running.mean));
        runningVariance.assign(tape.keep(running.variance));
      }
      backend.dispose(mean);
      backend.dispose(variance);
      return output;
    }
    if (!scale?.requiresGradient && !offset?.requiresGradient) {
      return frozenBatchNorm(tape, input, {
        mean: runningMean.tensor,
        variance: runningVariance.tensor,
        scale: scale?.tensor ?? null,
        offset: offset?.tensor ?? null,
        epsilon: node.epsilon,
      });
    }
    // Weights that are trained beside fixed statistics: one multiplication and one addition for each element.
    const raised = backend.affine(runningVariance.tensor, 1, node.epsilon);
    const deviation = backend.unary('sqrt', raised);
    const inverse = tape.own(backend.unary('reciprocal', deviation));
    backend.dispose(raised);
    backend.dispose(deviation);
    const factor = scale === null ? inverse : multiply(tape, inverse, scale);
    const shift = multiply(tape, tape.constant(runningMean.tensor), factor);
    const negated = affine(tape, shift, -1);
    const summand = offset === null ? negated : add(tape, negated, offset);
    const scaled = multiply(tape, input, factor);
    const output = add(tape, scaled, summand);
    for (const value of new Set([inverse, factor, shift, negated, summand, scaled])) tape.release(value);
    return output;
  },

  follow(node, [input]) {
    const each = { blocks: [[input[input.length - 1]]] };
    const running = { runningMean: each, runningVariance: each };
    return {
      output: input,
      weights: node.affine ? { scale: { ...each, scales: true }, offset: each, ...running } : running,
    };
  },
};
