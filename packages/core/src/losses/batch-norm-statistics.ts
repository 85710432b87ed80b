import { affine, multiply, subtract } from '../autodiff/operations/element-wise.ts';
import { channelMoments } from '../autodiff/operations/channel-moments.ts';
import { sum } from '../autodiff/operations/reduction.ts';
import type { Tape, Value } from '../autodiff/tape.ts';
import type { Tensor } from '../backend.ts';

/** What a batch normalisation reads, and what it expects. */
export interface ObservedBatchNorm {
  /** Rank >= 2, channels last. */
  readonly input: Value;
  /** Shape `[channels]`. */
  readonly runningMean: Tensor;
  /** Shape `[channels]`. */
  readonly runningVariance: Tensor;
}

/**
 * How far the statistics of a batch are from those of the teacher's training images, which a batch normalisation keeps:
 * the mean over channels of the squared differences, in units of the expected variance.
 *
 * Equation: ℓ = 1/C Σ_c [(μ_c(x) - μ̂_c)² / σ̂²_c + (σ²_c(x) / σ̂²_c - 1)²].
 * Source: Yin et al., "Dreaming to Distill", CVPR 2020, eq. 4. Deviations: that has the Euclidean norms of the
 * differences themselves, so that layers of large activations rule; here each channel counts alike.
 *
 * @returns A scalar, >= 0, without unit.
 */
export function batchNormStatisticsLoss(tape: Tape, observed: ObservedBatchNorm): Value {
  const { backend } = tape;
  const { input, runningMean, runningVariance } = observed;
  const [channels] = runningMean.shape;
  const stack = (top: Tensor, bottom: Tensor): Value => {
    const rows = [top, bottom].map((tensor) => backend.reshape(tensor, [1, channels]));
    const stacked = tape.own(backend.concat(rows, 0));
    rows.forEach((tensor) => backend.dispose(tensor));
    return stacked;
  };
  const raised = backend.affine(runningVariance, 1, 1e-6);
  const inverse = backend.unary('reciprocal', raised);
  const inverseDeviation = backend.unary('sqrt', inverse);
  const expected = stack(runningMean, runningVariance);
  const scale = stack(inverseDeviation, inverse);
  for (const tensor of [raised, inverse, inverseDeviation]) backend.dispose(tensor);
  const difference = multiply(tape, subtract(tape, channelMoments(tape, input), expected), scale);
  return affine(tape, sum(tape, multiply(tape, difference, difference)), 1 / channels);
}
