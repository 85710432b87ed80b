import type {
  AdamStepOptions,
  AdamStepResult,
  BatchNormGradient,
  BatchNormResult,
  BinaryOperation,
  RunningStatistics,
  SoftmaxDivergenceResult,
  Tensor,
  TensorBackend,
} from '@dafl/core';

/**
 * What the fused kernels must agree with, written with the primitives, as their equations in the contract read. The
 * oracle runs them in float64, so they need not be clever about rounding.
 */

/** Frees what an expression makes on its way. */
class Scope {
  readonly #backend: TensorBackend;
  readonly #tensors: Tensor[] = [];

  constructor(backend: TensorBackend) {
    this.#backend = backend;
  }

  keep(tensor: Tensor): Tensor {
    this.#tensors.push(tensor);
    return tensor;
  }

  binary(operation: BinaryOperation, left: Tensor, right: Tensor): Tensor {
    return this.keep(this.#backend.binary(operation, left, right));
  }

  /** Over all axes but the last. */
  overPositions(operation: 'sum' | 'mean', input: Tensor): Tensor {
    return this.keep(this.#backend.reduce(operation, input, [...input.shape.keys()].slice(0, -1), false));
  }

  /** Disposes of everything but `survivors`. */
  end(survivors: readonly Tensor[]): void {
    for (const tensor of this.#tensors) if (!survivors.includes(tensor)) this.#backend.dispose(tensor);
  }
}

/** batchNorm of the contract. */
export function composeBatchNorm(
  backend: TensorBackend,
  input: Tensor,
  scale: Tensor | null,
  offset: Tensor | null,
  epsilon: number,
  running: RunningStatistics | null = null,
): BatchNormResult {
  const scope = new Scope(backend);
  const mean = scope.overPositions('mean', input);
  const centred = scope.binary('subtract', input, mean);
  const variance = scope.overPositions('mean', scope.keep(backend.unary('square', centred)));
  const deviation = scope.keep(backend.unary('sqrt', scope.keep(backend.affine(variance, 1, epsilon))));
  let output = scope.binary('divide', centred, deviation);
  if (scale !== null) output = scope.binary('multiply', output, scale);
  if (offset !== null) output = scope.binary('add', output, offset);
  const count = mean.shape[0] === 0 ? 0 : input.shape.slice(0, -1).reduce((size, length) => size * length, 1);
  const move = (old: Tensor, batch: Tensor, factor: number): Tensor =>
    scope.binary(
      'add',
      scope.keep(backend.affine(old, 1 - running!.momentum, 0)),
      scope.keep(backend.affine(batch, running!.momentum * factor, 0)),
    );
  const moved = running && {
    mean: move(running.mean, mean, 1),
    variance: move(running.variance, variance, count / Math.max(1, count - 1)),
  };
  scope.end([output, mean, variance, ...(moved ? [moved.mean, moved.variance] : [])]);
  return { output, mean, variance, running: moved };
}

/** frozenBatchNorm of the contract. */
export function composeFrozenBatchNorm(
  backend: TensorBackend,
  input: Tensor,
  mean: Tensor | null,
  variance: Tensor,
  scale: Tensor | null,
  offset: Tensor | null,
  epsilon: number,
): Tensor {
  const scope = new Scope(backend);
  const deviation = scope.keep(backend.unary('sqrt', scope.keep(backend.affine(variance, 1, epsilon))));
  const centred = mean === null ? input : scope.binary('subtract', input, mean);
  let output = scope.binary('divide', centred, deviation);
  if (scale !== null) output = scope.binary('multiply', output, scale);
  if (offset !== null) output = scope.binary('add', output, offset);
  scope.end([output]);
  return output;
}

/** clip of the contract. */
export function composeClip(backend: TensorBackend, input: Tensor, low: number, high: number): Tensor {
  const scope = new Scope(backend);
  const raised = scope.binary('maximum', input, scope.keep(backend.fill([], low)));
  const output = scope.binary('minimum', raised, scope.keep(backend.fill([], high)));
  scope.end([output]);
  return output;
}

/** clipGradient of the contract, for finite gradients. */
export function composeClipGradient(
  backend: TensorBackend,
  outputGradient: Tensor,
  input: Tensor,
  low: number,
  high: number,
): Tensor {
  const scope = new Scope(backend);
  const isAbove = scope.binary('greater', input, scope.keep(backend.fill([], low)));
  const isBelow = scope.binary('greater', scope.keep(backend.fill([], high)), input);
  const output = scope.binary('multiply', outputGradient, scope.binary('multiply', isAbove, isBelow));
  scope.end([output]);
  return output;
}

/** gelu of the contract. */
export function composeGelu(backend: TensorBackend, input: Tensor): Tensor {
  const scope = new Scope(backend);
  const output = scope.binary('multiply', input, normalShare(backend, scope, input));
  scope.end([output]);
  return output;
}

/** geluGradient of the contract. */
export function composeGeluGradient(backend: TensorBackend, outputGradient: Tensor, input: Tensor): Tensor {
  const scope = new Scope(backend);
  const exponent = scope.keep(backend.affine(scope.keep(backend.unary('square', input)), -0.5, 0));
  const density = scope.keep(backend.affine(scope.keep(backend.unary('exp', exponent)), 1 / Math.sqrt(2 * Math.PI), 0));
  const slope = scope.binary('add', normalShare(backend, scope, input), scope.binary('multiply', input, density));
  const output = scope.binary('multiply', outputGradient, slope);
  scope.end([output]);
  return output;
}

/** (1 + erf(x / sqrt(2))) / 2 */
function normalShare(backend: TensorBackend, scope: Scope, input: Tensor): Tensor {
  const error = scope.keep(backend.unary('erf', scope.keep(backend.affine(input, Math.SQRT1_2, 0))));
  return scope.keep(backend.affine(error, 0.5, 0.5));
}

/**
 * batchNormGradient of the contract.
 *
 * Equation: with x̂ the normalised input, g the outputGradient and E the mean over positions,
 * ∂/∂input = scale / sqrt(variance + epsilon) (g − E g − x̂ E[g x̂]).
 */
export function composeBatchNormGradient(
  backend: TensorBackend,
  outputGradient: Tensor,
  input: Tensor,
  scale: Tensor | null,
  mean: Tensor,
  variance: Tensor,
  epsilon: number,
): BatchNormGradient {
  const scope = new Scope(backend);
  const deviation = scope.keep(backend.unary('sqrt', scope.keep(backend.affine(variance, 1, epsilon))));
  const normalised = scope.binary('divide', scope.binary('subtract', input, mean), deviation);
  const product = scope.binary('multiply', outputGradient, normalised);
  const scaleGradient = scope.overPositions('sum', product);
  const offsetGradient = scope.overPositions('sum', outputGradient);
  const share = scope.binary('multiply', normalised, scope.overPositions('mean', product));
  const centred = scope.binary('subtract', outputGradient, scope.overPositions('mean', outputGradient));
  let inputGradient = scope.binary('divide', scope.binary('subtract', centred, share), deviation);
  if (scale !== null) inputGradient = scope.binary('multiply', inputGradient, scale);
  scope.end([inputGradient, scaleGradient, offsetGradient]);
  return { inputGradient, scaleGradient, offsetGradient };
}

/** flatten of the contract. */
export function composeFlatten(backend: TensorBackend, tensors: readonly Tensor[]): Tensor {
  const scope = new Scope(backend);
  const rows = tensors.map((tensor) =>
    scope.keep(backend.reshape(tensor, [tensor.shape.reduce((size, length) => size * length, 1)])),
  );
  const flat = backend.concat(rows, 0);
  scope.end([]);
  return flat;
}

/** adamStep of the contract. */
export function composeAdamStep(
  backend: TensorBackend,
  parameter: Tensor,
  gradient: Tensor,
  firstMoment: Tensor,
  secondMoment: Tensor,
  options: AdamStepOptions,
): AdamStepResult {
  const { stepSize, beta1, beta2, secondMomentCorrection, epsilon } = options;
  const scope = new Scope(backend);
  const square = scope.keep(backend.unary('square', gradient));
  const newFirstMoment = scope.binary(
    'add',
    scope.keep(backend.affine(firstMoment, beta1, 0)),
    scope.keep(backend.affine(gradient, 1 - beta1, 0)),
  );
  const newSecondMoment = scope.binary(
    'add',
    scope.keep(backend.affine(secondMoment, beta2, 0)),
    scope.keep(backend.affine(square, 1 - beta2, 0)),
  );
  const root = scope.keep(backend.unary('sqrt', newSecondMoment));
  const divisor = scope.keep(backend.affine(root, 1 / secondMomentCorrection, epsilon));
  const step = scope.binary('divide', scope.keep(backend.affine(newFirstMoment, stepSize, 0)), divisor);
  const newParameter = scope.binary('subtract', parameter, step);
  scope.end([newParameter, newFirstMoment, newSecondMoment]);
  return { parameter: newParameter, firstMoment: newFirstMoment, secondMoment: newSecondMoment };
}

const CONV_3X3 = {
  strides: [1, 1],
  padding: { top: 1, bottom: 1, left: 1, right: 1 },
  dilations: [1, 1],
  groups: 1,
} as const;

export function composeUpsampleConv2d(
  backend: TensorBackend,
  input: Tensor,
  filter: Tensor,
  bias: Tensor | null,
): Tensor {
  const upsampled = backend.upsampleNearest2d(input, [2, 2]);
  const output = backend.conv2d(upsampled, filter, bias, CONV_3X3);
  backend.dispose(upsampled);
  return output;
}

export function composeUpsampleConv2dInputGradient(
  backend: TensorBackend,
  outputGradient: Tensor,
  filter: Tensor,
): Tensor {
  const [batch, height, width] = outputGradient.shape;
  const shape = [batch, height, width, filter.shape[2]];
  const upsampledGradient = backend.conv2dInputGradient(outputGradient, filter, shape, CONV_3X3);
  const inputGradient = backend.upsampleNearest2dGradient(upsampledGradient, [2, 2]);
  backend.dispose(upsampledGradient);
  return inputGradient;
}

export function composeUpsampleConv2dFilterGradient(
  backend: TensorBackend,
  input: Tensor,
  outputGradient: Tensor,
): Tensor {
  const upsampled = backend.upsampleNearest2d(input, [2, 2]);
  const shape = [3, 3, input.shape[3], outputGradient.shape[3]];
  const filterGradient = backend.conv2dFilterGradient(upsampled, outputGradient, shape, CONV_3X3);
  backend.dispose(upsampled);
  return filterGradient;
}

/** softmax of the contract. */
export function composeSoftmax(backend: TensorBackend, logits: Tensor): Tensor {
  const scope = new Scope(backend);
  const shifted = scope.binary('subtract', logits, scope.keep(backend.reduce('max', logits, [1], true)));
  const exponentials = scope.keep(backend.unary('exp', shifted));
  const output = scope.binary('divide', exponentials, scope.keep(backend.reduce('sum', exponentials, [1], true)));
  scope.end([output]);
  return output;
}

/** Targets must be > 0 here. */
export function composeSoftmaxDivergence(
  backend: TensorBackend,
  logits: Tensor,
  target: Tensor,
): SoftmaxDivergenceResult {
  const scope = new Scope(backend);
  const shifted = scope.binary('subtract', logits, scope.keep(backend.reduce('max', logits, [1], true)));
  const exponentials = scope.keep(backend.unary('exp', shifted));
  const total = scope.keep(backend.reduce('sum', exponentials, [1], true));
  const logProbabilities = scope.binary('subtract', shifted, scope.keep(backend.unary('log', total)));
  const difference = scope.binary('subtract', scope.keep(backend.unary('log', target)), logProbabilities);
  const divergence = scope.keep(backend.reduce('sum', scope.binary('multiply', target, difference), [1], false));
  const logitsGradient = scope.binary('subtract', scope.binary('divide', exponentials, total), target);
  scope.end([divergence, logitsGradient]);
  return { divergence, logitsGradient };
}
