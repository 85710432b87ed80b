import type { Shape } from '@dafl/core';
import type { TapGeometry } from './convolution.ts';
import type { SharedValues } from './kernel-arguments.ts';
import { REDUCE_SUM } from './kernel-operations.ts';
import type { KernelRunner } from './kernel-runner.ts';
import { reduceMiddle } from './reduction.ts';
import type { WasmTensor } from './wasm-tensor.ts';

/** One filter a channel; `bias` is an address, or 0 for none. */
export function runDepthwise(
  runner: KernelRunner,
  x: WasmTensor,
  w: WasmTensor,
  bias: number,
  result: WasmTensor,
  geometry: TapGeometry,
): void {
  const { chunks, work, taps } = planTaps(x.shape, geometry, 1);
  const addresses = { input: x.address, output: result.address, filter: w.address, bias };
  runner.run('depthwise', chunks, work, { ...taps, ...addresses });
}

/** Gradient of such a convolution with respect to its input. */
export function runDepthwiseInputGradient(
  runner: KernelRunner,
  g: WasmTensor,
  w: WasmTensor,
  result: WasmTensor,
  geometry: TapGeometry,
): void {
  const { chunks, work, taps } = planTaps(result.shape, geometry, 1);
  const addresses = { inputGradient: result.address, outputGradient: g.address, filter: w.address };
  runner.run('depthwiseInputGradient', chunks, work, { ...taps, ...addresses });
}

/** Gradient of such a convolution with respect to its filter. */
export function runDepthwiseFilterGradient(
  runner: KernelRunner,
  x: WasmTensor,
  g: WasmTensor,
  result: WasmTensor,
  geometry: TapGeometry,
): void {
  const { chunks, work, taps } = planTaps(x.shape, geometry, Math.ceil(x.shape[0] / 32));
  runner.withTemporary(chunks * result.size * 4, (partials) => {
    const addresses = { input: x.address, outputGradient: g.address, partials };
    runner.run('depthwiseFilterGradient', chunks, work, { ...taps, ...addresses });
    reduceMiddle(runner, REDUCE_SUM, partials, result.address, 1, chunks, result.size, 1);
  });
}

function planTaps(
  inputShape: Shape,
  geometry: TapGeometry,
  imagesPerChunk: number,
): { readonly chunks: number; readonly work: number; readonly taps: SharedValues<'depthwiseConvolution'> } {
  const [batch, height, width, channels] = inputShape as readonly [number, number, number, number];
  const { top, left, outputHeight, outputWidth } = geometry;
  const [tapsDown, tapsAcross] = geometry.taps;
  return {
    chunks: Math.ceil(batch / imagesPerChunk),
    work: batch * outputHeight * outputWidth * channels * tapsDown * tapsAcross,
    taps: {
      batch,
      height,
      width,
      channels,
      outputHeight,
      outputWidth,
      strideDown: geometry.strides[0],
      strideAcross: geometry.strides[1],
      tapsDown,
      tapsAcross,
      dilationDown: geometry.dilations[0],
      dilationAcross: geometry.dilations[1],
      top,
      left,
      imagesPerChunk,
    },
  };
}
