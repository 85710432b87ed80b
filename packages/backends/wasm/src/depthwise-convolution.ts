import type { Shape } from '@dafl/core';
import type { TapGeometry } from './convolution.ts';
import {
  KERNEL_DEPTHWISE,
  KERNEL_DEPTHWISE_FILTER_GRADIENT,
  KERNEL_DEPTHWISE_INPUT_GRADIENT,
  REDUCE_SUM,
} from './kernel-ids.ts';
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
  const addresses = [x.address, result.address, w.address];
  runTaps(runner, KERNEL_DEPTHWISE, addresses, x.shape, w.shape, geometry, bias);
}

/** Gradient of such a convolution with respect to its input. */
export function runDepthwiseInputGradient(
  runner: KernelRunner,
  g: WasmTensor,
  w: WasmTensor,
  result: WasmTensor,
  geometry: TapGeometry,
): void {
  const addresses = [result.address, g.address, w.address];
  runTaps(runner, KERNEL_DEPTHWISE_INPUT_GRADIENT, addresses, result.shape, w.shape, geometry, 0);
}

/** Gradient of such a convolution with respect to its filter. */
export function runDepthwiseFilterGradient(
  runner: KernelRunner,
  x: WasmTensor,
  g: WasmTensor,
  result: WasmTensor,
  geometry: TapGeometry,
): void {
  const imagesPerChunk = Math.ceil(x.shape[0] / 32);
  const chunks = Math.ceil(x.shape[0] / imagesPerChunk);
  runner.withTemporary(chunks * result.size * 4, (partials) => {
    const addresses = [x.address, g.address, partials];
    const kernel = KERNEL_DEPTHWISE_FILTER_GRADIENT;
    runTaps(runner, kernel, addresses, x.shape, result.shape, geometry, 0, imagesPerChunk);
    reduceMiddle(runner, REDUCE_SUM, partials, result.address, 1, chunks, result.size, 1);
  });
}

function runTaps(
  runner: KernelRunner,
  kernel: number,
  addresses: readonly number[],
  inputShape: Shape,
  filterShape: Shape,
  geometry: TapGeometry,
  bias: number,
  imagesPerChunk: number = 1,
): void {
  const [batch, height, width, channels] = inputShape as readonly [number, number, number, number];
  const pixels = batch * geometry.outputHeight * geometry.outputWidth;
  runner.run(kernel, Math.ceil(batch / imagesPerChunk), pixels * channels * filterShape[0] * filterShape[1], [
    ...addresses,
    batch,
    height,
    width,
    channels,
    geometry.outputHeight,
    geometry.outputWidth,
    ...geometry.strides,
    ...geometry.taps,
    ...geometry.dilations,
    geometry.top,
    geometry.left,
    imagesPerChunk,
    bias,
  ]);
}
