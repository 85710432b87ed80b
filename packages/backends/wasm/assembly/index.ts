/** Entry of the compiled modules: which function a kernel's number stands for. */
import {
  KERNEL_ADAM,
  KERNEL_AFFINE,
  KERNEL_ARG_MAX,
  KERNEL_AVERAGE_POOL,
  KERNEL_AVERAGE_POOL_GRADIENT,
  KERNEL_BATCH_GRADIENT_SUMS,
  KERNEL_BATCH_STATISTICS,
  KERNEL_BINARY,
  KERNEL_COMBINE_BATCH_GRADIENT,
  KERNEL_COMBINE_BATCH_STATISTICS,
  KERNEL_COMBINE_FILTER_GRADIENT,
  KERNEL_CONVOLVE,
  KERNEL_DEPTHWISE,
  KERNEL_DEPTHWISE_FILTER_GRADIENT,
  KERNEL_DEPTHWISE_INPUT_GRADIENT,
  KERNEL_FILL,
  KERNEL_FILTER_GRADIENT,
  KERNEL_FROZEN_TABLE,
  KERNEL_CLIP,
  KERNEL_CLIP_GRADIENT,
  KERNEL_GELU,
  KERNEL_GELU_GRADIENT,
  KERNEL_LEAKY_RELU,
  KERNEL_LEAKY_RELU_GRADIENT,
  KERNEL_MAX_POOL,
  KERNEL_MAX_POOL_GRADIENT,
  KERNEL_NORMALIZE,
  KERNEL_NORMALIZE_GRADIENT,
  KERNEL_ONE_HOT,
  KERNEL_PACK_DOTS,
  KERNEL_PACK_PANELS,
  KERNEL_PACK_TRIPLES,
  KERNEL_PACK_UPSAMPLE_FILTER,
  KERNEL_REDUCE,
  KERNEL_SCATTER_INPUT_GRADIENT,
  KERNEL_SOFTMAX_DIVERGENCE,
  KERNEL_STRIDED_COPY,
  KERNEL_UNARY,
  KERNEL_UPSAMPLE,
  KERNEL_UPSAMPLE_CONVOLVE,
  KERNEL_UPSAMPLE_FILTER_GRADIENT,
  KERNEL_UPSAMPLE_GRADIENT,
  KERNEL_UPSAMPLE_INPUT_GRADIENT,
} from '../src/kernel-ids';
import { adam } from './adam';
import {
  batchGradientSums,
  batchStatistics,
  combineBatchGradient,
  combineBatchStatistics,
  frozenTable,
  normalize,
  normalizeGradient,
} from './batch-norm';
import {
  combineFilterGradient,
  convolve,
  depthwise,
  depthwiseFilterGradient,
  depthwiseInputGradient,
  filterGradient,
  scatterInputGradient,
} from './convolution';
import {
  affine,
  binary,
  clip,
  clipGradient,
  fill,
  gelu,
  geluGradient,
  leakyRelu,
  leakyReluGradient,
  oneHot,
  unary,
} from './element-wise';
import { packDots, packPanels, packTriples } from './gemm';
import { stridedCopy } from './layout';
import {
  averagePool,
  averagePoolGradient,
  maxPool,
  maxPoolGradient,
  upsample,
  upsampleGradient,
} from './pooling';
import { argMax, reduce } from './reduction';
import { softmaxDivergence } from './softmax';
import {
  packUpsampleFilter,
  upsampleConvolve,
  upsampleFilterGradient,
  upsampleInputGradient,
} from './upsample-convolution';

export { closeWorkers, runAlone, runShared, runWorker } from './scheduler';

/** Does chunk `chunk` of `kernel`. */
export function runChunk(kernel: i32, args: usize, chunk: i32): void {
  switch (kernel) {
    case KERNEL_FILL: fill(args, chunk); break;
    case KERNEL_UNARY: unary(args, chunk); break;
    case KERNEL_BINARY: binary(args, chunk); break;
    case KERNEL_AFFINE: affine(args, chunk); break;
    case KERNEL_LEAKY_RELU: leakyRelu(args, chunk); break;
    case KERNEL_LEAKY_RELU_GRADIENT: leakyReluGradient(args, chunk); break;
    case KERNEL_ONE_HOT: oneHot(args, chunk); break;
    case KERNEL_STRIDED_COPY: stridedCopy(args, chunk); break;
    case KERNEL_REDUCE: reduce(args, chunk); break;
    case KERNEL_ARG_MAX: argMax(args, chunk); break;
    case KERNEL_PACK_PANELS: packPanels(args, chunk); break;
    case KERNEL_PACK_TRIPLES: packTriples(args, chunk); break;
    case KERNEL_PACK_DOTS: packDots(args, chunk); break;
    case KERNEL_CONVOLVE: convolve(args, chunk); break;
    case KERNEL_SCATTER_INPUT_GRADIENT: scatterInputGradient(args, chunk); break;
    case KERNEL_FILTER_GRADIENT: filterGradient(args, chunk); break;
    case KERNEL_COMBINE_FILTER_GRADIENT: combineFilterGradient(args, chunk); break;
    case KERNEL_DEPTHWISE: depthwise(args, chunk); break;
    case KERNEL_DEPTHWISE_INPUT_GRADIENT: depthwiseInputGradient(args, chunk); break;
    case KERNEL_DEPTHWISE_FILTER_GRADIENT: depthwiseFilterGradient(args, chunk); break;
    case KERNEL_MAX_POOL: maxPool(args, chunk); break;
    case KERNEL_MAX_POOL_GRADIENT: maxPoolGradient(args, chunk); break;
    case KERNEL_AVERAGE_POOL: averagePool(args, chunk); break;
    case KERNEL_AVERAGE_POOL_GRADIENT: averagePoolGradient(args, chunk); break;
    case KERNEL_UPSAMPLE: upsample(args, chunk); break;
    case KERNEL_UPSAMPLE_GRADIENT: upsampleGradient(args, chunk); break;
    case KERNEL_BATCH_STATISTICS: batchStatistics(args, chunk); break;
    case KERNEL_COMBINE_BATCH_STATISTICS: combineBatchStatistics(args, chunk); break;
    case KERNEL_NORMALIZE: normalize(args, chunk); break;
    case KERNEL_BATCH_GRADIENT_SUMS: batchGradientSums(args, chunk); break;
    case KERNEL_COMBINE_BATCH_GRADIENT: combineBatchGradient(args, chunk); break;
    case KERNEL_NORMALIZE_GRADIENT: normalizeGradient(args, chunk); break;
    case KERNEL_ADAM: adam(args, chunk); break;
    case KERNEL_PACK_UPSAMPLE_FILTER: packUpsampleFilter(args, chunk); break;
    case KERNEL_UPSAMPLE_CONVOLVE: upsampleConvolve(args, chunk); break;
    case KERNEL_UPSAMPLE_INPUT_GRADIENT: upsampleInputGradient(args, chunk); break;
    case KERNEL_UPSAMPLE_FILTER_GRADIENT: upsampleFilterGradient(args, chunk); break;
    case KERNEL_FROZEN_TABLE: frozenTable(args); break;
    case KERNEL_CLIP: clip(args, chunk); break;
    case KERNEL_CLIP_GRADIENT: clipGradient(args, chunk); break;
    case KERNEL_GELU: gelu(args, chunk); break;
    case KERNEL_GELU_GRADIENT: geluGradient(args, chunk); break;
    case KERNEL_SOFTMAX_DIVERGENCE: softmaxDivergence(args, chunk); break;
  }
}
