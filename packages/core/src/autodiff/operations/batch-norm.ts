import type {
  BatchNormGradient,
  BatchNormResult,
  ChannelStatistics,
  FusedKernels,
  RunningStatistics,
  Tensor,
  TensorBackend,
} from '../../backend.ts';
import type { Tape, Value } from '../tape.ts';
import { assertArguments } from './_assert-arguments.ts';
import { sizeOf } from '../../shape.ts';

/** What a training-mode batch normalisation gives beside its output. */
export interface BatchNormOutput {
  readonly output: Value;
  /** Batch mean, shape `[channels]`. The caller disposes it. */
  readonly mean: Tensor;
  /** Biased batch variance, shape `[channels]`. The caller disposes it. */
  readonly variance: Tensor;
  /** The new running statistics, or null where none were given. The caller disposes them. */
  readonly running: ChannelStatistics | null;
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
 * @param runningStatistics What follows the batches' statistics, or null.
 */
export function batchNorm(
  tape: Tape,
  input: Value,
  scale: Value | null,
  offset: Value | null,
  epsilon: number,
  runningStatistics: RunningStatistics | null = null,
): BatchNormOutput {
  const { mean: runningMean = null, variance: runningVariance = null } = runningStatistics ?? {};
  assertArguments.channels('batchNorm', input.shape, { scale, offset, runningMean, runningVariance });
  const { backend } = tape;
  const forward = backend.fused?.batchNorm?.bind(backend.fused) ?? composedBatchNorm(backend);
  const backward = backend.fused?.batchNormGradient?.bind(backend.fused) ?? composedBatchNormGradient(backend);
  const { output, mean, variance, running } = forward(
    input.tensor,
    scale?.tensor ?? null,
    offset?.tensor ?? null,
    epsilon,
    runningStatistics,
  );

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
  return { output: value, mean, variance, running };
}

/** Statistics and weights of a batch normalisation that nothing trains. */
export interface FrozenBatchNorm {
  /** Shape `[channels]`. */
  readonly mean: Tensor;
  /** Shape `[channels]`. */
  readonly variance: Tensor;
  /** Shape `[channels]`, or null for 1. */
  readonly scale: Tensor | null;
  /** Shape `[channels]`, or null for 0. */
  readonly offset: Tensor | null;
  readonly epsilon: number;
}

/**
 * Normalises by given statistics: output = (input - mean) / sqrt(variance + epsilon) * scale + offset. Gradient flows
 * into the input alone.
 *
 * @param input Rank >= 2, channels last.
 */
export function frozenBatchNorm(tape: Tape, input: Value, frozen: FrozenBatchNorm): Value {
  const { backend } = tape;
  const { mean, variance, scale, offset, epsilon } = frozen;
  assertArguments.channels('frozenBatchNorm', input.shape, { mean, variance, scale, offset });
  const normalize = backend.fused?.frozenBatchNorm?.bind(backend.fused) ?? composedFrozenBatchNorm(backend);
  return tape.record(normalize(input.tensor, mean, variance, scale, offset, epsilon), [input], (gradient) => [
    normalize(gradient, null, variance, scale, null, epsilon),
  ]);
}

function composedFrozenBatchNorm(backend: TensorBackend): FusedKernels['frozenBatchNorm'] {
  return (input, mean, variance, scale, offset, epsilon) => {
    const temporary: Tensor[] = [];
    const keep = (tensor: Tensor): Tensor => {
      temporary.push(tensor);
      return tensor;
    };
    const inverse = keep(inverseDeviation(backend, variance, epsilon));
    const factor = scale === null ? inverse : keep(backend.binary('multiply', inverse, scale));
    let shift = mean === null ? null : keep(backend.affine(keep(backend.binary('multiply', mean, factor)), -1, 0));
    if (offset !== null) shift = shift === null ? offset : keep(backend.binary('add', shift, offset));
    const scaled = backend.binary('multiply', input, factor);
    const output = shift === null ? scaled : backend.binary('add', keep(scaled), shift);
    for (const tensor of temporary) backend.dispose(tensor);
    return output;
  };
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
  return (input, scale, offset, epsilon, runningStatistics): BatchNormResult => {
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
    const count = sizeOf(axes.map((axis) => input.shape[axis]));
    const running = runningStatistics && moveStatistics(backend, runningStatistics, { mean, variance }, count);
    if (offset === null) return { output: scaled, mean, variance, running };
    const output = backend.binary('add', scaled, offset);
    backend.dispose(scaled);
    return { output, mean, variance, running };
  };
}

/** The new running statistics; the variance is unbiased, as in PyTorch. */
function moveStatistics(
  backend: TensorBackend,
  { momentum, ...old }: RunningStatistics,
  batch: ChannelStatistics,
  count: number,
): ChannelStatistics {
  const move = (running: Tensor, value: Tensor, factor: number): Tensor => {
    const kept = backend.affine(running, 1 - momentum, 0);
    const added = backend.affine(value, momentum * factor, 0);
    const moved = backend.binary('add', kept, added);
    backend.dispose(kept);
    backend.dispose(added);
    return moved;
  };
  return {
    mean: move(old.mean, batch.mean, 1),
    variance: move(old.variance, batch.variance, count / Math.max(1, count - 1)),
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
