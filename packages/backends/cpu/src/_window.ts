import type { Padding2d, Shape, Size2d } from '@dafl/core';

/** What the convolution and pooling loops need to know of a sliding window, each number under a name of its own. */
export interface Window2d {
  readonly batch: number;
  readonly inputHeight: number;
  readonly inputWidth: number;
  readonly outputHeight: number;
  readonly outputWidth: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly dilationHeight: number;
  readonly dilationWidth: number;
  readonly padTop: number;
  readonly padLeft: number;
}

interface WindowOptions {
  readonly strides: Size2d;
  readonly padding: Padding2d;
  readonly dilations?: Size2d;
}

/** Works out a window's geometry over an input of shape `[batch, height, width, channels]`. */
export function describeWindow(inputShape: Shape, kernelSize: Size2d, options: WindowOptions): Window2d {
  const { strides, padding, dilations = [1, 1] } = options;
  const [batch, inputHeight, inputWidth] = inputShape;
  return {
    batch,
    inputHeight,
    inputWidth,
    outputHeight: outputSizeOf(inputHeight + padding.top + padding.bottom, kernelSize[0], strides[0], dilations[0]),
    outputWidth: outputSizeOf(inputWidth + padding.left + padding.right, kernelSize[1], strides[1], dilations[1]),
    kernelHeight: kernelSize[0],
    kernelWidth: kernelSize[1],
    strideHeight: strides[0],
    strideWidth: strides[1],
    dilationHeight: dilations[0],
    dilationWidth: dilations[1],
    padTop: padding.top,
    padLeft: padding.left,
  };
}

function outputSizeOf(paddedSize: number, kernelSize: number, stride: number, dilation: number): number {
  return Math.floor((paddedSize - dilation * (kernelSize - 1) - 1) / stride) + 1;
}

/**
 * Visits every pair of an output position and an input position that a tap of its window reads. Taps that fall on
 * padding are left out.
 *
 * @param visit Takes row-major pixel numbers (channels not counted): the output's, the input's and the tap's. For one
 * output pixel, taps come in row-major order.
 */
export function walkWindows(
  window: Window2d,
  visit: (outputPixel: number, inputPixel: number, tap: number) => void,
): void {
  const { inputHeight, inputWidth, outputHeight, outputWidth, kernelHeight, kernelWidth } = window;
  const { strideHeight, strideWidth, dilationHeight, dilationWidth, padTop, padLeft } = window;
  let outputPixel = 0;
  for (let image = 0; image < window.batch; image++) {
    for (let outputRow = 0; outputRow < outputHeight; outputRow++) {
      for (let outputColumn = 0; outputColumn < outputWidth; outputColumn++, outputPixel++) {
        for (let kernelRow = 0; kernelRow < kernelHeight; kernelRow++) {
          const inputRow = outputRow * strideHeight - padTop + kernelRow * dilationHeight;
          if (inputRow < 0 || inputRow >= inputHeight) continue;
          const rowStart = (image * inputHeight + inputRow) * inputWidth;
          for (let kernelColumn = 0; kernelColumn < kernelWidth; kernelColumn++) {
            const inputColumn = outputColumn * strideWidth - padLeft + kernelColumn * dilationWidth;
            if (inputColumn < 0 || inputColumn >= inputWidth) continue;
            visit(outputPixel, rowStart + inputColumn, kernelRow * kernelWidth + kernelColumn);
          }
        }
      }
    }
  }
}
