/** Losses over the classes of an example. */
import { SoftmaxDivergenceArguments } from './generated/kernel-arguments';
import { exponential, logarithm } from './mathematics';
import { maxLanes, smaller, sumLanes } from './simd';

/** Up to four floats; `rest` in the other lanes. */
// @ts-ignore: decorator
@inline
function loadPart(source: usize, count: i32, rest: f32): v128 {
  const isValid = i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count));
  return v128.bitselect(v128.load(source), f32x4.splat(rest), isValid);
}

/** Divergence of softmax(logits) from the target and its gradient, row by row. */
export function softmaxDivergence(args: SoftmaxDivergenceArguments, chunk: i32): void {
  const classes = args.classes;
  const rowsPerChunk = args.rowsPerChunk;
  const last = smaller((chunk + 1) * rowsPerChunk, args.rows);
  const zero = f32x4.splat(0);
  for (let row = chunk * rowsPerChunk; row < last; row++) {
    const at = <usize>(row * classes) << 2;
    const logits = args.logits + at;
    const target = args.target + at;
    const gradient = args.logitsGradient + at;
    let largest = f32x4.splat(-Infinity);
    for (let c = 0; c < classes; c += 4) {
      largest = f32x4.max(largest, loadPart(logits + (<usize>c << 2), classes - c, -Infinity));
    }
    const shift = f32x4.splat(maxLanes(largest));
    let total = zero;
    for (let c = 0; c < classes; c += 4) {
      const x = loadPart(logits + (<usize>c << 2), classes - c, -Infinity);
      total = f32x4.add(total, exponential(f32x4.sub(x, shift)));
    }
    const logTotal = logarithm(f32x4.splat(sumLanes(total)));
    let divergence = zero;
    for (let c = 0; c < classes; c += 4) {
      const i = <usize>c << 2;
      const count = classes - c;
      const t = loadPart(target + i, count, 0);
      const logProbability = f32x4.sub(f32x4.sub(v128.load(logits + i), shift), logTotal);
      // 0 log 0 is 0.
      const term = f32x4.mul(t, f32x4.sub(logarithm(t), logProbability));
      divergence = f32x4.add(divergence, v128.andnot(term, f32x4.eq(t, zero)));
      const slope = f32x4.sub(exponential(logProbability), t);
      if (count >= 4) {
        v128.store(gradient + i, slope);
      } else {
        v128.store32_lane(gradient + i, slope, 0);
        if (count > 1) v128.store32_lane(gradient + i, slope, 1, 4);
        if (count > 2) v128.store32_lane(gradient + i, slope, 2, 8);
      }
    }
    store<f32>(args.divergence + (<usize>row << 2), sumLanes(divergence));
  }
}
