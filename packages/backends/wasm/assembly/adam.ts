import { AdamArguments } from './generated/kernel-arguments';
import { smaller } from './simd';

/** The Adam update (Kingma and Ba 2015, https://arxiv.org/abs/1412.6980, algorithm 1). */
export function adam(args: AdamArguments, chunk: i32): void {
  const chunkSize = args.chunkSize;
  const offset = <usize>(chunk * chunkSize) << 2;
  const parameter = args.parameter + offset;
  const gradient = args.gradient + offset;
  const first = args.firstMoment + offset;
  const second = args.secondMoment + offset;
  const parameterOutput = args.newParameter + offset;
  const firstOutput = args.newFirstMoment + offset;
  const secondOutput = args.newSecondMoment + offset;
  const stepSize = f32x4.splat(args.stepSize);
  const beta1 = f32x4.splat(args.beta1);
  const rest1 = f32x4.splat(args.oneMinusBeta1);
  const beta2 = f32x4.splat(args.beta2);
  const rest2 = f32x4.splat(args.oneMinusBeta2);
  const correction = f32x4.splat(args.secondMomentCorrection);
  const epsilon = f32x4.splat(args.epsilon);
  const bytes = ((<usize>smaller(chunkSize, args.count - chunk * chunkSize) << 2) + 15) & ~15;
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
