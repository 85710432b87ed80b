/**
 * Automatic differentiation: what a loss, a method or another plug-in computes with, beside what `@dafl/core` exports.
 *
 * @module
 */
export { type Backward, type RecordOptions, Tape, type Value } from './autodiff/tape.ts';
export { Variable } from './autodiff/variable.ts';
export { withTape } from './autodiff/with-tape.ts';

export { batchMatMul } from './autodiff/operations/batch-mat-mul.ts';
export {
  batchNorm,
  type BatchNormOutput,
  type FrozenBatchNorm,
  frozenBatchNorm,
} from './autodiff/operations/batch-norm.ts';
export { channelMoments } from './autodiff/operations/channel-moments.ts';
export { conv2d } from './autodiff/operations/conv2d.ts';
export {
  abs,
  add,
  affine,
  clip,
  detach,
  divide,
  erf,
  exp,
  gelu,
  leakyRelu,
  log,
  multiply,
  sigmoid,
  square,
  subtract,
  tanh,
} from './autodiff/operations/element-wise.ts';
export { largest } from './autodiff/operations/largest.ts';
export { concat, pad, reshape, slice, transpose } from './autodiff/operations/layout.ts';
export { matMul } from './autodiff/operations/mat-mul.ts';
export { maximum, minimum } from './autodiff/operations/maximum.ts';
export { meanSquaredDistance } from './autodiff/operations/mean-squared-distance.ts';
export { averagePool2d, maxPool2d, upsampleNearest2d } from './autodiff/operations/pooling.ts';
export { mean, sum } from './autodiff/operations/reduction.ts';
export { softmaxDivergence } from './autodiff/operations/softmax-divergence.ts';
export { logSoftmax, softmax } from './autodiff/operations/softmax.ts';
export { softplus } from './autodiff/operations/softplus.ts';
export { squareRoot } from './autodiff/operations/square-root.ts';
export { transposedConv2d } from './autodiff/operations/transposed-conv2d.ts';
export { upsampleConv2d } from './autodiff/operations/upsample-conv2d.ts';
