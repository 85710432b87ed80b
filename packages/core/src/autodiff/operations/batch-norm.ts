import type { BatchNormGradient, BatchNormResult, FusedKernels, Tensor, TensorBackend } from '../../backend.ts';
import type { Tape, Value } from '../tape.ts';
import { sizeOf } from './_shape.ts';

/** What a training-mode batch normalisation gives beside its output. */
export interface BatchNormOutput {
  readonly output: Value;
  /** Batch mean, shape `[channels]`. The caller disposes it. */
  readonly mean: Tensor;
  /** Biased batch variance, shape `[channels]`. The caller disposes it. */
  readonly variance: Tensor;
}

/**
 * Normalises over all axes but the last with the batch's own statistics:
 * output = (input - mean) / sqrt(variance + epsilon) * scale + offset.
 *
 * Source: Ioffe and Szegedy, "Batch Normalization", 2015, algorithm 1.
 *
 * @param input Rank >= 2, channels last.
 * @param scale Shape `[channels]`, or null for 1.
 * @param offset Shape `[channels]`, or null for 0.
 */
export function batchNorm(
  tape: Tape,
  input: Value,
  scale: Value | null,
  offset: Value | null,
  epsilon: number,
): BatchNormOutput {
  const { backend } = tape;
  const forward = backend.fused?.batchNorm?.bind(backend.fused) ?? composedBatchNorm(backend);
  const backward = backend.fused?.batchNormGradient?.bind(backend.fused) ?? composedBatchNormGradient(backend);
  const { output, mean, variance } = forward(input.tensor, scale?.tensor ?? null, offset?.tensor ?? null, epsilon);

  // The caller may free its statistics before the derivative is taken, so the tape keeps handles of its own.
  const keptMean = backend.reshape(mean, mean.shape);
  const keptVariance = backend.reshape(variance, variance.shape);
  const inputs = [input, ...(scale === null ? [] : [scale]), ...(offset === null ? [] : [offset])];
  const value = tape.record(
    output,
    inputs,
    (gradient) => {
      const gradients = backward(gradient, input.tensor, scale?.tensor ?? null, keptMean, keptVariance, epsilon);
      const returned = [gradients.inputGradient];
      if (scale === null) backend.dispose(gradients.scaleGradient);
      else returned.push(gradients.scaleGradient);
      if (offset === null) backend.dispose(gradients.offsetGradient);
      else returned.push(gradients.offsetGradient);
      return returned;
    },
    {
      saves: [input, ...(scale === null ? [] : [scale])],
      cleanUp: () => {
        backend.dispose(keptMean);
        backend.dispose(keptVariance);
      },
    },
  );
  return { output: value, mean, variance };
}

/** Axes over which statistics are taken: all but the channels. */
function statisticAxes(tensor: Tensor): number[] {
  return tensor.shape.slice(0, -1).map((_, axis) => axis);
}

/** 1 / sqrt(variance + epsilon), shape `[channels]`. */
function inverseDeviation(backend: TensorBackend, variance: Tensor, epsilon: number): Tensor {
  const raised = backend.affine(variance, 1, epsilon);
  const deviation = backend.unary('sqrt', raised);
  const inverse = backend.unary('reciprocal', deviation);
  backend.dispose(raised);
  backend.dispose(deviation);
  return inverse;
}

/** `FusedKernels.batchNorm` for backends that have none. */
export function composedBatchNorm(backend: TensorBackend): FusedKernels['batchNorm'] {
  return (input: Tensor, scale: Tensor | null, offset: Tensor | null, epsilon: number): BatchNormResult => {
    const axes = statisticAxes(input);
    const mean = backend.reduce('mean', input, axes, false);
    const centred = backend.binary('subtract', input, mean);
    const squares = backend.unary('square', centred);
    const variance = backend.reduce('mean', squares, axes, false);
    backend.dispose(squares);
    const inverse = inverseDeviation(backend, variance, epsilon);
    const factor = scale === null ? inverse : backend.binary('multiply', inverse, scale);
    const scaled = backend.binary('multiply', centred, factor);
    backend.dispose(centred);
    if (factor !== inverse) backend.dispose(factor);
    backend.dispose(inverse);
    if (offset === null) return { output: scaled, mean, variance };
    const output = backend.binary('add', scaled, offset);
    backend.dispose(scaled);
    return { output, mean, variance };
  };
}

function composedBatchNormGradient(backend: TensorBackend) {
  return (
    outputGradient: Tensor,
    input: Tensor,
    scale: Tensor | null,
    mean: Tensor,
    variance: Tensor,
    epsilon: number,
  ): BatchNormGradient => {
    const axes = statisticAxes(input);
    const count = sizeOf(axes.map((axis) => input.shape[axis]));
    const inverse = inverseDeviation(backend, variance, epsilon);
    const centred = backend.binary('subtract', input, mean);
    const normalised = backend.binary('multiply', centred, inverse);
    backend.dispose(centred);
    const weighted = backend.binary('multiply', outputGradient, normalised);
    const scaleGradient = backend.reduce('sum', weighted, axes, false);
    backend.dispose(weighted);
    const offsetGradient = backend.reduce('sum', outputGradient, axes, false);

    // dx = scale / deviation * (g - mean(g) - normalised * mean(g * normalised))
    const meanGradient = backend.affine(offsetGradient, 1 / count, 0);
    const meanWeighted = backend.affine(scaleGradient, 1 / count, 0);
    const along = backend.binary('multiply', normalised, meanWeighted);
    const withoutMean = backend.binary('subtract', outputGradient, meanGradient);
    const projected = backend.binary('subtract', withoutMean, along);
    const factor = scale === null ? inverse : backend.binary('multiply', inverse, scale);
    const inputGradient = backend.binary('multiply', projected, factor);
    for (const tensor of [normalised, meanGradient, meanWeighted, along, withoutMean, projected])
      backend.dispose(tensor);
    if (factor !== inverse) backend.dispose(factor);
    backend.dispose(inverse);
    return { inputGradient, scaleGradient, offsetGradient };
  };
}
