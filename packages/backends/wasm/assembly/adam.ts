/** The Adam update (Kingma and Ba 2015, https://arxiv.org/abs/1412.6980, algorithm 1). */
import { address, float, integer, smaller } from './simd';

/**
 * Arguments: parameter, gradient, firstMoment, secondMoment, parameterOutput, firstOutput, secondOutput, count,
 * chunkSize, stepSize, beta1, 1 - beta1, beta2, 1 - beta2, secondMomentCorrection, epsilon.
 */
export function adam(args: usize, chunk: i32): void {
  const chunkSize = integer(args, 8);
  const offset = <usize>(chunk * chunkSize) << 2;
  const parameter = address(args, 0) + offset;
  const gradient = address(args, 1) + offset;
  const first = address(args, 2) + offset;
  const second = address(args, 3) + offset;
  const parameterOutput = address(args, 4) + offset;
  const firstOutput = address(args, 5) + offset;
  const secondOutput = address(args, 6) + offset;
  const stepSize = f32x4.splat(float(args, 9));
  const beta1 = f32x4.splat(float(args, 10));
  const rest1 = f32x4.splat(float(args, 11));
  const beta2 = f32x4.splat(float(args, 12));
  const rest2 = f32x4.splat(float(args, 13));
  const correction = f32x4.splat(float(args, 14));
  const epsilon = f32x4.splat(float(args, 15));
  const bytes = ((<usize>smaller(chunkSize, integer(args, 7) - chunk * chunkSize) << 2) + 15) & ~15;
  for (let i: usize = 0; i < bytes; i += 16) {
    const g = v128.load(gradient + i);
    const m = f32x4.add(f32x4.mul(beta1, v128.load(first + i)), f32x4.mul(rest1, g));
    const v = f32x4.add(f32x4.mul(beta2, v128.load(second + i)), f32x4.mul(rest2, f32x4.mul(g, g)));
    v128.store(firstOutput + i, m);
    v128.store(secondOutput + i, v);
    const step = f32x4.div(
      f32x4.mul(stepSize, m),
      f32x4.add(f32x4.div(f32x4.sqrt(v), correction), epsilon),
    );
    v128.store(parameterOutput + i, f32x4.sub(v128.load(parameter + i), step));
  }
}
