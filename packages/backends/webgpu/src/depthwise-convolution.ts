import type { Conv2dOptions } from '@dafl/core';
import type { PooledBuffer } from './buffer-pool.ts';
import type { CommandQueue } from './command-queue.ts';
import type { ConvolutionSizes } from './convolution.ts';
import { elementKernel, ELEMENTS_PER_WORKGROUP, type UniformType } from './kernel.ts';
import { runReduction, type WithTemporary } from './reduction.ts';

const UNIFORMS = {
  height: 'u32',
  width: 'u32',
  inputs: 'u32',
  outputs: 'u32',
  multiplier: 'u32',
  outputHeight: 'u32',
  outputWidth: 'u32',
  kernelHeight: 'u32',
  kernelWidth: 'u32',
  strideDown: 'i32',
  strideAcross: 'i32',
  dilationDown: 'i32',
  dilationAcross: 'i32',
  top: 'i32',
  left: 'i32',
} as const satisfies Record<string, UniformType>;

/** Pixels whose products one invocation of the filter gradient adds up, at most. */
const PIXELS_PER_SPLIT = 1024;
/** Invocations that keep a large GPU busy. */
const WANTED_INVOCATIONS = 65_536;

function uniformsOf(
  count: number,
  sizes: ConvolutionSizes,
  { strides, dilations, padding }: Conv2dOptions,
): Record<keyof typeof UNIFORMS | 'count', number> {
  return {
    count,
    height: sizes.height,
    width: sizes.width,
    inputs: sizes.allInputs,
    outputs: sizes.allOutputs,
    multiplier: sizes.outputs,
    outputHeight: sizes.outputHeight,
    outputWidth: sizes.outputWidth,
    kernelHeight: sizes.kernelHeight,
    kernelWidth: sizes.kernelWidth,
    strideDown: strides[0],
    strideAcross: strides[1],
    dilationDown: dilations[0],
    dilationAcross: dilations[1],
    top: padding.top,
    left: padding.left,
  };
}

/** conv2d with as many groups as input channels. */
export function runDepthwise(
  queue: CommandQueue,
  input: PooledBuffer,
  filter: PooledBuffer,
  bias: PooledBuffer | null,
  output: PooledBuffer,
  sizes: ConvolutionSizes,
  options: Conv2dOptions,
): void {
  const count = sizes.batch * sizes.outputHeight * sizes.outputWidth * sizes.allOutputs;
  queue.run({
    key: `depthwise ${bias === null ? '' : 'bias'}`,
    build: () =>
      elementKernel({
        uniforms: UNIFORMS,
        reads: { input: 'f32', filters: 'f32', ...(bias === null ? {} : { bias: 'f32' as const }) },
        writes: { output: 'f32' },
        perElement: `
      let channel = i % u.outputs;
      let pixel = i / u.outputs;
      let line = pixel / u.outputWidth;
      let firstRow = i32(line % u.outputHeight) * u.strideDown - u.top;
      let firstColumn = i32(pixel % u.outputWidth) * u.strideAcross - u.left;
      let start = (line / u.outputHeight) * u.height;
      var total = 0.0;
      for (var tapDown = 0u; tapDown < u.kernelHeight; tapDown++) {
        let row = u32(firstRow + i32(tapDown) * u.dilationDown);
        if (row < u.height) {
          for (var tapAcross = 0u; tapAcross < u.kernelWidth; tapAcross++) {
            let column = u32(firstColumn + i32(tapAcross) * u.dilationAcross);
            if (column < u.width) {
              let x = input[((start + row) * u.width + column) * u.inputs + channel / u.multiplier];
              total += x * filters[(tapDown * u.kernelWidth + tapAcross) * u.outputs + channel];
            }
          }
        }
      }
      output[i] = total${bias === null ? '' : ' + bias[channel]'};`,
      }),
    reads: [input, filter, ...(bias === null ? [] : [bias])],
    writes: [output],
    uniforms: uniformsOf(count, sizes, options),
    workgroups: Math.ceil(count / ELEMENTS_PER_WORKGROUP),
  });
}

/** conv2dInputGradient with as many groups as input channels. */
export function runDepthwiseInputGradient(
  queue: CommandQueue,
  outputGradient: PooledBuffer,
  filter: PooledBuffer,
  inputGradient: PooledBuffer,
  sizes: ConvolutionSizes,
  options: Conv2dOptions,
): void {
  const count = sizes.batch * sizes.height * sizes.width * sizes.allInputs;
  queue.run({
    key: 'depthwiseInputGradient',
    build: () =>
      elementKernel({
        uniforms: UNIFORMS,
        reads: { outputGradient: 'f32', filters: 'f32' },
        writes: { inputGradient: 'f32' },
        perElement: `
      let channel = i % u.inputs;
      let pixel = i / u.inputs;
      let line = pixel / u.width;
      let lastRow = i32(line % u.height) + u.top;
      let lastColumn = i32(pixel % u.width) + u.left;
      let start = (line / u.height) * u.outputHeight;
      var total = 0.0;
      for (var tapDown = 0u; tapDown < u.kernelHeight; tapDown++) {
        let down = lastRow - i32(tapDown) * u.dilationDown;
        let row = u32(down / u.strideDown);
        if (down >= 0 && down % u.strideDown == 0 && row < u.outputHeight) {
          for (var tapAcross = 0u; tapAcross < u.kernelWidth; tapAcross++) {
            let across = lastColumn - i32(tapAcross) * u.dilationAcross;
            let column = u32(across / u.strideAcross);
            if (across >= 0 && across % u.strideAcross == 0 && column < u.outputWidth) {
              let at = ((start + row) * u.outputWidth + column) * u.outputs + channel * u.multiplier;
              let tap = (tapDown * u.kernelWidth + tapAcross) * u.outputs + channel * u.multiplier;
              for (var j = 0u; j < u.multiplier; j++) { total += outputGradient[at + j] * filters[tap + j]; }
            }
          }
        }
      }
      inputGradient[i] = total;`,
      }),
    reads: [outputGradient, filter],
    writes: [inputGradient],
    uniforms: uniformsOf(count, sizes, options),
    workgroups: Math.ceil(count / ELEMENTS_PER_WORKGROUP),
  });
}

/** conv2dFilterGradient with as many groups as input channels: parts over some of the pixels each, then their sum. */
export function runDepthwiseFilterGradient(
  queue: CommandQueue,
  input: PooledBuffer,
  outputGradient: PooledBuffer,
  filterGradient: PooledBuffer,
  sizes: ConvolutionSizes,
  options: Conv2dOptions,
  withTemporary: WithTemporary,
): void {
  const elements = sizes.kernelHeight * sizes.kernelWidth * sizes.allOutputs;
  const pixels = sizes.batch * sizes.outputHeight * sizes.outputWidth;
  const splits = Math.max(
    1,
    Math.ceil(pixels / PIXELS_PER_SPLIT),
    Math.min(Math.ceil(WANTED_INVOCATIONS / elements), Math.ceil(pixels / 64)),
  );
  const launch = (target: PooledBuffer): void => {
    const count = splits * elements;
    queue.run({
      key: 'depthwiseFilterGradient',
      build: () =>
        elementKernel({
          uniforms: { ...UNIFORMS, pixels: 'u32', splits: 'u32' },
          reads: { input: 'f32', outputGradient: 'f32' },
          writes: { filterGradient: 'f32' },
          perElement: `
      let channel = i % u.outputs;
      let tap = i / u.outputs;
      let tapAcross = tap % u.kernelWidth;
      let tapDown = (tap / u.kernelWidth) % u.kernelHeight;
      let split = tap / (u.kernelWidth * u.kernelHeight);
      let firstRow = i32(tapDown) * u.dilationDown - u.top;
      let firstColumn = i32(tapAcross) * u.dilationAcross - u.left;
      var total = 0.0;
      for (var pixel = split; pixel < u.pixels; pixel += u.splits) {
        let line = pixel / u.outputWidth;
        let row = u32(i32(line % u.outputHeight) * u.strideDown + firstRow);
        let column = u32(i32(pixel % u.outputWidth) * u.strideAcross + firstColumn);
        if (row < u.height && column < u.width) {
          let start = (line / u.outputHeight) * u.height;
          let x = input[((start + row) * u.width + column) * u.inputs + channel / u.multiplier];
          total += x * outputGradient[pixel * u.outputs + channel];
        }
      }
      filterGradient[i] = total;`,
        }),
      reads: [input, outputGradient],
      writes: [target],
      uniforms: { ...uniformsOf(count, sizes, options), pixels, splits },
      workgroups: Math.ceil(count / ELEMENTS_PER_WORKGROUP),
    });
  };
  if (splits === 1) {
    launch(filterGradient);
    return;
  }
  withTemporary(splits * elements, (partials) => {
    launch(partials);
    const shape = { outer: 1, rows: splits, inner: elements };
    runReduction(queue, 'sum', partials, filterGradient, shape, 1, withTemporary);
  });
}
