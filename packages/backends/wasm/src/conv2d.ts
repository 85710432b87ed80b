import type { Conv2dOptions, Shape } from '@dafl/core';
import { convolvedShape } from '@dafl/core/backend-base';
import {
  accumulateFilterGradient,
  canScatter,
  convolve,
  gatherAxis,
  scatterInputGradient,
  type TapGeometry,
} from './convolution.ts';
import { runDepthwise, runDepthwiseFilterGradient, runDepthwiseInputGradient } from './depthwise-convolution.ts';
import type { KernelRunner } from './kernel-runner.ts';
import { runFill } from './layout.ts';
import { multiply, multiplyTransposed } from './matrix.ts';
import type { WasmTensor } from './wasm-tensor.ts';

/** `conv2d` of the contract; `b` is the bias's address, or 0 for none. */
export function runConv2d(
  runner: KernelRunner,
  x: WasmTensor,
  w: WasmTensor,
  b: number,
  result: WasmTensor,
  options: Conv2dOptions,
): void {
  const geometry = tapGeometry(x.shape, w.shape, options);
  const [batch, height, width, channels] = x.shape;
  const { outputHeight, outputWidth } = geometry;
  const outputChannels = w.shape[3];
  if (result.size === 0) return;
  if (isDepthwise(x.shape, w.shape, options)) {
    runDepthwise(runner, x, w, b, result, geometry);
    return;
  }
  const asMatrix = matrixForm(x.shape, w.shape, geometry, options);
  if (asMatrix !== null) {
    multiply(runner, x.address, w.address, b, result.address, asMatrix.rows, asMatrix.depth, outputChannels, false);
    return;
  }
  const { groups } = options;
  const [tapsDown, tapsAcross] = geometry.taps;
  const inputs = channels / groups;
  const outputs = outputChannels / groups;
  for (let group = 0; group < groups; group++) {
    convolve(
      runner,
      {
        address: x.address,
        image: { batch, height, width, channels },
        firstChannel: group * inputs,
        channels: inputs,
      },
      geometry,
      {
        address: w.address + group * outputs * 4,
        bias: b === 0 ? 0 : b + group * outputs * 4,
        sizes: [tapsDown, tapsAcross, inputs],
        strides: [tapsAcross * inputs * outputChannels, inputs * outputChannels, outputChannels],
        columns: outputs,
        columnStride: 1,
      },
      {
        address: result.address + group * outputs * 4,
        image: outputHeight * outputWidth * outputChannels,
        row: outputWidth * outputChannels,
        column: outputChannels,
      },
    );
  }
}

/** `conv2dInputGradient` of the contract. */
export function runConv2dInputGradient(
  runner: KernelRunner,
  g: WasmTensor,
  w: WasmTensor,
  result: WasmTensor,
  options: Conv2dOptions,
): void {
  const { shape: inputShape } = result;
  const geometry = tapGeometry(inputShape, w.shape, options);
  const [batch, height, width, channels] = inputShape;
  const { outputHeight, outputWidth } = geometry;
  const outputChannels = w.shape[3];
  if (result.size === 0) return;
  if (g.size === 0) {
    runFill(runner, result.address, result.size, 0);
    return;
  }
  if (isDepthwise(inputShape, w.shape, options)) {
    runDepthwiseInputGradient(runner, g, w, result, geometry);
    return;
  }
  const asMatrix = matrixForm(inputShape, w.shape, geometry, options);
  if (asMatrix !== null) {
    multiply(runner, g.address, w.address, 0, result.address, asMatrix.rows, outputChannels, asMatrix.depth, true);
    return;
  }
  if (canScatter(geometry, inputShape, w.shape, options)) {
    const addresses = { outputGradient: g.address, filter: w.address, inputGradient: result.address };
    scatterInputGradient(runner, geometry, inputShape, outputChannels, addresses);
    return;
  }
  const { groups } = options;
  const [strideDown, strideAcross] = options.strides;
  const [tapsDown, tapsAcross] = geometry.taps;
  const inputs = channels / groups;
  const outputs = outputChannels / groups;
  const down = Array.from({ length: strideDown }, (_, i) => gatherAxis(0, i, height, tapsDown, options));
  const across = Array.from({ length: strideAcross }, (_, i) => gatherAxis(1, i, width, tapsAcross, options));
  // Inputs that no window reaches.
  if ([...down, ...across].some((axis) => axis.taps === 0)) runFill(runner, result.address, result.size, 0);
  for (let group = 0; group < groups; group++) {
    down.forEach((vertical, row) => {
      across.forEach((horizontal, column) => {
        if (vertical.taps === 0 || horizontal.taps === 0 || vertical.count === 0 || horizontal.count === 0) return;
        const firstTap = vertical.firstTap * tapsAcross + horizontal.firstTap;
        convolve(
          runner,
          {
            address: g.address,
            image: { batch, height: outputHeight, width: outputWidth, channels: outputChannels },
            firstChannel: group * outputs,
            channels: outputs,
          },
          {
            strides: [1, 1],
            taps: [vertical.taps, horizontal.taps],
            dilations: [vertical.dilation, horizontal.dilation],
            top: vertical.before,
            left: horizontal.before,
            outputHeight: vertical.count,
            outputWidth: horizontal.count,
          },
          {
            address: w.address + (firstTap * inputs * outputChannels + group * outputs) * 4,
            bias: 0,
            sizes: [vertical.taps, horizontal.taps, outputs],
            strides: [
              -vertical.tapStep * tapsAcross * inputs * outputChannels,
              -horizontal.tapStep * inputs * outputChannels,
              1,
            ],
            columns: inputs,
            columnStride: outputChannels,
          },
          {
            address: result.address + ((row * width + column) * channels + group * inputs) * 4,
            image: height * width * channels,
            row: strideDown * width * channels,
            column: strideAcross * channels,
          },
        );
      });
    });
  }
}

/** `conv2dFilterGradient` of the contract. */
export function runConv2dFilterGradient(
  runner: KernelRunner,
  x: WasmTensor,
  g: WasmTensor,
  result: WasmTensor,
  options: Conv2dOptions,
): void {
  const { shape: filterShape } = result;
  const geometry = tapGeometry(x.shape, filterShape, options);
  const [batch, height, width, channels] = x.shape;
  const outputChannels = filterShape[3];
  if (result.size === 0) return;
  if (g.size === 0) {
    runFill(runner, result.address, result.size, 0);
    return;
  }
  if (isDepthwise(x.shape, filterShape, options)) {
    runDepthwiseFilterGradient(runner, x, g, result, geometry);
    return;
  }
  const asMatrix = matrixForm(x.shape, filterShape, geometry, options);
  if (asMatrix !== null) {
    const { rows, depth } = asMatrix;
    multiplyTransposed(runner, x.address, g.address, result.address, depth, rows, outputChannels);
    return;
  }
  const inputs = channels / options.groups;
  const outputs = outputChannels / options.groups;
  for (let group = 0; group < options.groups; group++) {
    accumulateFilterGradient(
      runner,
      {
        address: x.address,
        image: { batch, height, width, channels },
        firstChannel: group * inputs,
        channels: inputs,
      },
      geometry,
      { address: g.address, channels: outputChannels, firstChannel: group * outputs, columns: outputs },
      result.address,
      0,
    );
  }
}

function tapGeometry(inputShape: Shape, filterShape: Shape, options: Conv2dOptions): TapGeometry {
  const { strides, dilations, padding } = options;
  const [, outputHeight, outputWidth] = convolvedShape(inputShape, filterShape, options);
  return {
    strides,
    taps: [filterShape[0], filterShape[1]],
    dilations,
    top: padding.top,
    left: padding.left,
    outputHeight,
    outputWidth,
  };
}

function isDepthwise(inputShape: Shape, filterShape: Shape, options: Conv2dOptions): boolean {
  return options.groups > 1 && options.groups === inputShape[3] && options.groups === filterShape[3];
}

/** A convolution that is one matrix product: 1 x 1 filters, or filters as large as the image. */
function matrixForm(
  inputShape: Shape,
  filterShape: Shape,
  geometry: TapGeometry,
  options: Conv2dOptions,
): { rows: number; depth: number } | null {
  const { padding } = options;
  if (options.groups !== 1 || padding.top + padding.bottom + padding.left + padding.right > 0) return null;
  const [batch, height, width, channels] = inputShape as readonly [number, number, number, number];
  if (filterShape[0] === 1 && filterShape[1] === 1 && geometry.strides[0] === 1 && geometry.strides[1] === 1) {
    return { rows: batch * height * width, depth: channels };
  }
  if (filterShape[0] === height && filterShape[1] === width && geometry.dilations[0] * geometry.dilations[1] === 1) {
    return { rows: batch, depth: height * width * channels };
  }
  return null;
}
