import { check, fail } from '../check.ts';
import { DaflError } from '../errors.ts';
import type { Tensor, TensorBackend } from '../backend.ts';
import type { Variable } from '../autodiff/variable.ts';
import { assignBlock, blocksOf, joinBlock, Moments } from './_blocks.ts';
import type { Optimizer, OptimizerOptions } from './optimizer.ts';

/**
 * Stochastic gradient descent: g ← g + λp; v ← μv + g; p ← p - ηv, or p - η(g + μv) with Nesterov's look-ahead.
 *
 * Source: Sutskever et al., "On the importance of initialization and momentum", 2013, in PyTorch's form (the learning
 * rate multiplies the velocity; no dampening; the first velocity is the first gradient).
 */
export function createSgd(
  backend: TensorBackend,
  variables: readonly Variable[],
  options: Omit<Extract<OptimizerOptions, { kind: 'sgd' }>, 'kind'> = {},
): Optimizer {
  const { momentum = 0, nesterov = false, weightDecay = 0, biasLearningRateFactor = 1 } = options;
  if (!(momentum >= 0 && momentum < 1))
    fail({ cannot: 'create SGD', as: "'momentum' must be in [0, 1)", value: momentum });
  check(weightDecay >= 0, { cannot: 'create SGD', as: "'weightDecay' must be >= 0", value: weightDecay });
  if (nesterov && momentum === 0)
    throw new DaflError('USAGE', "Cannot create SGD as 'momentum' must be > 0 with 'nesterov': current value is 0");
  check(biasLearningRateFactor > 0, {
    cannot: 'create SGD',
    as: "'biasLearningRateFactor' must be > 0",
    value: biasLearningRateFactor,
  });
  const factorOf = ({ name }: Variable): number => (/\.(bias|offset)$/.test(name) ? biasLearningRateFactor : 1);
  const blocks = blocksOf(backend, variables, factorOf);
  const velocities = new Moments(backend, momentum > 0 ? blocks : [], 'velocity');
  let step = 0;

  /** left + factor x right. */
  function addScaled(left: Tensor, right: Tensor, factor: number): Tensor {
    const scaled = backend.affine(right, factor, 0);
    const total = backend.binary('add', left, scaled);
    backend.dispose(scaled);
    return total;
  }

  return {
    apply(gradients, learningRate) {
      step++;
      blocks.forEach((block, index) => {
        const factor = factorOf(block.variables[0]);
        const rate = learningRate * factor;
        const own = block.indices.map((at) => gradients[at]);
        const slope = joinBlock(backend, block, own);
        for (const tensor of own) backend.dispose(tensor);
        const parameter = joinBlock(
          backend,
          block,
          block.variables.map(({ tensor }) => tensor),
        );
        const gradient = addScaled(slope, parameter, weightDecay / factor);
        backend.dispose(slope);
        if (momentum === 0) {
          assignBlock(backend, block, addScaled(parameter, gradient, -rate));
        } else {
          velocities.assign(index, addScaled(gradient, velocities.at(index), momentum));
          const velocity = velocities.at(index);
          const direction = nesterov ? addScaled(gradient, velocity, momentum) : velocity;
          assignBlock(backend, block, addScaled(parameter, direction, -rate));
          if (nesterov) backend.dispose(direction);
        }
        backend.dispose(gradient);
        backend.dispose(parameter);
      });
    },
    async state() {
      const tensors = new Map();
      await velocities.save(tensors);
      return { step, tensors };
    },
    restore(state) {
      step = state.step;
      velocities.restore(state.tensors);
    },
    dispose: () => velocities.dispose(),
  };
}
