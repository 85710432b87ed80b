import type { Shape } from '@dafl/core';
import { REDUCE_SUM } from './kernel-operations.ts';
import type { KernelRunner } from './kernel-runner.ts';
import { TILE_COLUMNS, TILE_ROWS, UPSAMPLE_PRODUCTS, UPSAMPLE_SOURCES } from './kernel-sizes.ts';
import { runFill } from './layout.ts';
import { reduceMiddle } from './reduction.ts';
import type { WasmTensor } from './wasm-tensor.ts';

/** Products of a block of pixels, and what they are made of. */
const PRODUCTS = UPSAMPLE_PRODUCTS ** 2;
const SOURCES = UPSAMPLE_SOURCES ** 2;

/** Working memory of one block of tiles: it has to stay in the second-level cache. */
const BLOCK_BYTES = 1024 * 1024;
/** What is multiplied at once of the filter of one product: it has to stay in the first-level cache. */
const FILTER_BYTES = 16 * 1024;
/** Chunks that a launch should have at least, so that threads end at about the same time. */
const CHUNKS = 16;
/** Most chunks of a filter gradient: each leaves a part to be added up. */
const MOST_PARTS = 16;

/** The small image and the channels of what it becomes. */
interface UpsampleGeometry {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly inputs: number;
  readonly outputs: number;
}

function geometryOf(smallShape: Shape, outputs: number): UpsampleGeometry {
  const [batch, height, width, inputs] = smallShape;
  return { batch, height, width, inputs, outputs };
}

function ceilDivide(a: number, b: number): number {
  return Math.ceil(a / b);
}

function aligned(bytes: number): number {
  return ceilDivide(bytes, 64) * 64;
}

/** Bytes of a tile's channels, in whole vectors. */
function vectorBytes(channels: number): number {
  return ceilDivide(channels, 4) * 16;
}

/** Multiply-adds. */
function countWork({ batch, height, width, inputs, outputs }: UpsampleGeometry): number {
  return batch * ceilDivide(height, 2) * ceilDivide(width, 2) * PRODUCTS * inputs * outputs;
}

/** How many images, or else how many rows of tiles of one image, make a block. */
function planBlock(
  { height, width }: UpsampleGeometry,
  mostImages: number,
  tileBytes: number,
): { images: number; rows: number } {
  const tileRows = ceilDivide(height, 2);
  const tilesPerImage = tileRows * ceilDivide(width, 2);
  const mostTiles = Math.floor(BLOCK_BYTES / tileBytes);
  if (mostTiles < tilesPerImage) {
    const blocks = Math.min(tileRows, ceilDivide(tilesPerImage, Math.max(1, mostTiles)));
    return { images: 1, rows: ceilDivide(tileRows, blocks) };
  }
  const most = Math.max(1, Math.min(mostImages, Math.floor(mostTiles / tilesPerImage)));
  // The last of the products' tiles of six rows should be nearly full.
  const filling = (images: number): number =>
    (images * tilesPerImage) / (ceilDivide(images * tilesPerImage, TILE_ROWS) * TILE_ROWS);
  let best = most;
  for (let images = most; 2 * images > most; images--) if (filling(images) > filling(best)) best = images;
  return { images: best, rows: tileRows };
}

/** Enough zeros for a row of either image and for a row of tiles. */
function countZeroBytes({ width, inputs, outputs }: UpsampleGeometry, columnsAtOnce: number): number {
  return aligned(Math.max(width * inputs, 2 * width * outputs, ceilDivide(width, 2) * columnsAtOnce) * 4 + 64);
}

/** Convolution and input gradient: they differ in what they split, by what they multiply, and in what they merge. */
function multiply(
  runner: KernelRunner,
  geometry: UpsampleGeometry,
  isGradient: boolean,
  addresses: { readonly small: number; readonly large: number; readonly filter: number; readonly bias: number },
): void {
  const { batch, height, width, inputs, outputs } = geometry;
  const depth = isGradient ? outputs : inputs;
  const columns = isGradient ? inputs : outputs;
  const panels = ceilDivide(columns, TILE_COLUMNS);
  const columnsAtOnce =
    TILE_COLUMNS * Math.min(panels, Math.max(1, Math.floor(FILTER_BYTES / (depth * TILE_COLUMNS * 4))));
  // The products of a gradient's sources are summed while multiplying.
  const [splits, merged] = isGradient ? [PRODUCTS, SOURCES] : [SOURCES, PRODUCTS];
  const tileBytes = splits * vectorBytes(depth) + merged * columnsAtOnce * 4;
  const { images, rows } = planBlock(geometry, ceilDivide(batch, CHUNKS), tileBytes);
  const tileRows = ceilDivide(height, 2);
  const tileColumns = ceilDivide(width, 2);
  const tiles = images * Math.min(rows + 2, tileRows) * tileColumns;
  const zeroBytes = countZeroBytes(geometry, columnsAtOnce);
  const scratchBytes =
    zeroBytes +
    aligned(Math.max((2 * tileColumns + 2) * inputs * 16, 2 * width * outputs * 4)) +
    (tileColumns + 2) * 5 * columnsAtOnce * 4 +
    aligned((tiles + TILE_ROWS) * 8) +
    aligned(tiles * tileBytes) +
    256;
  const scratch = runner.scratch(scratchBytes);
  const packedBytes = panels * TILE_COLUMNS * 4 * (PRODUCTS * depth + (isGradient ? SOURCES : PRODUCTS));
  runner.withTemporary(packedBytes, (packed) => {
    runner.run('packUpsampleFilter', panels, 81 * inputs * outputs, {
      filter: addresses.filter,
      packed,
      inputs,
      outputs,
      isGradient: isGradient ? 1 : 0,
    });
    const kernel = isGradient ? 'upsampleInputGradient' : 'upsampleConvolve';
    runner.run(kernel, ceilDivide(batch, images) * ceilDivide(tileRows, rows), countWork(geometry), {
      ...geometry,
      small: addresses.small,
      large: addresses.large,
      packed,
      bias: addresses.bias,
      imagesPerBlock: images,
      rowsPerBlock: rows,
      zeroBytes,
      scratch,
      scratchBytes,
      columnsAtOnce,
    });
  });
}

/** `upsampleConv2d` of the contract; `bias` is an address, or 0 for none. */
export function runUpsampleConvolution(
  runner: KernelRunner,
  x: WasmTensor,
  w: WasmTensor,
  bias: number,
  result: WasmTensor,
): void {
  if (result.size === 0) return;
  const geometry = geometryOf(x.shape, w.shape[3]);
  multiply(runner, geometry, false, { small: x.address, large: result.address, filter: w.address, bias });
}

/** `upsampleConv2dInputGradient` of the contract. */
export function runUpsampleConvolutionInputGradient(
  runner: KernelRunner,
  g: WasmTensor,
  w: WasmTensor,
  result: WasmTensor,
): void {
  if (g.size === 0) runFill(runner, result.address, result.size, 0);
  if (result.size === 0 || g.size === 0) return;
  const geometry = geometryOf(result.shape, w.shape[3]);
  multiply(runner, geometry, true, { small: result.address, large: g.address, filter: w.address, bias: 0 });
}

/** `upsampleConv2dFilterGradient` of the contract. */
export function runUpsampleConvolutionFilterGradient(
  runner: KernelRunner,
  x: WasmTensor,
  g: WasmTensor,
  result: WasmTensor,
): void {
  if (x.size === 0 || g.size === 0) runFill(runner, result.address, result.size, 0);
  if (result.size === 0 || x.size === 0 || g.size === 0) return;
  const geometry = geometryOf(x.shape, g.shape[3]);
  const { batch, height, width, inputs, outputs } = geometry;
  const imagesPerChunk = ceilDivide(batch, Math.min(MOST_PARTS, ceilDivide(countWork(geometry), 200_000)));
  const chunks = ceilDivide(batch, imagesPerChunk);
  const tileBytes = SOURCES * vectorBytes(inputs) + PRODUCTS * vectorBytes(outputs);
  const { images, rows } = planBlock(geometry, imagesPerChunk, tileBytes);
  const tileRows = ceilDivide(height, 2);
  const tileColumns = ceilDivide(width, 2);
  const zeroBytes = countZeroBytes(geometry, 0);
  const scratchBytes =
    zeroBytes +
    aligned((2 * tileColumns + 2) * inputs * 16) +
    aligned(2 * width * outputs * 4) +
    PRODUCTS * ceilDivide(inputs, TILE_ROWS) * TILE_ROWS * ceilDivide(outputs, TILE_COLUMNS) * TILE_COLUMNS * 4 +
    aligned(images * Math.min(rows, tileRows) * tileColumns * tileBytes) +
    256;
  const scratch = runner.scratch(scratchBytes);
  runner.withTemporary(chunks * 9 * inputs * outputs * 4, (parts) => {
    runner.run('upsampleFilterGradient', chunks, countWork(geometry), {
      ...geometry,
      small: x.address,
      large: g.address,
      partials: parts,
      imagesPerBlock: images,
      rowsPerBlock: rows,
      zeroBytes,
      scratch,
      scratchBytes,
      imagesPerChunk,
    });
    reduceMiddle(runner, REDUCE_SUM, parts, result.address, 1, chunks, result.size, 1);
  });
}
