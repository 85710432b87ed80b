import type { AveragePool2dOptions, Pool2dOptions, Shape } from '@dafl/core';
import type { SharedValues } from './kernel-arguments.ts';
import type { KernelRunner } from './kernel-runner.ts';
import type { WasmTensor } from './wasm-tensor.ts';

/** `maxPool2d` of the contract. */
export function runMaxPool(runner: KernelRunner, x: WasmTensor, result: WasmTensor, options: Pool2dOptions): void {
  const { chunks, work, windows } = planWindows(x.shape, result.shape, options);
  runner.run('maxPool', chunks, work, { ...windows, input: x.address, output: result.address });
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
  const { chunks, work, windows } = planWindows(x.shape, y.shape, options);
  runner.run('maxPoolGradient', chunks, work, {
    ...windows,
    input: x.address,
    output: y.address,
    outputGradient: g.address,
    inputGradient: result.address,
  });
}

/** `averagePool2d` of the contract. */
export function runAveragePool(
  runner: KernelRunner,
  x: WasmTensor,
  result: WasmTensor,
  options: AveragePool2dOptions,
): void {
  const { chunks, work, windows } = planWindows(x.shape, result.shape, options);
  runner.run('averagePool', chunks, work, {
    ...windows,
    input: x.address,
    output: result.address,
    countsPadding: options.countsPadding ? 1 : 0,
  });
}

/** `averagePool2dGradient` of the contract. */
export function runAveragePoolGradient(
  runner: KernelRunner,
  g: WasmTensor,
  result: WasmTensor,
  options: AveragePool2dOptions,
): void {
  const { chunks, work, windows } = planWindows(result.shape, g.shape, options);
  runner.run('averagePoolGradient', chunks, work, {
    ...windows,
    outputGradient: g.address,
    inputGradient: result.address,
    countsPadding: options.countsPadding ? 1 : 0,
  });
}

function planWindows(
  inputShape: Shape,
  outputShape: Shape,
  options: Pool2dOptions,
): { readonly chunks: number; readonly work: number; readonly windows: SharedValues<'pooling'> } {
  const [batch, height, width, channels] = inputShape as readonly [number, number, number, number];
  const imageSize = height * width * channels;
  const imagesPerChunk = Math.max(1, Math.floor(8192 / Math.max(1, imageSize)));
  return {
    chunks: imageSize === 0 ? 0 : Math.ceil(batch / imagesPerChunk),
    work: batch * imageSize * 2,
    windows: {
      batch,
      height,
      width,
      channels,
      outputHeight: outputShape[1],
      outputWidth: outputShape[2],
      windowHeight: options.windowSize[0],
      windowWidth: options.windowSize[1],
      strideDown: options.strides[0],
      strideAcross: options.strides[1],
      top: options.padding.top,
      left: options.padding.left,
      imagesPerChunk,
    },
  };
}
