import { abs, add, affine, square, subtract } from '../autodiff/operations/element-wise.ts';
import { slice } from '../autodiff/operations/layout.ts';
import { mean, sum } from '../autodiff/operations/reduction.ts';
import { squareRoot } from '../autodiff/operations/square-root.ts';
import type { Tape, Value } from '../autodiff/tape.ts';

/** The derivative of a length is not finite at 0. */
const LEAST_SQUARE = 1e-18;

/**
 * How rough images are: differences of neighbouring pixels in four directions (right, down and both diagonals).
 *
 * `'l1'`: the sum of the four means of their absolute values; `'l2'`: the sum of their four lengths over the whole batch.
 * Source: Yin et al., "Dreaming to Distill", CVPR 2020, with its published code.
 *
 * @param images Shape `[batch, height, width, channels]`, height and width >= 2.
 * @returns A scalar, >= 0.
 */
export function totalVariationLoss(tape: Tape, images: Value, norm: 'l1' | 'l2'): Value {
  const [batch, height, width, channels] = images.shape;
  const differences = (
    [
      [0, 1],
      [1, 0],
      [1, -1],
      [1, 1],
    ] as const
  ).map(([down, right]) => {
    const size = [batch, height - down, width - Math.abs(right), channels];
    const from = slice(tape, images, [0, 0, Math.max(0, -right), 0], size);
    const to = slice(tape, images, [0, down, Math.max(0, right), 0], size);
    return subtract(tape, to, from);
  });
  const measure = (difference: Value): Value =>
    norm === 'l1'
      ? mean(tape, abs(tape, difference))
      : squareRoot(tape, affine(tape, sum(tape, square(tape, difference)), 1, LEAST_SQUARE));
  return differences.map(measure).reduce((total, term) => add(tape, total, term));
}
