import type { AveragePool2dOptions, Pool2dOptions, Shape } from '@dafl/core';
import {
  KERNEL_AVERAGE_POOL,
  KERNEL_AVERAGE_POOL_GRADIENT,
  KERNEL_MAX_POOL,
  KERNEL_MAX_POOL_GRADIENT,
} from './kernel-ids.ts';
import type { KernelRunner } from './kernel-runner.ts';
import type { WasmTensor } from './wasm-tensor.ts';

/** `maxPool2d` of the contract. */
export function runMaxPool(runner: KernelRunner, x: WasmTensor, result: WasmTensor, options: Pool2dOptions): void {
  runPool(runner, KERNEL_MAX_POOL, x.shape, result.shape, options, x.address, result.address, 0, [0, 0]);
}

/** `maxPool2dGradient` of the contract. */
export function runMaxPoolGradient(
  runner: KernelRunner,
  g: WasmTensor,
  x: WasmTensor,
  y: WasmTensor,
  result: WasmTensor,
  options: Pool2dOptions,
): void {
  const gradients = [g.address, result.address] as const;
  runPool(runner, KERNEL_MAX_POOL_GRADIENT, x.shape, y.shape, options, x.address, y.address, 0, gradients);
}

/** `averagePool2d` of the contract. */
export function runAveragePool(
  runner: KernelRunner,
  x: WasmTensor,
  result: WasmTensor,
  options: AveragePool2dOptions,
): void {
  const countsPadding = options.countsPadding ? 1 : 0;
  const { shape, address } = result;
  runPool(runner, KERNEL_AVERAGE_POOL, x.shape, shape, options, x.address, address, countsPadding, [0, 0]);
}

/** `averagePool2dGradient` of the contract. */
export function runAveragePoolGradient(
  runner: KernelRunner,
  g: WasmTensor,
  result: WasmTensor,
  options: AveragePool2dOptions,
): void {
  const countsPadding = options.countsPadding ? 1 : 0;
  const gradients = [g.address, result.address] as const;
  runPool(runner, KERNEL_AVERAGE_POOL_GRADIENT, result.shape, g.shape, options, 0, 0, countsPadding, gradients);
}

function runPool(
  runner: KernelRunner,
  kernel: number,
  inputShape: Shape,
  outputShape: Shape,
  options: Pool2dOptions,
  input: number,
  output: number,
  countsPadding: number,
  gradients: readonly [from: number, to: number],
): void {
  const [batch, height, width, channels] = inputShape as readonly [number, number, number, number];
  const imageSize = height * width * channels;
  if (batch * imageSize === 0) return;
  const imagesPerChunk = Math.max(1, Math.floor(8192 / imageSize));
  runner.run(kernel, Math.ceil(batch / imagesPerChunk), batch * imageSize * 2, [
    input,
    output,
    batch,
    height,
    width,
    channels,
    outputShape[1],
    outputShape[2],
    ...options.windowSize,
    ...options.strides,
    options.padding.top,
    options.padding.left,
    imagesPerChunk,
    countsPadding,
    ...gradients,
  ]);
}
