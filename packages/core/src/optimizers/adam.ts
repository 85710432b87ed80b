import { check, fail } from '../check.ts';
import type { AdamStepOptions, AdamStepResult, Tensor, TensorBackend } from '../backend.ts';
import type { Variable } from '../autodiff/variable.ts';
import { assignBlock, blocksOf, joinBlock, Moments } from './_blocks.ts';
import type { Optimizer, OptimizerOptions } from './optimizer.ts';

/**
 * Adam: m ← β₁m + (1-β₁)g, v ← β₂v + (1-β₂)g², p ← p - η m̂ / (√v̂ + ε), m̂ = m/(1-β₁ᵗ), v̂ = v/(1-β₂ᵗ).
 *
 * Source: Kingma and Ba, "Adam", 2015, algorithm 1. Deviations: none (epsilon outside the root, as in PyTorch). Relative
 * learning rates are those of Shazeer and Stern, "Adafactor", 2018, section 8, but that they go by the first values, and that
 * usual ones are left alone.
 */
export function createAdam(
  backend: TensorBackend,
  variables: readonly Variable[],
  options: Omit<Extract<OptimizerOptions, { kind: 'adam' }>, 'kind'> = {},
): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, relative = false } = options;
  for (const [name, value] of Object.entries({ beta1, beta2 })) {
    if (!(value >= 0 && value < 1)) fail({ cannot: 'create Adam', as: `'${name}' must be in [0, 1)`, value });
  }
  check(epsilon > 0, { cannot: 'create Adam', as: "'epsilon' must be > 0", value: epsilon });
  const factorOf = (variable: Variable): number => (relative ? rateFactor(variable) : 1);
  const blocks = blocksOf(backend, variables, factorOf);
  const first = new Moments(backend, blocks, 'firstMoment');
  const second = new Moments(backend, blocks, 'secondMoment');
  const adamStep = backend.fused?.adamStep?.bind(backend.fused) ?? composedAdamStep(backend);
  let step = 0;
  return {
    apply(gradients, learningRate) {
      step++;
      const numbers: AdamStepOptions = {
        stepSize: learningRate / (1 - beta1 ** step),
        beta1,
        beta2,
        secondMomentCorrection: Math.sqrt(1 - beta2 ** step),
        epsilon,
      };
      blocks.forEach((block, index) => {
        const own = block.indices.map((at) => gradients[at]);
        const gradient = joinBlock(backend, block, own);
        for (const tensor of own) backend.dispose(tensor);
        const parameter = joinBlock(
          backend,
          block,
          block.variables.map(({ tensor }) => tensor),
        );
        const stepSize = numbers.stepSize * factorOf(block.variables[0]);
        const updated = adamStep(parameter, gradient, first.at(index), second.at(index), { ...numbers, stepSize });
        backend.dispose(gradient);
        backend.dispose(parameter);
        assignBlock(backend, block, updated.parameter);
        first.assign(index, updated.firstMoment);
        second.assign(index, updated.secondMoment);
      });
    },
    async state() {
      const tensors = new Map();
      await first.save(tensors);
      await second.save(tensors);
      return { step, tensors };
    },
    restore(state) {
      step = state.step;
      first.restore(state.tensors);
      second.restore(state.tensors);
    },
    dispose() {
      first.dispose();
      second.dispose();
    },
  };
}

/** Root mean square of the weights that usual learning rates suit, and how many times larger or smaller it may be. */
const USUAL_SCALE = 0.1;
const USUAL_FACTOR = 4;

function rateFactor({ firstScale = USUAL_SCALE }: Variable): number {
  const factor = firstScale / USUAL_SCALE;
  // Of nothing but zeros, nothing follows.
  return factor > USUAL_FACTOR || (factor > 0 && factor < 1 / USUAL_FACTOR) ? factor : 1;
}

function composedAdamStep(backend: TensorBackend) {
  return (
    parameter: Tensor,
    gradient: Tensor,
    firstMoment: Tensor,
    secondMoment: Tensor,
    numbers: AdamStepOptions,
  ): AdamStepResult => {
    const { stepSize, beta1, beta2, secondMomentCorrection, epsilon } = numbers;
    const temporary: Tensor[] = [];
    const keep = (tensor: Tensor): Tensor => {
      temporary.push(tensor);
      return tensor;
    };
    const squared = keep(backend.unary('square', gradient));
    const first = backend.binary(
      'add',
      keep(backend.affine(firstMoment, beta1, 0)),
      keep(backend.affine(gradient, 1 - beta1, 0)),
    );
    const second = backend.binary(
      'add',
      keep(backend.affine(secondMoment, beta2, 0)),
      keep(backend.affine(squared, 1 - beta2, 0)),
    );
    const root = keep(backend.unary('sqrt', second));
    const divisor = keep(backend.affine(root, 1 / secondMomentCorrection, epsilon));
    const direction = keep(backend.binary('divide', first, divisor));
    const updated = backend.binary('subtract', parameter, keep(backend.affine(direction, stepSize, 0)));
    for (const tensor of temporary) backend.dispose(tensor);
    return { parameter: updated, firstMoment: first, secondMoment: second };
  };
}
