import type { ChannelStatistics, Tensor, TensorBackend } from '../../backend.ts';
import type { Tape, Value } from '../tape.ts';
import { assertArguments } from './_assert-arguments.ts';
import { sizeOf } from '../../shape.ts';

/**
 * Mean and biased variance of each channel over all axes but the last, side by side.
 *
 * @param input Rank >= 2, channels last.
 * @returns Shape `[2, channels]`: the means, then the variances.
 */
export function channelMoments(tape: Tape, input: Value): Value {
  assertArguments.channels('channelMoments', input.shape);
  const { backend } = tape;
  const channels = input.shape[input.shape.length - 1];
  const count = sizeOf(input.shape) / channels;
  const { mean, variance } =
    backend.fused?.channelStatistics?.(input.tensor) ?? composeStatistics(backend, input.tensor);
  const rows = [mean, variance].map((tensor) => backend.reshape(tensor, [1, channels]));
  const moments = backend.concat(rows, 0);
  for (const tensor of [...rows, variance]) backend.dispose(tensor);

  return tape.record(
    moments,
    [input],
    (gradient) => {
      // d mean / dx = 1 / count; d variance / dx = 2 (x - mean) / count.
      const row = (index: number): Tensor => {
        const sliced = backend.slice(gradient, [index, 0], [1, channels]);
        const flat = backend.reshape(sliced, [channels]);
        backend.dispose(sliced);
        return flat;
      };
      const [ofMean, ofVariance] = [row(0), row(1)];
      const slope = backend.affine(ofVariance, 2 / count, 0);
      const atMean = backend.binary('multiply', slope, mean);
      const share = backend.affine(ofMean, 1 / count, 0);
      const summand = backend.binary('subtract', share, atMean);
      const scaled = backend.binary('multiply', input.tensor, slope);
      const inputGradient = backend.binary('add', scaled, summand);
      for (const tensor of [ofMean, ofVariance, slope, atMean, share, summand, scaled]) backend.dispose(tensor);
      return [inputGradient];
    },
    { saves: [input], cleanUp: () => backend.dispose(mean) },
  );
}

/** `FusedKernels.channelStatistics` for backends that have none. */
function composeStatistics(backend: TensorBackend, input: Tensor): ChannelStatistics {
  const axes = input.shape.slice(0, -1).map((_, axis) => axis);
  const mean = backend.reduce('mean', input, axes, false);
  const centred = backend.binary('subtract', input, mean);
  const squares = backend.unary('square', centred);
  const variance = backend.reduce('mean', squares, axes, false);
  backend.dispose(centred);
  backend.dispose(squares);
  return { mean, variance };
}
