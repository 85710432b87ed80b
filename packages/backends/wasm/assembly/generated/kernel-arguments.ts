// Generated from src/kernel-arguments.ts by scripts/build-kernels.ts (npm run build:kernels). Do not edit.

// @ts-ignore: decorator
@unmanaged
export class ElementArguments {
  count: i32;
  chunkSize: i32;
}

// @ts-ignore: decorator
@unmanaged
export class PackingArguments {
  source: usize;
  target: usize;
  bias: usize;
  size0: i32;
  size1: i32;
  size2: i32;
  stride0: i32;
  stride1: i32;
  stride2: i32;
  columns: i32;
  columnStride: i32;
}

// @ts-ignore: decorator
@unmanaged
export class ConvolutionArguments {
  input: usize;
  batch: i32;
  height: i32;
  width: i32;
  pixelChannels: i32;
  firstChannel: i32;
  channels: i32;
  outputRows: i32;
  outputColumns: i32;
  strideDown: i32;
  strideAcross: i32;
  tapsDown: i32;
  tapsAcross: i32;
  dilationDown: i32;
  dilationAcross: i32;
  top: i32;
  left: i32;
  columns: i32;
  imagesPerChunk: i32;
  isCopied: i32;
  scratch: usize;
  scratchBytes: usize;
}

// @ts-ignore: decorator
@unmanaged
export class DepthwiseConvolutionArguments {
  batch: i32;
  height: i32;
  width: i32;
  channels: i32;
  outputHeight: i32;
  outputWidth: i32;
  strideDown: i32;
  strideAcross: i32;
  tapsDown: i32;
  tapsAcross: i32;
  dilationDown: i32;
  dilationAcross: i32;
  top: i32;
  left: i32;
  imagesPerChunk: i32;
}

// @ts-ignore: decorator
@unmanaged
export class PoolingArguments {
  batch: i32;
  height: i32;
  width: i32;
  channels: i32;
  outputHeight: i32;
  outputWidth: i32;
  windowHeight: i32;
  windowWidth: i32;
  strideDown: i32;
  strideAcross: i32;
  top: i32;
  left: i32;
  imagesPerChunk: i32;
}

// @ts-ignore: decorator
@unmanaged
export class UpsamplingArguments {
  rows: i32;
  width: i32;
  channels: i32;
  factorDown: i32;
  factorAcross: i32;
  rowsPerChunk: i32;
}

// @ts-ignore: decorator
@unmanaged
export class UpsampleConvolutionArguments {
  small: usize;
  large: usize;
  batch: i32;
  height: i32;
  width: i32;
  inputs: i32;
  outputs: i32;
  imagesPerBlock: i32;
  rowsPerBlock: i32;
  zeroBytes: usize;
  scratch: usize;
  scratchBytes: usize;
}

// @ts-ignore: decorator
@unmanaged
export class FillArguments extends ElementArguments {
  output: usize;
  bits: i32;
}

// @ts-ignore: decorator
@unmanaged
export class UnaryArguments extends ElementArguments {
  operation: i32;
  input: usize;
  output: usize;
}

// @ts-ignore: decorator
@unmanaged
export class BinaryArguments extends ElementArguments {
  operation: i32;
  form: i32;
  left: usize;
  right: usize;
  output: usize;
  period: i32;
}

// @ts-ignore: decorator
@unmanaged
export class AffineArguments extends ElementArguments {
  input: usize;
  output: usize;
  factor: f32;
  summand: f32;
}

// @ts-ignore: decorator
@unmanaged
export class LeakyReluArguments extends ElementArguments {
  input: usize;
  output: usize;
  slope: f32;
}

// @ts-ignore: decorator
@unmanaged
export class LeakyReluGradientArguments extends ElementArguments {
  outputGradient: usize;
  reluOutput: usize;
  output: usize;
  slope: f32;
}

// @ts-ignore: decorator
@unmanaged
export class ClipArguments extends ElementArguments {
  input: usize;
  output: usize;
  low: f32;
  high: f32;
}

// @ts-ignore: decorator
@unmanaged
export class ClipGradientArguments extends ElementArguments {
  outputGradient: usize;
  input: usize;
  output: usize;
  low: f32;
  high: f32;
}

// @ts-ignore: decorator
@unmanaged
export class GeluArguments extends ElementArguments {
  input: usize;
  output: usize;
}

// @ts-ignore: decorator
@unmanaged
export class GeluGradientArguments extends ElementArguments {
  outputGradient: usize;
  input: usize;
  output: usize;
}

// @ts-ignore: decorator
@unmanaged
export class OneHotArguments {
  indices: usize;
  output: usize;
  count: i32;
  depth: i32;
}

// @ts-ignore: decorator
@unmanaged
export class AdamArguments extends ElementArguments {
  parameter: usize;
  gradient: usize;
  firstMoment: usize;
  secondMoment: usize;
  newParameter: usize;
  newFirstMoment: usize;
  newSecondMoment: usize;
  stepSize: f32;
  beta1: f32;
  oneMinusBeta1: f32;
  beta2: f32;
  oneMinusBeta2: f32;
  secondMomentCorrection: f32;
  epsilon: f32;
}

// @ts-ignore: decorator
@unmanaged
export class StridedCopyArguments {
  input: usize;
  output: usize;
  rowsPerChunk: i32;
  size0: i32;
  size1: i32;
  size2: i32;
  size3: i32;
  size4: i32;
  size5: i32;
  inputStride0: i32;
  inputStride1: i32;
  inputStride2: i32;
  inputStride3: i32;
  inputStride4: i32;
  inputStride5: i32;
  outputStride0: i32;
  outputStride1: i32;
  outputStride2: i32;
  outputStride3: i32;
  outputStride4: i32;
  outputStride5: i32;
}

// @ts-ignore: decorator
@unmanaged
export class ReduceArguments {
  operation: i32;
  input: usize;
  output: usize;
  outer: i32;
  rows: i32;
  inner: i32;
  splits: i32;
  rowsPerSplit: i32;
  itemsPerChunk: i32;
  factor: f32;
}

// @ts-ignore: decorator
@unmanaged
export class ArgMaxArguments {
  input: usize;
  output: usize;
  rows: i32;
  columns: i32;
  rowsPerChunk: i32;
}

// @ts-ignore: decorator
@unmanaged
export class PackPanelsArguments extends PackingArguments {
}

// @ts-ignore: decorator
@unmanaged
export class PackDotsArguments extends PackingArguments {
  isJoined: i32;
}

// @ts-ignore: decorator
@unmanaged
export class PackTriplesArguments extends PackingArguments {
}

// @ts-ignore: decorator
@unmanaged
export class ConvolveArguments extends ConvolutionArguments {
  output: usize;
  packed: usize;
  outputImageBytes: usize;
  outputRowBytes: usize;
  outputPixelBytes: usize;
  rowsPerChunk: i32;
  panelsPerChunk: i32;
  form: i32;
}

// @ts-ignore: decorator
@unmanaged
export class ScatterInputGradientArguments {
  outputGradient: usize;
  inputGradient: usize;
  packed: usize;
  batch: i32;
  height: i32;
  width: i32;
  inputs: i32;
  outputs: i32;
  tapsDown: i32;
  tapsAcross: i32;
  imagesPerChunk: i32;
  scratch: usize;
  scratchBytes: usize;
}

// @ts-ignore: decorator
@unmanaged
export class FilterGradientArguments extends ConvolutionArguments {
  outputGradient: usize;
  partials: usize;
  gradientChannels: i32;
  firstGradientChannel: i32;
  rowsPerBlock: i32;
  tilesPerChunk: i32;
  pixelsInAll: i32;
  imagesPerBlock: i32;
  form: i32;
}

// @ts-ignore: decorator
@unmanaged
export class CombineFilterGradientArguments {
  partials: usize;
  output: usize;
  splits: i32;
  runs: i32;
  tilesPerRun: i32;
  length: i32;
  columns: i32;
  outputChannels: i32;
  firstOutputChannel: i32;
  rowsPerChunk: i32;
  form: i32;
}

// @ts-ignore: decorator
@unmanaged
export class DepthwiseArguments extends DepthwiseConvolutionArguments {
  input: usize;
  output: usize;
  filter: usize;
  bias: usize;
}

// @ts-ignore: decorator
@unmanaged
export class DepthwiseInputGradientArguments extends DepthwiseConvolutionArguments {
  inputGradient: usize;
  outputGradient: usize;
  filter: usize;
}

// @ts-ignore: decorator
@unmanaged
export class DepthwiseFilterGradientArguments extends DepthwiseConvolutionArguments {
  input: usize;
  outputGradient: usize;
  partials: usize;
}

// @ts-ignore: decorator
@unmanaged
export class PackUpsampleFilterArguments {
  filter: usize;
  packed: usize;
  inputs: i32;
  outputs: i32;
  isGradient: i32;
}

// @ts-ignore: decorator
@unmanaged
export class UpsampleConvolveArguments extends UpsampleConvolutionArguments {
  packed: usize;
  bias: usize;
  columnsAtOnce: i32;
}

// @ts-ignore: decorator
@unmanaged
export class UpsampleInputGradientArguments extends UpsampleConvolutionArguments {
  packed: usize;
  columnsAtOnce: i32;
}

// @ts-ignore: decorator
@unmanaged
export class UpsampleFilterGradientArguments extends UpsampleConvolutionArguments {
  partials: usize;
  imagesPerChunk: i32;
}

// @ts-ignore: decorator
@unmanaged
export class MaxPoolArguments extends PoolingArguments {
  input: usize;
  output: usize;
}

// @ts-ignore: decorator
@unmanaged
export class MaxPoolGradientArguments extends PoolingArguments {
  input: usize;
  output: usize;
  outputGradient: usize;
  inputGradient: usize;
}

// @ts-ignore: decorator
@unmanaged
export class AveragePoolArguments extends PoolingArguments {
  input: usize;
  output: usize;
  countsPadding: i32;
}

// @ts-ignore: decorator
@unmanaged
export class AveragePoolGradientArguments extends PoolingArguments {
  outputGradient: usize;
  inputGradient: usize;
  countsPadding: i32;
}

// @ts-ignore: decorator
@unmanaged
export class UpsampleArguments extends UpsamplingArguments {
  input: usize;
  output: usize;
}

// @ts-ignore: decorator
@unmanaged
export class UpsampleGradientArguments extends UpsamplingArguments {
  outputGradient: usize;
  inputGradient: usize;
}

// @ts-ignore: decorator
@unmanaged
export class BatchStatisticsArguments {
  input: usize;
  partials: usize;
  rows: i32;
  columns: i32;
  rowsPerChunk: i32;
}

// @ts-ignore: decorator
@unmanaged
export class CombineBatchStatisticsArguments {
  partials: usize;
  mean: usize;
  variance: usize;
  chunks: i32;
  columns: i32;
  fold: i32;
  rows: i32;
  rowsPerChunk: i32;
  scale: usize;
  offset: usize;
  epsilon: f32;
  table: usize;
  period: i32;
  channelsPerChunk: i32;
  runningMean: usize;
  runningVariance: usize;
  newRunningMean: usize;
  newRunningVariance: usize;
  runningShare: f32;
  meanShare: f32;
  varianceShare: f32;
}

// @ts-ignore: decorator
@unmanaged
export class FrozenTableArguments {
  mean: usize;
  variance: usize;
  scale: usize;
  offset: usize;
  epsilon: f32;
  table: usize;
  period: i32;
  channels: i32;
}

// @ts-ignore: decorator
@unmanaged
export class NormalizeArguments extends ElementArguments {
  input: usize;
  output: usize;
  period: i32;
  table: usize;
}

// @ts-ignore: decorator
@unmanaged
export class BatchGradientSumsArguments {
  outputGradient: usize;
  input: usize;
  meanRow: usize;
  partials: usize;
  rows: i32;
  columns: i32;
  rowsPerChunk: i32;
}

// @ts-ignore: decorator
@unmanaged
export class CombineBatchGradientArguments {
  partials: usize;
  chunks: i32;
  columns: i32;
  fold: i32;
  count: i32;
  mean: usize;
  variance: usize;
  scale: usize;
  epsilon: f32;
  scaleGradient: usize;
  offsetGradient: usize;
  table: usize;
  period: i32;
  channelsPerChunk: i32;
}

// @ts-ignore: decorator
@unmanaged
export class NormalizeGradientArguments extends ElementArguments {
  outputGradient: usize;
  input: usize;
  inputGradient: usize;
  period: i32;
  table: usize;
}

// @ts-ignore: decorator
@unmanaged
export class SoftmaxDivergenceArguments {
  logits: usize;
  target: usize;
  divergence: usize;
  logitsGradient: usize;
  rows: i32;
  classes: i32;
  rowsPerChunk: i32;
}
