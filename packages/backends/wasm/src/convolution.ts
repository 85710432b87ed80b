import type { Conv2dOptions, Shape } from '@dafl/core';
import type { SharedValues } from './kernel-arguments.ts';
import { CONVOLVE_COLUMNS, CONVOLVE_DOTS, CONVOLVE_TILES } from './kernel-operations.ts';
import type { KernelRunner } from './kernel-runner.ts';
import {
  COLUMN_CHANNELS,
  COLUMN_PIXELS,
  DOT_COLUMNS,
  NARROW_LENGTH,
  TILE_COLUMNS,
  TILE_ROWS,
  TURNED1_WIDTH,
  TURNED3_WIDTH,
} from './kernel-sizes.ts';

/** Pixels below which dot products gain nothing. */
const SMALLEST_DOT_PIXELS = 32;

/** Input that one chunk should touch: it has to stay in the second-level cache beside the filter. */
const CHUNK_BYTES = 160 * 1024;
/** Input that one block of a filter gradient should touch. */
const BLOCK_BYTES = 48 * 1024;
/** Chunks that a launch should have at least, so that threads end at about the same time. */
const CHUNKS = 16;
/** Most memory for the partial sums of a filter gradient. */
const PARTIAL_BYTES = 4 * 1024 * 1024;

/** A stack of images, or a matrix as images of one column. */
export interface ImageGeometry {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  /** Channels of a pixel. */
  readonly channels: number;
}

/** The channels of images that are in use: one group's. */
interface ChannelGroup {
  readonly address: number;
  readonly image: ImageGeometry;
  readonly firstChannel: number;
  readonly channels: number;
}

/** What a convolution does to one group of channels, in the terms of the kernels. */
export interface TapGeometry {
  readonly strides: readonly [number, number];
  readonly taps: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** Zeros above and left; negative where the first rows or columns are not used. */
  readonly top: number;
  readonly left: number;
  /** Size of what comes out. */
  readonly outputHeight: number;
  readonly outputWidth: number;
}

/** A strided view of B, the right side of a product: element (i, j, k, column) of a filter, say. */
export interface PackedSource {
  readonly address: number;
  /** Address of one float for each column, or 0. */
  readonly bias: number;
  readonly sizes: readonly [number, number, number];
  readonly strides: readonly [number, number, number];
  readonly columns: number;
  readonly columnStride: number;
}

/** Where results go; distances in elements. */
export interface OutputLayout {
  readonly address: number;
  readonly image: number;
  readonly row: number;
  readonly column: number;
}

function ceilDivide(a: number, b: number): number {
  return Math.ceil(a / b);
}

/** Whether a window leaves the image, so that rows must be copied with zeros around them. */
function needsCopy(image: ImageGeometry, geometry: TapGeometry): boolean {
  const lastRow =
    (geometry.outputHeight - 1) * geometry.strides[0] + (geometry.taps[0] - 1) * geometry.dilations[0] - geometry.top;
  const lastColumn =
    (geometry.outputWidth - 1) * geometry.strides[1] + (geometry.taps[1] - 1) * geometry.dilations[1] - geometry.left;
  return geometry.top > 0 || geometry.left > 0 || lastRow >= image.height || lastColumn >= image.width;
}

function blockBytes(geometry: TapGeometry, channels: number, rows: number): number {
  const height = (rows - 1) * geometry.strides[0] + (geometry.taps[0] - 1) * geometry.dilations[0] + 1;
  const width = (geometry.outputWidth - 1) * geometry.strides[1] + (geometry.taps[1] - 1) * geometry.dilations[1] + 1;
  return height * width * channels * 4;
}

/** Rows of outputs whose inputs fit into `bytes`, at least one. */
function rowsWithin(bytes: number, geometry: TapGeometry, channels: number): number {
  let rows = geometry.outputHeight;
  while (rows > 1 && blockBytes(geometry, channels, rows) > bytes) rows = ceilDivide(rows, 2);
  return rows;
}

/** Kernels that pack B, by the form. */
const PACKERS = ['packPanels', 'packDots', 'packTriples'] as const;

/**
 * Tiles are 8 output channels wide. With fewer, vectors run along the rows of the image instead, where it has one
 * channel, or along the inputs of a pixel.
 */
function chooseForm(
  { image, channels }: ChannelGroup,
  geometry: TapGeometry,
  columns: number,
  isCopied: boolean,
): number {
  const isOneChannel = channels === 1 && (isCopied || image.channels === 1);
  if (isOneChannel && columns <= 6 && geometry.strides[1] === 1 && geometry.outputWidth >= COLUMN_PIXELS) {
    return CONVOLVE_COLUMNS;
  }
  const pixels = image.batch * geometry.outputHeight * geometry.outputWidth;
  return columns <= DOT_COLUMNS && pixels >= SMALLEST_DOT_PIXELS ? CONVOLVE_DOTS : CONVOLVE_TILES;
}

/** Packs B, convolves, and writes the results: one launch for each. */
export function convolve(
  runner: KernelRunner,
  input: ChannelGroup,
  geometry: TapGeometry,
  source: PackedSource,
  output: OutputLayout,
): void {
  const { image, channels } = input;
  const depth = source.sizes[0] * source.sizes[1] * source.sizes[2];
  const isCopied = needsCopy(image, geometry);
  const form = chooseForm(input, geometry, source.columns, isCopied);
  const panels = form === CONVOLVE_TILES ? ceilDivide(source.columns, TILE_COLUMNS) : 1;
  const isJoined = geometry.dilations[1] === 1 && (isCopied || image.channels === channels);
  const mostRuns = source.sizes[0] * source.sizes[1];
  const packedBytes = [
    panels * (depth + 1) * TILE_COLUMNS * 4,
    16 + DOT_COLUMNS * (depth + 4 * mostRuns) * 4,
    ceilDivide(source.columns, COLUMN_CHANNELS) * (depth + 1) * COLUMN_CHANNELS * 4,
  ][form];
  const work = image.batch * geometry.outputHeight * geometry.outputWidth * depth * source.columns;

  let imagesPerChunk = 1;
  let rowsPerChunk = geometry.outputHeight;
  const isMatrix = image.width === 1 && image.batch === 1;
  if (isMatrix) {
    // A multiple of the tile's rows, so that only the last chunk has a partly filled tile.
    const fitting = Math.max(TILE_ROWS * 4, Math.floor(CHUNK_BYTES / (channels * 4)));
    const fair = Math.max(TILE_ROWS * 4, ceilDivide(geometry.outputHeight, CHUNKS));
    rowsPerChunk = ceilDivide(Math.min(fitting, fair, 384), TILE_ROWS) * TILE_ROWS;
  } else {
    const whole = blockBytes(geometry, channels, geometry.outputHeight);
    if (whole <= CHUNK_BYTES) {
      const pixels = geometry.outputHeight * geometry.outputWidth;
      imagesPerChunk = Math.max(
        1,
        Math.min(Math.floor(CHUNK_BYTES / whole), ceilDivide(image.batch, CHUNKS), ceilDivide(2048, pixels)),
      );
    } else {
      rowsPerChunk = rowsWithin(CHUNK_BYTES, geometry, channels);
    }
    if (image.batch < CHUNKS && work > 500_000) {
      const blocks = ceilDivide(CHUNKS, image.batch);
      rowsPerChunk = Math.min(rowsPerChunk, Math.max(1, ceilDivide(geometry.outputHeight, blocks)));
    }
  }
  const pixelChunks = ceilDivide(image.batch, imagesPerChunk) * ceilDivide(geometry.outputHeight, rowsPerChunk);
  const panelsPerChunk = pixelChunks >= 8 ? panels : ceilDivide(panels, Math.min(panels, ceilDivide(8, pixelChunks)));

  const pixels = imagesPerChunk * rowsPerChunk * geometry.outputWidth;
  const scratchBytes =
    ceilDivide(
      geometry.taps[0] * geometry.taps[1] * 4 +
        (pixels + TILE_ROWS) * 8 +
        192 +
        (isCopied ? imagesPerChunk * blockBytes(geometry, channels, rowsPerChunk) : 0) +
        64,
      64,
    ) * 64;
  const scratch = runner.scratch(scratchBytes);
  runner.withTemporary(packedBytes, (packed) => {
    runner.run(PACKERS[form], panels, depth * source.columns, {
      source: source.address,
      target: packed,
      bias: source.bias,
      size0: source.sizes[0],
      size1: source.sizes[1],
      size2: source.sizes[2],
      stride0: source.strides[0],
      stride1: source.strides[1],
      stride2: source.strides[2],
      columns: source.columns,
      columnStride: source.columnStride,
      isJoined: isJoined ? 1 : 0,
    });
    runner.run('convolve', pixelChunks * ceilDivide(panels, panelsPerChunk), work, {
      ...describeTaps(input, geometry),
      output: output.address,
      packed,
      outputImageBytes: output.image * 4,
      outputRowBytes: output.row * 4,
      outputPixelBytes: output.column * 4,
      columns: source.columns,
      imagesPerChunk,
      rowsPerChunk,
      isCopied: isCopied ? 1 : 0,
      scratch,
      scratchBytes,
      panelsPerChunk,
      form,
    });
  });
}

/** What `convolve` and `filterGradient` are told alike of what they read. */
function describeTaps(
  { address, image, firstChannel, channels }: ChannelGroup,
  { strides, taps, dilations, top, left, outputHeight, outputWidth }: TapGeometry,
): Omit<SharedValues<'convolution'>, 'columns' | 'imagesPerChunk' | 'isCopied' | 'scratch' | 'scratchBytes'> {
  return {
    input: address,
    batch: image.batch,
    height: image.height,
    width: image.width,
    pixelChannels: image.channels,
    firstChannel,
    channels,
    outputRows: outputHeight,
    outputColumns: outputWidth,
    strideDown: strides[0],
    strideAcross: strides[1],
    tapsDown: taps[0],
    tapsAcross: taps[1],
    dilationDown: dilations[0],
    dilationAcross: dilations[1],
    top,
    left,
  };
}

/** Bytes of one image's output gradients and input gradients. */
function scatteredBytes({ outputHeight, outputWidth }: TapGeometry, inputShape: Shape, outputs: number): number {
  return (inputShape[1] * inputShape[2] * inputShape[3] + outputHeight * outputWidth * outputs) * 4;
}

/** Whether `scatterInputGradient` applies, has enough columns for a tile, and finds the image in the cache each time. */
export function canScatter(
  geometry: TapGeometry,
  inputShape: Shape,
  filterShape: Shape,
  options: Conv2dOptions,
): boolean {
  const { strides, taps, dilations, outputHeight, outputWidth } = geometry;
  return (
    options.groups === 1 &&
    [...strides, ...dilations].every((step) => step === 1) &&
    geometry.top + geometry.left === 0 &&
    outputHeight === inputShape[1] - taps[0] + 1 &&
    outputWidth === inputShape[2] - taps[1] + 1 &&
    taps[1] * inputShape[3] >= TILE_COLUMNS &&
    scatteredBytes(geometry, inputShape, filterShape[3]) <= CHUNK_BYTES
  );
}

/** The input gradient of a convolution without padding. */
export function scatterInputGradient(
  runner: KernelRunner,
  geometry: TapGeometry,
  inputShape: Shape,
  outputs: number,
  addresses: { readonly outputGradient: number; readonly filter: number; readonly inputGradient: number },
): void {
  const [batch, height, width, inputs] = inputShape as readonly [number, number, number, number];
  const [tapsDown, tapsAcross] = geometry.taps;
  const columns = tapsAcross * inputs;
  const panels = ceilDivide(columns, TILE_COLUMNS);
  // Six images fill tiles of six rows, whatever their height.
  const images = Math.min(TILE_ROWS, Math.floor(CHUNK_BYTES / scatteredBytes(geometry, inputShape, outputs)));
  const scratchBytes = ceilDivide((images * geometry.outputHeight + TILE_ROWS) * 8 + 64, 64) * 64;
  const scratch = runner.scratch(scratchBytes);
  const rowBytes = panels * (outputs + 1) * TILE_COLUMNS * 4;
  runner.withTemporary(tapsDown * rowBytes, (packed) => {
    for (let row = 0; row < tapsDown; row++) {
      runner.run('packPanels', panels, outputs * columns, {
        source: addresses.filter + row * columns * outputs * 4,
        target: packed + row * rowBytes,
        bias: 0,
        size0: 1,
        size1: 1,
        size2: outputs,
        stride0: 0,
        stride1: 0,
        stride2: 1,
        columns,
        columnStride: outputs,
      });
    }
    const work = batch * geometry.outputHeight * geometry.outputWidth * outputs * columns * tapsDown;
    runner.run('scatterInputGradient', ceilDivide(batch, images), work, {
      outputGradient: addresses.outputGradient,
      inputGradient: addresses.inputGradient,
      packed,
      batch,
      height,
      width,
      inputs,
      outputs,
      tapsDown,
      tapsAcross,
      imagesPerChunk: images,
      scratch,
      scratchBytes,
    });
  });
}

/**
 * Sums over all pixels of input x output gradient, for each tap, input channel and output channel.
 *
 * @param pixels Where `input.image` is a matrix cut into rows of pixels, how many there are in all; else 0.
 */
export function accumulateFilterGradient(
  runner: KernelRunner,
  input: ChannelGroup,
  geometry: TapGeometry,
  gradient: {
    readonly address: number;
    readonly channels: number;
    readonly firstChannel: number;
    readonly columns: number;
  },
  outputAddress: number,
  pixels: number,
): void {
  const { image, channels } = input;
  const isCopied = pixels === 0 && needsCopy(image, geometry);
  const isJoined = geometry.dilations[1] === 1 && (isCopied || image.channels === channels);
  const length = isJoined ? geometry.taps[1] * channels : channels;
  const runs = geometry.taps[0] * (isJoined ? 1 : geometry.taps[1]);
  // For few output channels, vectors run along the input instead, unless its runs are short.
  const turned = gradient.columns === 1 ? 1 : 3;
  const turnedLength = turned === 1 ? TURNED1_WIDTH : TURNED3_WIDTH;
  const isNarrow = gradient.columns <= 4 && length <= NARROW_LENGTH;
  const form = isNarrow ? 4 : gradient.columns <= 3 && length * 2 >= turnedLength ? turned : 0;
  const tilesPerRun = ceilDivide(length, form === 0 ? TILE_ROWS : turnedLength);
  const tiles = isNarrow ? ceilDivide(runs, 2) : runs * tilesPerRun;
  const panels = ceilDivide(gradient.columns, TILE_COLUMNS);
  const splitBytes = form === 0 ? tiles * TILE_ROWS * panels * TILE_COLUMNS * 4 : tiles * 192;
  const work =
    (pixels || image.batch * geometry.outputHeight * geometry.outputWidth) * runs * length * gradient.columns;

  const mostSplits = Math.max(1, Math.min(32, Math.floor(PARTIAL_BYTES / splitBytes), ceilDivide(work, 200_000)));
  const imagesPerChunk = ceilDivide(image.batch, mostSplits);
  const splits = ceilDivide(image.batch, imagesPerChunk);
  const tilesPerChunk = splits >= 8 ? tiles : ceilDivide(tiles, Math.min(tiles, ceilDivide(8, splits)));

  const rowsPerBlock = rowsWithin(BLOCK_BYTES, geometry, channels);
  const oneImage = blockBytes(geometry, channels, rowsPerBlock);
  const imagesPerBlock =
    pixels > 0 || rowsPerBlock < geometry.outputHeight
      ? 1
      : Math.max(1, Math.min(imagesPerChunk, Math.floor(BLOCK_BYTES / oneImage)));
  const scratchBytes = ceilDivide((isCopied ? imagesPerBlock * oneImage : 0) + 128, 64) * 64;
  const scratch = runner.scratch(scratchBytes);
  runner.withTemporary(splits * splitBytes, (partials) => {
    runner.run('filterGradient', splits * ceilDivide(tiles, tilesPerChunk), work, {
      ...describeTaps(input, geometry),
      outputGradient: gradient.address,
      partials,
      gradientChannels: gradient.channels,
      firstGradientChannel: gradient.firstChannel,
      columns: gradient.columns,
      imagesPerChunk,
      rowsPerBlock,
      isCopied: isCopied ? 1 : 0,
      scratch,
      scratchBytes,
      tilesPerChunk,
      pixelsInAll: pixels,
      imagesPerBlock,
      form,
    });
    const rowsPerChunk = form === 0 ? Math.max(1, Math.floor(16384 / (gradient.columns * splits))) : runs * length;
    runner.run(
      'combineFilterGradient',
      ceilDivide(runs * length, rowsPerChunk),
      runs * length * gradient.columns * splits,
      {
        partials,
        output: outputAddress,
        splits,
        runs,
        tilesPerRun,
        length,
        columns: gradient.columns,
        outputChannels: gradient.channels,
        firstOutputChannel: gradient.firstChannel,
        rowsPerChunk,
        form,
      },
    );
  });
}

/** One axis of the input gradient: which taps reach inputs at `residue` modulo the stride, and from where. */
export interface GatherAxis {
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
export function gatherAxis(
  axis: 0 | 1,
  residue: number,
  inputSize: number,
  filterSize: number,
  options: Conv2dOptions,
): GatherAxis {
  const stride = options.strides[axis];
  const dilation = options.dilations[axis];
  const padding = axis === 0 ? options.padding.top : options.padding.left;
  const divisor = greatestCommonDivisor(stride, dilation);
  const tapStep = stride / divisor;
  let smallestTap = 0;
  while (smallestTap < filterSize && (residue + padding - smallestTap * dilation) % stride !== 0) smallestTap += 1;
  const taps = smallestTap >= filterSize ? 0 : Math.floor((filterSize - 1 - smallestTap) / tapStep) + 1;
  const offset = (residue + padding - smallestTap * dilation) / stride;
  const outputDilation = dilation / divisor;
  return {
    count: Math.max(0, ceilDivide(inputSize - residue, stride)),
    taps,
    firstTap: smallestTap + (taps - 1) * tapStep,
    tapStep,
    dilation: outputDilation,
    before: (taps - 1) * outputDilation - offset,
  };
}
