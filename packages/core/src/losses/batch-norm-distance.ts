import { add, affine, square, subtract } from '../autodiff/operations/element-wise.ts';
import { channelMoments } from '../autodiff/operations/channel-moments.ts';
import { sum } from '../autodiff/operations/reduction.ts';
import { squareRoot } from '../autodiff/operations/square-root.ts';
import type { Tape, Value } from '../autodiff/tape.ts';
import type { Tensor } from '../backend.ts';
import type { ObservedBatchNorm } from './batch-norm-statistics.ts';

/** What came before a batch, for statistics that are to hold for all batches together. */
export interface PastMoments {
  /** Means, then variances of what came before; shape `[2, channels]`. */
  readonly moments: Tensor;
  /** Their share in the statistics, in [0, 1). */
  readonly share: number;
}

/** A distance, and the statistics that it was taken of. */
export interface BatchNormDistance {
  /** A scalar, >= 0, in units of activation. */
  readonly distance: Value;
  /** Of the batch alone: means, then biased variances; shape `[2, channels]`. */
  readonly moments: Value;
}

/** The derivative of a length is not finite at 0. */
const LEAST_SQUARE = 1e-18;

/**
 * How far the statistics of a batch are from those of the teacher's training images, as lengths of the differences.
 *
 * Equation: ℓ = ‖v - σ̂²‖₂ + ‖m - μ̂‖₂ with the batch's mean m and biased variance v of each channel; with a past of share
 * s: m = (1 - s) m(x) + s M, and v alike.
 * Sources: Yin et al., "Dreaming to Distill", CVPR 2020, eq. 4; the past as in Fang et al., "Up to 100x Faster Data-free
 * Knowledge Distillation", AAAI 2022. Deviations: none. Layers of large activations rule; `batchNormStatisticsLoss` is a
 * relative form.
 */
export function batchNormDistance(
  tape: Tape,
  { input, runningMean, runningVariance }: ObservedBatchNorm,
  past?: PastMoments,
): BatchNormDistance {
  const { backend } = tape;
  const [channels] = runningMean.shape;
  const rows = [runningMean, runningVariance].map((tensor) => backend.reshape(tensor, [1, channels]));
  const expected = tape.own(backend.concat(rows, 0));
  for (const tensor of rows) backend.dispose(tensor);
  const moments = channelMoments(tape, input);
  const blended =
    past === undefined
      ? moments
      : add(tape, affine(tape, moments, 1 - past.share), affine(tape, tape.constant(past.moments), past.share));
  const squares = sum(tape, square(tape, subtract(tape, blended, expected)), [1]);
  return { distance: sum(tape, squareRoot(tape, affine(tape, squares, 1, LEAST_SQUARE))), moments };
}
