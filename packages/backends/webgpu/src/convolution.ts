import type { Conv2dOptions, Shape } from '@dafl/core';
import { convolvedShape } from '@dafl/core/backend-base';
import type { PooledBuffer } from './buffer-pool.ts';
import type { CommandQueue } from './command-queue.ts';
import type { UniformType } from './kernel.ts';
import { runMatMul } from './matrix.ts';
import { type Operand, runMatrixProduct } from './matrix-product.ts';
import type { WithTemporary } from './reduction.ts';

/** Sizes of a convolution: of one group, where channels are concerned and nothing else is said. */
export interface ConvolutionSizes {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly allInputs: number;
  readonly inputs: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly allOutputs: number;
  readonly outputs: number;
  readonly outputHeight: number;
  readonly outputWidth: number;
}

/** The sizes that shapes and options give. */
export function convolutionSizes(inputShape: Shape, filterShape: Shape, options: Conv2dOptions): ConvolutionSizes {
  const { groups } = options;
  const [, outputHeight, outputWidth] = convolvedShape(inputShape, filterShape, options);
  return {
    batch: inputShape[0],
    height: inputShape[1],
    width: inputShape[2],
    allInputs: inputShape[3],
    inputs: inputShape[3] / groups,
    kernelHeight: filterShape[0],
    kernelWidth: filterShape[1],
    allOutputs: filterShape[3],
    outputs: filterShape[3] / groups,
    outputHeight,
    outputWidth,
  };
}

/** A convolution that is a matrix product: of each pixel, or of each whole image. */
function matrixForm(
  sizes: ConvolutionSizes,
  { strides, padding, groups }: Conv2dOptions,
): { readonly rows: number; readonly depth: number } | null {
  const isPadded = padding.top + padding.bottom + padding.left + padding.right > 0;
  if (groups !== 1 || isPadded) return null;
  const { batch, height, width, inputs, kernelHeight, kernelWidth } = sizes;
  if (kernelHeight === 1 && kernelWidth === 1 && strides[0] === 1 && strides[1] === 1) {
    return { rows: batch * height * width, depth: inputs };
  }
  // The whole image under one window; dilations would leave pixels out.
  const isWhole = kernelHeight === height && kernelWidth === width && sizes.outputHeight * sizes.outputWidth === 1;
  return isWhole ? { rows: batch, depth: height * width * inputs } : null;
}

const COMPONENTS = ['x', 'y', 'z', 'w'];

type TypedUniforms = Record<string, readonly [type: UniformType, value: number]>;

/** A window that slides over an image, as the left side reads it. */
interface Window {
  readonly height: number;
  readonly width: number;
  /** Channels of a pixel. */
  readonly allChannels: number;
  /** Channels of one group. */
  readonly channels: number;
  readonly outputHeight: number;
  readonly outputWidth: number;
  readonly tapsAcross: number;
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** Zeros above and left; negative where the first rows or columns are not used. */
  readonly top: number;
  readonly left: number;
}

function windowUniforms(window: Window): TypedUniforms {
  return {
    imageHeight: ['u32', window.height],
    imageWidth: ['u32', window.width],
    allChannels: ['u32', window.allChannels],
    channels: ['u32', window.channels],
    outputHeight: ['u32', window.outputHeight],
    outputWidth: ['u32', window.outputWidth],
    tapsAcross: ['u32', window.tapsAcross],
    strideDown: ['i32', window.strides[0]],
    strideAcross: ['i32', window.strides[1]],
    dilationDown: ['i32', window.dilations[0]],
    dilationAcross: ['i32', window.dilations[1]],
    top: ['i32', window.top],
    left: ['i32', window.left],
  };
}

/** Rows are pixels of the result, the depth is (tap, channel): the windows of an image. */
function windowsOperand(image: PooledBuffer, window: Window): Operand {
  return {
    key: 'windows',
    declarations: `
struct LeftQuad { row: vec4i, column: vec4i, start: vec4u }
fn prepareLeft(part: u32, first: u32) -> LeftQuad {
  let pixel = vec4u(first) + vec4u(0u, 1u, 2u, 3u);
  let line = pixel / u.outputWidth;
  let row = vec4i(line % u.outputHeight) * u.strideDown - u.top;
  let column = vec4i(pixel % u.outputWidth) * u.strideAcross - u.left;
  let start = (line / u.outputHeight) * (u.imageHeight * u.imageWidth * u.allChannels) + part * u.channels;
  // A row that no image has, so that rows beyond the last one read zeros.
  return LeftQuad(select(row, vec4i(-0x40000000), pixel >= vec4u(u.rows)), column, start);
}
fn loadLeft(quad: LeftQuad, k: u32) -> vec4f {
  let tap = k / u.channels;
  let row = quad.row + i32(tap / u.tapsAcross) * u.dilationDown;
  let column = quad.column + i32(tap % u.tapsAcross) * u.dilationAcross;
  // Negative numbers are large ones as u32.
  let isInside = (vec4u(row) < vec4u(u.imageHeight)) & (vec4u(column) < vec4u(u.imageWidth));
  let at = quad.start + (vec4u(row) * u.imageWidth + vec4u(column)) * u.allChannels + k % u.channels;
  var values = vec4f();
${COMPONENTS.map((c) => `  if (isInside.${c}) { values.${c} = image[at.${c}]; }`).join('\n')}
  return values;
}`,
    contiguous: 'depth',
    reads: { image: 'f32' },
    buffer: image,
    uniforms: windowUniforms(window),
  };
}

/** Rows are (tap, channel), the depth is pixels of the result: the windows of an image, turned. */
function turnedWindowsOperand(image: PooledBuffer, window: Window): Operand {
  return {
    key: 'turned windows',
    declarations: `
struct LeftQuad { row: vec4i, column: vec4i, channel: vec4u }
fn prepareLeft(part: u32, first: u32) -> LeftQuad {
  let index = vec4u(first) + vec4u(0u, 1u, 2u, 3u);
  let tap = index / u.channels;
  let row = vec4i(tap / u.tapsAcross) * u.dilationDown - u.top;
  let column = vec4i(tap % u.tapsAcross) * u.dilationAcross - u.left;
  let channel = index % u.channels + part * u.channels;
  return LeftQuad(select(row, vec4i(-0x40000000), index >= vec4u(u.rows)), column, channel);
}
fn loadLeft(quad: LeftQuad, k: u32) -> vec4f {
  let line = k / u.outputWidth;
  let row = quad.row + i32(line % u.outputHeight) * u.strideDown;
  let column = quad.column + i32(k % u.outputWidth) * u.strideAcross;
  let isInside = (vec4u(row) < vec4u(u.imageHeight)) & (vec4u(column) < vec4u(u.imageWidth));
  let start = (line / u.outputHeight) * u.imageHeight;
  let at = ((start + vec4u(row)) * u.imageWidth + vec4u(column)) * u.allChannels + quad.channel;
  var values = vec4f();
${COMPONENTS.map((c) => `  if (isInside.${c}) { values.${c} = image[at.${c}]; }`).join('\n')}
  return values;
}`,
    contiguous: 'quads',
    reads: { image: 'f32' },
    buffer: image,
    uniforms: windowUniforms(window),
  };
}

/** The depth is (tap, input channel) of a filter, or pixels of an output gradient; columns are output channels. */
function lineOperand(key: string, buffer: PooledBuffer, lineLength: number): Operand {
  return {
    key,
    declarations: `
struct RightQuad { start: u32, column: u32 }
fn prepareRight(part: u32, first: u32) -> RightQuad { return RightQuad(part * u.columns + first, first); }
fn loadRight(quad: RightQuad, k: u32) -> vec4f {
  let at = k * u.lineLength + quad.start;
  var values = vec4f();
${COMPONENTS.map((c, j) => `  if (quad.column + ${j}u < u.columns) { values.${c} = lines[at + ${j}u]; }`).join('\n')}
  return values;
}`,
    contiguous: 'quads',
    reads: { lines: 'f32' },
    buffer,
    uniforms: { lineLength: ['u32', lineLength] },
  };
}

/** conv2d of the contract, with as many groups as there may be. */
export function runConvolution(
  queue: CommandQueue,
  input: PooledBuffer,
  filter: PooledBuffer,
  bias: PooledBuffer | null,
  output: PooledBuffer,
  sizes: ConvolutionSizes,
  options: Conv2dOptions,
  withTemporary: WithTemporary,
): void {
  const asMatrix = matrixForm(sizes, options);
  if (asMatrix !== null) {
    runMatMul(
      queue,
      { buffer: input, isTransposed: false },
      { buffer: filter, isTransposed: false },
      { buffer: output, bias },
      { ...asMatrix, columns: sizes.outputs },
      withTemporary,
    );
    return;
  }
  runMatrixProduct(
    queue,
    {
      rows: sizes.batch * sizes.outputHeight * sizes.outputWidth,
      depth: sizes.kernelHeight * sizes.kernelWidth * sizes.inputs,
      columns: sizes.outputs,
      groups: options.groups,
    },
    windowsOperand(input, forwardWindow(sizes, options)),
    lineOperand('filter', filter, sizes.allOutputs),
    { buffer: output, bias, rowStride: sizes.allOutputs },
    withTemporary,
  );
}

function forwardWindow(sizes: ConvolutionSizes, { strides, dilations, padding }: Conv2dOptions): Window {
  return {
    height: sizes.height,
    width: sizes.width,
    allChannels: sizes.allInputs,
    channels: sizes.inputs,
    outputHeight: sizes.outputHeight,
    outputWidth: sizes.outputWidth,
    tapsAcross: sizes.kernelWidth,
    strides,
    dilations,
    top: padding.top,
    left: padding.left,
  };
}

/** conv2dFilterGradient of the contract. */
export function runConvolutionFilterGradient(
  queue: CommandQueue,
  input: PooledBuffer,
  outputGradient: PooledBuffer,
  filterGradient: PooledBuffer,
  sizes: ConvolutionSizes,
  options: Conv2dOptions,
  withTemporary: WithTemporary,
): void {
  const asMatrix = matrixForm(sizes, options);
  if (asMatrix !== null) {
    runMatMul(
      queue,
      { buffer: input, isTransposed: true },
      { buffer: outputGradient, isTransposed: false },
      { buffer: filterGradient, bias: null },
      { rows: asMatrix.depth, depth: asMatrix.rows, columns: sizes.outputs },
      withTemporary,
    );
    return;
  }
  runMatrixProduct(
    queue,
    {
      rows: sizes.kernelHeight * sizes.kernelWidth * sizes.inputs,
      depth: sizes.batch * sizes.outputHeight * sizes.outputWidth,
      columns: sizes.outputs,
      groups: options.groups,
    },
    turnedWindowsOperand(input, forwardWindow(sizes, options)),
    lineOperand('output gradient', outputGradient, sizes.allOutputs),
    { buffer: filterGradient, bias: null, rowStride: sizes.allOutputs },
    withTemporary,
  );
}

/** One axis of the input gradient: which taps reach inputs at `residue` modulo the stride, and from where. */
interface GatherAxis {
  /** Inputs at residue, residue + stride, ... */
  readonly count: number;
  /** Taps that reach them; the first is the last of the filter, so that positions ascend. */
  readonly taps: number;
  readonly firstTap: number;
  readonly tapStep: number;
  readonly dilation: number;
  /** Zeros before the first output gradient. */
  readonly before: number;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/**
 * The input gradient of a strided convolution is, for inputs of one residue modulo the stride, a convolution of stride 1
 * with every so many-th tap of the flipped filter.
 *
 * Input i = residue + stride j gets outputGradient[o] x filter[k] where o stride = i + padding - k dilation.
 */
function gatherAxis(
  residue: number,
  inputSize: number,
  kernelSize: number,
  stride: number,
  dilation: number,
  padding: number,
): GatherAxis {
  const divisor = greatestCommonDivisor(stride, dilation);
  const tapStep = stride / divisor;
  let smallestTap = 0;
  while (smallestTap < kernelSize && (residue + padding - smallestTap * dilation) % stride !== 0) smallestTap += 1;
  const taps = smallestTap >= kernelSize ? 0 : Math.floor((kernelSize - 1 - smallestTap) / tapStep) + 1;
  const outputDilation = dilation / divisor;
  return {
    count: Math.max(0, Math.ceil((inputSize - residue) / stride)),
    taps,
    firstTap: smallestTap + (taps - 1) * tapStep,
    tapStep,
    dilation: outputDilation,
    before: taps === 0 ? 0 : (taps - 1) * outputDilation - (residue + padding - smallestTap * dilation) / stride,
  };
}

/** The depth is (tap, output channel) of the flipped filter, columns are input channels. */
function flippedFilterOperand(
  filter: PooledBuffer,
  sizes: ConvolutionSizes,
  vertical: GatherAxis,
  horizontal: GatherAxis,
): Operand {
  return {
    key: 'flipped filter',
    declarations: `
alias RightQuad = vec2u;
fn prepareRight(part: u32, first: u32) -> RightQuad { return vec2u(part * u.channels, first); }
fn loadRight(quad: RightQuad, k: u32) -> vec4f {
  let tap = k / u.channels;
  let row = u.firstTapDown - (tap / u.tapsAcross) * u.tapStepDown;
  let column = u.firstTapAcross - (tap % u.tapsAcross) * u.tapStepAcross;
  let at = ((row * u.kernelWidth + column) * u.columns + quad.y) * u.allChannels + quad.x + k % u.channels;
  var values = vec4f();
${COMPONENTS.map((c, j) => `  if (quad.y + ${j}u < u.columns) { values.${c} = filters[at + ${j}u * u.allChannels]; }`).join('\n')}
  return values;
}`,
    contiguous: 'depth',
    reads: { filters: 'f32' },
    buffer: filter,
    uniforms: {
      kernelWidth: ['u32', sizes.kernelWidth],
      firstTapDown: ['u32', vertical.firstTap],
      firstTapAcross: ['u32', horizontal.firstTap],
      tapStepDown: ['u32', vertical.tapStep],
      tapStepAcross: ['u32', horizontal.tapStep],
    },
  };
}

const SPREAD_ROWS = `
fn placeOf(row: u32) -> u32 {
  let line = row / u.outputWidth;
  let image = line / u.outputHeight;
  let y = u.firstRow + (line % u.outputHeight) * u.rowStep;
  let x = u.firstColumn + (row % u.outputWidth) * u.columnStep;
  return ((image * u.resultHeight + y) * u.resultWidth + x) * u.rowStride;
}`;

/**
 * conv2dInputGradient of the contract: a product for each residue of rows and columns modulo the strides.
 *
 * @param bias Added to each pixel, for convolutions that are computed as another one's input gradient; or null.
 */
export function runConvolutionInputGradient(
  queue: CommandQueue,
  outputGradient: PooledBuffer,
  filter: PooledBuffer,
  bias: PooledBuffer | null,
  inputGradient: PooledBuffer,
  sizes: ConvolutionSizes,
  options: Conv2dOptions,
  withTemporary: WithTemporary,
): void {
  // A row of that form may be a whole image, which has no place for a bias.
  const asMatrix = bias === null ? matrixForm(sizes, options) : null;
  if (asMatrix !== null) {
    runMatMul(
      queue,
      { buffer: outputGradient, isTransposed: false },
      { buffer: filter, isTransposed: true },
      { buffer: inputGradient, bias: null },
      { rows: asMatrix.rows, depth: sizes.outputs, columns: asMatrix.depth },
      withTemporary,
    );
    return;
  }
  const { strides, dilations, padding, groups } = options;
  const { batch, height, width, kernelHeight, kernelWidth, allOutputs, outputs } = sizes;
  for (let firstRow = 0; firstRow < Math.min(strides[0], height); firstRow++) {
    const vertical = gatherAxis(firstRow, height, kernelHeight, strides[0], dilations[0], padding.top);
    for (let firstColumn = 0; firstColumn < Math.min(strides[1], width); firstColumn++) {
      const horizontal = gatherAxis(firstColumn, width, kernelWidth, strides[1], dilations[1], padding.left);
      const isSpread = strides[0] * strides[1] > 1;
      runMatrixProduct(
        queue,
        {
          rows: batch * vertical.count * horizontal.count,
          // 0 for inputs that no window reaches, whose sums are 0 then.
          depth: vertical.taps * horizontal.taps * outputs,
          columns: sizes.inputs,
          groups,
        },
        windowsOperand(outputGradient, {
          height: sizes.outputHeight,
          width: sizes.outputWidth,
          allChannels: allOutputs,
          channels: outputs,
          outputHeight: vertical.count,
          outputWidth: horizontal.count,
          tapsAcross: horizontal.taps,
          strides: [1, 1],
          dilations: [vertical.dilation, horizontal.dilation],
          top: vertical.before,
          left: horizontal.before,
        }),
        flippedFilterOperand(filter, sizes, vertical, horizontal),
        {
          buffer: inputGradient,
          bias,
          rowStride: sizes.allInputs,
          ...(isSpread && {
            placing: {
              key: 'spread',
              declarations: SPREAD_ROWS,
              uniforms: {
                firstRow: ['u32', firstRow],
                firstColumn: ['u32', firstColumn],
                rowStep: ['u32', strides[0]],
                columnStep: ['u32', strides[1]],
                resultHeight: ['u32', height],
                resultWidth: ['u32', width],
              } satisfies TypedUniforms,
            },
          }),
        },
        withTemporary,
      );
    }
  }
}
