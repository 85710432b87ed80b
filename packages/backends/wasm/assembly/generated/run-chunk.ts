// Generated from src/kernel-arguments.ts by scripts/build-kernels.ts (npm run build:kernels). Do not edit.

import * as kernels from '../kernels';
import {
  FillArguments,
  UnaryArguments,
  BinaryArguments,
  AffineArguments,
  LeakyReluArguments,
  LeakyReluGradientArguments,
  ClipArguments,
  ClipGradientArguments,
  GeluArguments,
  GeluGradientArguments,
  OneHotArguments,
  AdamArguments,
  StridedCopyArguments,
  ReduceArguments,
  ArgMaxArguments,
  PackPanelsArguments,
  PackDotsArguments,
  PackTriplesArguments,
  ConvolveArguments,
  ScatterInputGradientArguments,
  FilterGradientArguments,
  CombineFilterGradientArguments,
  DepthwiseArguments,
  DepthwiseInputGradientArguments,
  DepthwiseFilterGradientArguments,
  PackUpsampleFilterArguments,
  UpsampleConvolveArguments,
  UpsampleInputGradientArguments,
  UpsampleFilterGradientArguments,
  MaxPoolArguments,
  MaxPoolGradientArguments,
  AveragePoolArguments,
  AveragePoolGradientArguments,
  UpsampleArguments,
  UpsampleGradientArguments,
  BatchStatisticsArguments,
  CombineBatchStatisticsArguments,
  FrozenTableArguments,
  NormalizeArguments,
  BatchGradientSumsArguments,
  CombineBatchGradientArguments,
  NormalizeGradientArguments,
  SoftmaxDivergenceArguments,
} from './kernel-arguments';

/** Does chunk `chunk` of kernel number `kernel`. */
export function runChunk(kernel: i32, args: usize, chunk: i32): void {
  switch (kernel) {
    case 0: kernels.fill(changetype<FillArguments>(args), chunk); break;
    case 1: kernels.unary(changetype<UnaryArguments>(args), chunk); break;
    case 2: kernels.binary(changetype<BinaryArguments>(args), chunk); break;
    case 3: kernels.affine(changetype<AffineArguments>(args), chunk); break;
    case 4: kernels.leakyRelu(changetype<LeakyReluArguments>(args), chunk); break;
    case 5: kernels.leakyReluGradient(changetype<LeakyReluGradientArguments>(args), chunk); break;
    case 6: kernels.clip(changetype<ClipArguments>(args), chunk); break;
    case 7: kernels.clipGradient(changetype<ClipGradientArguments>(args), chunk); break;
    case 8: kernels.gelu(changetype<GeluArguments>(args), chunk); break;
    case 9: kernels.geluGradient(changetype<GeluGradientArguments>(args), chunk); break;
    case 10: kernels.oneHot(changetype<OneHotArguments>(args), chunk); break;
    case 11: kernels.adam(changetype<AdamArguments>(args), chunk); break;
    case 12: kernels.stridedCopy(changetype<StridedCopyArguments>(args), chunk); break;
    case 13: kernels.reduce(changetype<ReduceArguments>(args), chunk); break;
    case 14: kernels.argMax(changetype<ArgMaxArguments>(args), chunk); break;
    case 15: kernels.packPanels(changetype<PackPanelsArguments>(args), chunk); break;
    case 16: kernels.packDots(changetype<PackDotsArguments>(args), chunk); break;
    case 17: kernels.packTriples(changetype<PackTriplesArguments>(args), chunk); break;
    case 18: kernels.convolve(changetype<ConvolveArguments>(args), chunk); break;
    case 19: kernels.scatterInputGradient(changetype<ScatterInputGradientArguments>(args), chunk); break;
    case 20: kernels.filterGradient(changetype<FilterGradientArguments>(args), chunk); break;
    case 21: kernels.combineFilterGradient(changetype<CombineFilterGradientArguments>(args), chunk); break;
    case 22: kernels.depthwise(changetype<DepthwiseArguments>(args), chunk); break;
    case 23: kernels.depthwiseInputGradient(changetype<DepthwiseInputGradientArguments>(args), chunk); break;
    case 24: kernels.depthwiseFilterGradient(changetype<DepthwiseFilterGradientArguments>(args), chunk); break;
    case 25: kernels.packUpsampleFilter(changetype<PackUpsampleFilterArguments>(args), chunk); break;
    case 26: kernels.upsampleConvolve(changetype<UpsampleConvolveArguments>(args), chunk); break;
    case 27: kernels.upsampleInputGradient(changetype<UpsampleInputGradientArguments>(args), chunk); break;
    case 28: kernels.upsampleFilterGradient(changetype<UpsampleFilterGradientArguments>(args), chunk); break;
    case 29: kernels.maxPool(changetype<MaxPoolArguments>(args), chunk); break;
    case 30: kernels.maxPoolGradient(changetype<MaxPoolGradientArguments>(args), chunk); break;
    case 31: kernels.averagePool(changetype<AveragePoolArguments>(args), chunk); break;
    case 32: kernels.averagePoolGradient(changetype<AveragePoolGradientArguments>(args), chunk); break;
    case 33: kernels.upsample(changetype<UpsampleArguments>(args), chunk); break;
    case 34: kernels.upsampleGradient(changetype<UpsampleGradientArguments>(args), chunk); break;
    case 35: kernels.batchStatistics(changetype<BatchStatisticsArguments>(args), chunk); break;
    case 36: kernels.combineBatchStatistics(changetype<CombineBatchStatisticsArguments>(args), chunk); break;
    case 37: kernels.frozenTable(changetype<FrozenTableArguments>(args), chunk); break;
    case 38: kernels.normalize(changetype<NormalizeArguments>(args), chunk); break;
    case 39: kernels.batchGradientSums(changetype<BatchGradientSumsArguments>(args), chunk); break;
    case 40: kernels.combineBatchGradient(changetype<CombineBatchGradientArguments>(args), chunk); break;
    case 41: kernels.normalizeGradient(changetype<NormalizeGradientArguments>(args), chunk); break;
    case 42: kernels.softmaxDivergence(changetype<SoftmaxDivergenceArguments>(args), chunk); break;
  }
}
