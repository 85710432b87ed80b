import type { AveragePool2dOptions, Pool2dOptions, Shape } from '@dafl/core';
import { SPECIAL_VALUES } from './_special-values.ts';
import type { PooledBuffer } from './buffer-pool.ts';
import type { CommandQueue } from './command-queue.ts';
import { elementKernel, ELEMENTS_PER_WORKGROUP, type UniformType } from './kernel.ts';
import { sizeOf } from '@dafl/core/backend-base';

const UNIFORMS = {
  height: 'u32',
  width: 'u32',
  channels: 'u32',
  outputHeight: 'u32',
  outputWidth: 'u32',
  windowHeight: 'i32',
  windowWidth: 'i32',
  strideDown: 'i32',
  strideAcross: 'i32',
  top: 'i32',
  left: 'i32',
  countsPadding: 'u32',
} as const satisfies Record<string, UniformType>;

/** What the kernels below have in common: where an output's window lies, and which outputs see an input. */
const GEOMETRY = `
struct Place { image: u32, row: i32, column: i32, channel: u32 }
fn placeOf(i: u32, height: u32, width: u32) -> Place {
  let pixel = i / u.channels;
  let line = pixel / width;
  return Place(line / height, i32(line % height), i32(pixel % width), i % u.channels);
}
/** First and past-the-last row or column of a window, without padding. */
fn windowOf(position: i32, stride: i32, before: i32, window: i32, length: u32) -> vec2i {
  let start = position * stride - before;
  return vec2i(max(start, 0), min(start + window, i32(length)));
}
/** First and past-the-last output whose window holds an input. */
fn readersOf(position: i32, stride: i32, before: i32, window: i32, length: u32) -> vec2i {
  let padded = position + before;
  return vec2i(max((padded - window + stride) / stride, 0), min(padded / stride + 1, i32(length)));
}
fn inputAt(image: u32, row: i32, column: i32, channel: u32) -> u32 {
  return ((image * u.height + u32(row)) * u.width + u32(column)) * u.channels + channel;
}
fn outputAt(image: u32, row: i32, column: i32, channel: u32) -> u32 {
  return ((image * u.outputHeight + u32(row)) * u.outputWidth + u32(column)) * u.channels + channel;
}
`;

const OUTPUT_WINDOW = `
      let place = placeOf(i, u.outputHeight, u.outputWidth);
      let rows = windowOf(place.row, u.strideDown, u.top, u.windowHeight, u.height);
      let columns = windowOf(place.column, u.strideAcross, u.left, u.windowWidth, u.width);`;

/** `padded - window + stride` is negative only where the first reader is 0 all the same. */
const INPUT_READERS = `
      let place = placeOf(i, u.height, u.width);
      let rows = readersOf(place.row, u.strideDown, u.top, u.windowHeight, u.outputHeight);
      let columns = readersOf(place.column, u.strideAcross, u.left, u.windowWidth, u.outputWidth);`;

/** Divisor of the average at output `(row, column)`. */
const DIVISOR = `
fn divisorOf(row: i32, column: i32) -> f32 {
  if (u.countsPadding == 1u) { return f32(u.windowHeight * u.windowWidth); }
  let rows = windowOf(row, u.strideDown, u.top, u.windowHeight, u.height);
  let columns = windowOf(column, u.strideAcross, u.left, u.windowWidth, u.width);
  return f32((rows.y - rows.x) * (columns.y - columns.x));
}
`;

function uniformsOf(
  count: number,
  inputShape: Shape,
  outputShape: Shape,
  options: Pool2dOptions & { readonly countsPadding?: boolean },
): Record<keyof typeof UNIFORMS | 'count', number> {
  return {
    count,
    height: inputShape[1],
    width: inputShape[2],
    channels: inputShape[3],
    outputHeight: outputShape[1],
    outputWidth: outputShape[2],
    windowHeight: options.windowSize[0],
    windowWidth: options.windowSize[1],
    strideDown: options.strides[0],
    strideAcross: options.strides[1],
    top: options.padding.top,
    left: options.padding.left,
    countsPadding: options.countsPadding === true ? 1 : 0,
  };
}

/** Writes each window's largest element, or with `writesPlaces` where in the input the first one lies. */
export function runMaxPool(
  queue: CommandQueue,
  input: PooledBuffer,
  output: PooledBuffer,
  inputShape: Shape,
  outputShape: Shape,
  options: Pool2dOptions,
  writesPlaces: boolean,
): void {
  const count = sizeOf(outputShape);
  queue.run({
    key: `maxPool ${writesPlaces}`,
    build: () =>
      elementKernel({
        uniforms: UNIFORMS,
        reads: { input: 'f32' },
        writes: { output: writesPlaces ? 'u32' : 'f32' },
        declarations: SPECIAL_VALUES + GEOMETRY,
        perElement: `${OUTPUT_WINDOW}
      var at = inputAt(place.image, rows.x, columns.x, place.channel);
      var best = input[at];
      for (var row = rows.x; row < rows.y; row++) {
        for (var column = columns.x; column < columns.y; column++) {
          let other = inputAt(place.image, row, column, place.channel);
          let x = input[other];
          if (!isNan(best) && (isNan(x) || x > best)) { best = x; at = other; }
        }
      }
      output[i] = ${writesPlaces ? 'at' : 'best'};`,
      }),
    reads: [input],
    writes: [output],
    uniforms: uniformsOf(count, inputShape, outputShape, options),
    workgroups: Math.ceil(count / ELEMENTS_PER_WORKGROUP),
  });
}

/** Each input sums the gradients of the windows whose first largest element it is. */
export function runMaxPoolGradient(
  queue: CommandQueue,
  outputGradient: PooledBuffer,
  places: PooledBuffer,
  inputGradient: PooledBuffer,
  inputShape: Shape,
  outputShape: Shape,
  options: Pool2dOptions,
): void {
  const count = sizeOf(inputShape);
  queue.run({
    key: 'maxPoolGradient',
    build: () =>
      elementKernel({
        uniforms: UNIFORMS,
        reads: { outputGradient: 'f32', places: 'u32' },
        writes: { inputGradient: 'f32' },
        declarations: GEOMETRY,
        perElement: `${INPUT_READERS}
      var total = 0.0;
      for (var row = rows.x; row < rows.y; row++) {
        for (var column = columns.x; column < columns.y; column++) {
          let at = outputAt(place.image, row, column, place.channel);
          if (places[at] == i) { total += outputGradient[at]; }
        }
      }
      inputGradient[i] = total;`,
      }),
    reads: [outputGradient, places],
    writes: [inputGradient],
    uniforms: uniformsOf(count, inputShape, outputShape, options),
    workgroups: Math.ceil(count / ELEMENTS_PER_WORKGROUP),
  });
}

/** averagePool2d of the contract. */
export function runAveragePool(
  queue: CommandQueue,
  input: PooledBuffer,
  output: PooledBuffer,
  inputShape: Shape,
  outputShape: Shape,
  options: AveragePool2dOptions,
): void {
  const count = sizeOf(outputShape);
  queue.run({
    key: 'averagePool',
    build: () =>
      elementKernel({
        uniforms: UNIFORMS,
        reads: { input: 'f32' },
        writes: { output: 'f32' },
        declarations: GEOMETRY + DIVISOR,
        perElement: `${OUTPUT_WINDOW}
      var total = 0.0;
      for (var row = rows.x; row < rows.y; row++) {
        for (var column = columns.x; column < columns.y; column++) {
          total += input[inputAt(place.image, row, column, place.channel)];
        }
      }
      output[i] = total / divisorOf(place.row, place.column);`,
      }),
    reads: [input],
    writes: [output],
    uniforms: uniformsOf(count, inputShape, outputShape, options),
    workgroups: Math.ceil(count / ELEMENTS_PER_WORKGROUP),
  });
}

/** averagePool2dGradient of the contract. */
export function runAveragePoolGradient(
  queue: CommandQueue,
  outputGradient: PooledBuffer,
  inputGradient: PooledBuffer,
  inputShape: Shape,
  outputShape: Shape,
  options: AveragePool2dOptions,
): void {
  const count = sizeOf(inputShape);
  queue.run({
    key: 'averagePoolGradient',
    build: () =>
      elementKernel({
        uniforms: UNIFORMS,
        reads: { outputGradient: 'f32' },
        writes: { inputGradient: 'f32' },
        declarations: GEOMETRY + DIVISOR,
        perElement: `${INPUT_READERS}
      var total = 0.0;
      for (var row = rows.x; row < rows.y; row++) {
        for (var column = columns.x; column < columns.y; column++) {
          total += outputGradient[outputAt(place.image, row, column, place.channel)] / divisorOf(row, column);
        }
      }
      inputGradient[i] = total;`,
      }),
    reads: [outputGradient],
    writes: [inputGradient],
    uniforms: uniformsOf(count, inputShape, outputShape, options),
    workgroups: Math.ceil(count / ELEMENTS_PER_WORKGROUP),
  });
}
