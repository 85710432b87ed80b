/**
 * Convolution and its gradients as matrix multiplication, without an im2col matrix.
 *
 * With channels last, the inputs that one kernel row sees of a pixel lie side by side. So a pixel's row of the im2col
 * matrix is a list of runs in the image itself, and neighbouring pixels share them. A chunk copies the image rows that
 * it needs into its thread's scratch memory with the padding around them (only where there is padding), notes where
 * each pixel starts, and multiplies tiles of pixels from there.
 *
 * Arguments that `convolve` and `filterGradient` share:
 *   0 input, 3 batch, 4 height, 5 width, 6 channels of a pixel, 7 first channel, 8 channels in use (one group's),
 *   9 output rows, 10 output columns, 14-15 strides, 16-17 taps (kernel size), 18-19 dilations, 20 top, 21 left,
 *   22 columns of B, 23 images per chunk, 24 rows per chunk or block, 25 whether to copy, 26 scratch memory,
 *   27 bytes of it for each thread.
 */
import { CONVOLVE_COLUMNS, CONVOLVE_DOTS } from '../src/kernel-ids';
import { COLUMN_CHANNELS, COLUMN_PIXELS, NARROW_LENGTH, TILE_COLUMNS, TILE_ROWS, TURNED1_WIDTH, TURNED3_WIDTH } from '../src/kernel-sizes';
import { accumulateNarrow, accumulateTile, accumulateTurned1, accumulateTurned3, multiplyColumns, multiplyDots1, multiplyDots3, multiplyTile } from './gemm';
import { threadIndex } from './scheduler';
import { address, copyFloats, fillFloats, integer, larger, madd, smaller } from './simd';

// @ts-ignore: decorator
@inline
function aligned(bytes: usize): usize {
  return (bytes + 63) & ~63;
}

// @ts-ignore: decorator
@inline
function threadScratch(args: usize): usize {
  return address(args, 26) + <usize>threadIndex * address(args, 27);
}

/** Columns of input that a row of outputs needs. */
// @ts-ignore: decorator
@inline
function blockWidth(args: usize): i32 {
  return (integer(args, 10) - 1) * integer(args, 15) + (integer(args, 17) - 1) * integer(args, 19) + 1;
}

/** Rows of input that `rows` rows of outputs need. */
// @ts-ignore: decorator
@inline
function blockHeight(args: usize, rows: i32): i32 {
  return (rows - 1) * integer(args, 14) + (integer(args, 16) - 1) * integer(args, 18) + 1;
}

/** Copies what output rows `firstRow`... of an image need, zeros where that lies outside of it. */
function copyBlock(args: usize, image: i32, firstRow: i32, rows: i32, target: usize): void {
  const height = integer(args, 4), width = integer(args, 5);
  const pixel = integer(args, 6), channels = integer(args, 8), left = integer(args, 21);
  const columns = blockWidth(args);
  const before = larger(0, smaller(left, columns));
  const count = smaller(columns, width + left) - before;
  const after = columns - before - larger(count, 0);
  const source =
    address(args, 0) + (<usize>((image * height * width + before - left) * pixel + integer(args, 7)) << 2);
  let y = firstRow * integer(args, 14) - integer(args, 20);
  for (const end = y + blockHeight(args, rows); y < end; y++) {
    if (y < 0 || y >= height || count <= 0) {
      fillFloats(target, 0, columns * channels);
      target += <usize>(columns * channels) << 2;
      continue;
    }
    if (before > 0) {
      fillFloats(target, 0, before * channels);
      target += <usize>(before * channels) << 2;
    }
    let from = source + (<usize>(y * width * pixel) << 2);
    if (pixel == channels) {
      copyFloats(target, from, count * channels);
      target += <usize>(count * channels) << 2;
    } else {
      for (let x = 0; x < count; x++) {
        copyFloats(target, from, channels);
        target += <usize>channels << 2;
        from += <usize>pixel << 2;
      }
    }
    if (after > 0) {
      fillFloats(target, 0, after * channels);
      target += <usize>(after * channels) << 2;
    }
  }
}

/**
 * Further arguments: 1 output, 2 packed B, 11-13 bytes between the images, rows and columns of the output,
 * 28 panels per chunk, 29 form: `CONVOLVE_TILES`, `CONVOLVE_DOTS` (B has at most 3 columns) or `CONVOLVE_COLUMNS` (vectors
 * along the rows of an image of one channel).
 */
export function convolve(args: usize, chunk: i32): void {
  const channels = integer(args, 8);
  const outputRows = integer(args, 9), outputColumns = integer(args, 10);
  const strideDown = integer(args, 14), strideAcross = integer(args, 15);
  const tapsDown = integer(args, 16), tapsAcross = integer(args, 17);
  const dilationDown = integer(args, 18), dilationAcross = integer(args, 19);
  const columns = integer(args, 22);
  const imagesPerChunk = integer(args, 23), rowsPerChunk = integer(args, 24);
  const panelsPerChunk = integer(args, 28);
  const panels = (columns + TILE_COLUMNS - 1) / TILE_COLUMNS;
  const panelBlocks = (panels + panelsPerChunk - 1) / panelsPerChunk;
  const rowBlocks = (outputRows + rowsPerChunk - 1) / rowsPerChunk;
  const firstPanel = (chunk % panelBlocks) * panelsPerChunk;
  const lastPanel = smaller(firstPanel + panelsPerChunk, panels);
  chunk /= panelBlocks;
  const firstImage = (chunk / rowBlocks) * imagesPerChunk;
  const images = smaller(imagesPerChunk, integer(args, 3) - firstImage);
  const firstRow = (chunk % rowBlocks) * rowsPerChunk;
  const rows = smaller(rowsPerChunk, outputRows - firstRow);
  const pixels = images * rows * outputColumns;

  const jumps = threadScratch(args);
  const table = jumps + aligned(<usize>(tapsDown * tapsAcross) << 2);

  let base: usize, imageBytes: usize, rowBytes: usize, pixelBytes: usize;
  if (integer(args, 25)) {
    base = table + aligned(<usize>(pixels + TILE_ROWS) << 3);
    pixelBytes = <usize>channels << 2;
    rowBytes = <usize>blockWidth(args) * pixelBytes;
    imageBytes = <usize>blockHeight(args, rows) * rowBytes;
    for (let i = 0; i < images; i++) copyBlock(args, firstImage + i, firstRow, rows, base + <usize>i * imageBytes);
  } else {
    pixelBytes = <usize>integer(args, 6) << 2;
    rowBytes = <usize>integer(args, 5) * pixelBytes;
    imageBytes = <usize>integer(args, 4) * rowBytes;
    base =
      address(args, 0) +
      (<usize>integer(args, 7) << 2) +
      <usize>firstImage * imageBytes +
      <usize>(firstRow * strideDown - integer(args, 20)) * rowBytes -
      <usize>integer(args, 21) * pixelBytes;
  }

  const form = integer(args, 29);
  if (form == CONVOLVE_COLUMNS) {
    const packedBytes = <usize>(tapsDown * tapsAcross + 1) * 12;
    for (let image = 0; image < images; image++) {
      for (let row = 0; row < rows; row++) {
        const from = base + <usize>image * imageBytes + <usize>(row * strideDown) * rowBytes;
        const to =
          address(args, 1) + <usize>(firstImage + image) * address(args, 11) + <usize>(firstRow + row) * address(args, 12);
        let packed = address(args, 2);
        for (let channel = 0; channel < columns; channel += COLUMN_CHANNELS, packed += packedBytes) {
          for (let x = 0; x < outputColumns; x += COLUMN_PIXELS) {
            // The last pixels of a row overlap those before them.
            const at = smaller(x, outputColumns - COLUMN_PIXELS);
            multiplyColumns(
              from + (<usize>at << 2), <usize>dilationDown * rowBytes, <usize>dilationAcross << 2, tapsDown, tapsAcross,
              packed, to + <usize>at * address(args, 13) + (<usize>channel << 2), address(args, 13),
              smaller(COLUMN_CHANNELS, columns - channel),
            );
          }
        }
      }
    }
    return;
  }

  // Where taps of a kernel row lie side by side, they are one run.
  const isJoined = dilationAcross == 1 && pixelBytes == <usize>channels << 2;
  const length = isJoined ? tapsAcross * channels : channels;
  const runsAcross = isJoined ? 1 : tapsAcross;
  const runs = tapsDown * runsAcross;
  for (let i = 0; i < runs; i++) {
    const isLast = (i + 1) % runsAcross == 0;
    store<usize>(
      jumps + (<usize>i << 2),
      (isLast
        ? <usize>dilationDown * rowBytes - <usize>((runsAcross - 1) * dilationAcross) * pixelBytes
        : <usize>dilationAcross * pixelBytes) - (<usize>length << 2),
    );
  }

  let entry = table;
  for (let image = 0; image < images; image++) {
    for (let row = 0; row < rows; row++) {
      let from = base + <usize>image * imageBytes + <usize>(row * strideDown) * rowBytes;
      let to =
        address(args, 1) + <usize>(firstImage + image) * address(args, 11) + <usize>(firstRow + row) * address(args, 12);
      for (let x = 0; x < outputColumns; x++) {
        store<usize>(entry, from);
        store<usize>(entry, to, 4);
        from += <usize>strideAcross * pixelBytes;
        to += address(args, 13);
        entry += 8;
      }
    }
  }
  const lastEntry = load<u64>(entry - 8);
  for (let i = 0; i < TILE_ROWS; i++) store<u64>(entry + (<usize>i << 3), lastEntry);

  if (form == CONVOLVE_DOTS) {
    const packed = address(args, 2);
    if (columns == 1) {
      for (let pixel = 0; pixel < pixels; pixel += 6) {
        multiplyDots1(table + (<usize>pixel << 3), pixels - pixel, jumps, runs, length, packed);
      }
    } else {
      for (let pixel = 0; pixel < pixels; pixel += 4) {
        multiplyDots3(table + (<usize>pixel << 3), pixels - pixel, jumps, runs, length, packed, columns);
      }
    }
    return;
  }

  const panelBytes = <usize>(tapsDown * tapsAcross * channels + 1) * 32;
  for (let panel = firstPanel; panel < lastPanel; panel++) {
    const packed = address(args, 2) + <usize>panel * panelBytes;
    const valid = smaller(TILE_COLUMNS, columns - panel * TILE_COLUMNS);
    for (let pixel = 0; pixel < pixels; pixel += TILE_ROWS) {
      multiplyTile(
        table + (<usize>pixel << 3), pixels - pixel, 0, jumps, runs, length, packed, <usize>panel * 32, valid,
        false,
      );
    }
  }
}

/**
 * Input gradient of a convolution without padding and of stride 1: each pixel of the output gradient is multiplied by a
 * row of the filter at a time and added to the run of input gradients that this row sees.
 *
 * The other way, to gather what an input gets, needs zeros around the gradients: for a 5x5 filter at 10x10 pixels, as
 * many multiplications again. Pixels of one tile are of different rows, so that their runs do not overlap.
 *
 * Arguments: 0 output gradient, 1 input gradient, 2 packed filter [row][panel], 3 batch, 4 height, 5 width, 6 input
 * channels, 7 output channels, 8-9 taps, 10 images per chunk, 11 scratch memory, 12 bytes of it for each thread.
 */
export function scatterInputGradient(args: usize, chunk: i32): void {
  const height = integer(args, 4), width = integer(args, 5), inputs = integer(args, 6), outputs = integer(args, 7);
  const tapsDown = integer(args, 8), tapsAcross = integer(args, 9);
  const outputHeight = height - tapsDown + 1, outputWidth = width - tapsAcross + 1;
  const firstImage = chunk * integer(args, 10);
  const images = smaller(integer(args, 10), integer(args, 3) - firstImage);
  const rowBytes = <usize>(width * inputs) << 2;
  const gradientRowBytes = <usize>(outputWidth * outputs) << 2;
  const target = address(args, 1) + <usize>(firstImage * height) * rowBytes;
  fillFloats(target, 0, images * height * width * inputs);
  const jumps = address(args, 11) + <usize>threadIndex * address(args, 12);
  store<usize>(jumps, 0);
  const table = jumps + 64;
  const rows = images * outputHeight;
  let from = address(args, 0) + <usize>(firstImage * outputHeight) * gradientRowBytes;
  for (let row = 0; row < rows + TILE_ROWS; row++) {
    const at = table + (<usize>row << 3);
    if (row < rows) {
      store<usize>(at, from);
      store<usize>(at, target + <usize>((row / outputHeight) * height + (row % outputHeight)) * rowBytes, 4);
      from += gradientRowBytes;
    } else {
      store<u64>(at, load<u64>(at - 8));
    }
  }
  const columns = tapsAcross * inputs;
  let packed = address(args, 2);
  for (let v = 0; v < tapsDown; v++) {
    for (let column = 0; column < columns; column += TILE_COLUMNS, packed += <usize>(outputs + 1) * 32) {
      const valid = smaller(TILE_COLUMNS, columns - column);
      for (let x = 0; x < outputWidth; x++) {
        const shift = <usize>v * rowBytes + (<usize>(x * inputs + column) << 2);
        for (let row = 0; row < rows; row += TILE_ROWS) {
          multiplyTile(
            table + (<usize>row << 3), rows - row, <usize>(x * outputs) << 2, jumps, 1, outputs, packed, shift, valid, true,
          );
        }
      }
    }
  }
}

/**
 * Partial sums of the filter's gradient over the images of a chunk.
 *
 * Further arguments: 1 output gradient, 2 partials [split][run][tile], 11 channels of a gradient pixel, 12 first of
 * them, 28 tiles per chunk, 29 pixels in all where images are mere runs of pixels (else 0), 30 images per block, 31 form.
 * Chunks are (split of the images, range of tiles).
 *
 * Form 0: a tile is 6 floats of a run x all output channels, [6][width]. Forms 1 and 3, for 1 and for 2 or 3 output
 * channels: a tile is 48 floats x 1 channel or [3 channels][16 floats]. Form 4, for at most 4 output channels and runs of
 * at most 6 floats: a tile is [2 runs][6 floats][4 channels].
 */
export function filterGradient(args: usize, chunk: i32): void {
  const channels = integer(args, 8);
  const outputRows = integer(args, 9);
  const strideDown = integer(args, 14), strideAcross = integer(args, 15);
  const tapsDown = integer(args, 16), tapsAcross = integer(args, 17);
  const dilationDown = integer(args, 18), dilationAcross = integer(args, 19);
  const imagesPerChunk = integer(args, 23), rowsPerBlock = integer(args, 24);
  const tilesPerChunk = integer(args, 28), pixelsInAll = integer(args, 29), imagesPerBlock = integer(args, 30);
  const isCopied = integer(args, 25) != 0;
  const isJoined = dilationAcross == 1 && (isCopied || integer(args, 6) == channels);
  const length = isJoined ? tapsAcross * channels : channels;
  const runsAcross = isJoined ? 1 : tapsAcross;
  const form = integer(args, 31);
  const tileLength = form == 0 ? TILE_ROWS : form == 1 ? TURNED1_WIDTH : TURNED3_WIDTH;
  const tilesPerRun = (length + tileLength - 1) / tileLength;
  const runs = tapsDown * runsAcross;
  const tiles = form == 4 ? (runs + 1) / 2 : runs * tilesPerRun;
  const panels = (integer(args, 22) + TILE_COLUMNS - 1) / TILE_COLUMNS;
  const sumStride = <usize>panels * 32;
  const tileBytes = form == 0 ? <usize>TILE_ROWS * sumStride : 192;
  const tileChunks = (tiles + tilesPerChunk - 1) / tilesPerChunk;
  const split = chunk / tileChunks;
  const firstTile = (chunk % tileChunks) * tilesPerChunk;
  const lastTile = smaller(firstTile + tilesPerChunk, tiles);
  const sums = address(args, 2) + <usize>(split * tiles) * tileBytes;
  memory.fill(sums + <usize>firstTile * tileBytes, 0, <usize>(lastTile - firstTile) * tileBytes);

  const block = threadScratch(args);
  const pixelBytes = isCopied ? <usize>channels << 2 : <usize>integer(args, 6) << 2;
  const rowBytes = (isCopied ? <usize>blockWidth(args) : <usize>integer(args, 5)) * pixelBytes;
  const gradientPixel = <usize>integer(args, 11) << 2;
  const gradientRow = <usize>integer(args, 10) * gradientPixel;
  const gradientImage = <usize>outputRows * gradientRow;
  const lastImage = smaller((split + 1) * imagesPerChunk, integer(args, 3));
  for (let image = split * imagesPerChunk; image < lastImage; image += imagesPerBlock) {
    const images = smaller(imagesPerBlock, lastImage - image);
    const columns = pixelsInAll
      ? smaller(integer(args, 10), pixelsInAll - image * integer(args, 10))
      : integer(args, 10);
    for (let row = 0; row < outputRows; row += rowsPerBlock) {
      const rows = smaller(rowsPerBlock, outputRows - row);
      const imageBytes = (isCopied ? <usize>blockHeight(args, rows) : <usize>integer(args, 4)) * rowBytes;
      let base = block;
      if (isCopied) {
        for (let i = 0; i < images; i++) copyBlock(args, image + i, row, rows, block + <usize>i * imageBytes);
      } else {
        base =
          address(args, 0) +
          (<usize>integer(args, 7) << 2) +
          <usize>image * imageBytes +
          <usize>(row * strideDown - integer(args, 20)) * rowBytes -
          <usize>integer(args, 21) * pixelBytes;
      }
      const gradient =
        address(args, 1) + (<usize>integer(args, 12) << 2) + <usize>image * gradientImage + <usize>row * gradientRow;
      for (let tile = firstTile; tile < lastTile; tile++) {
        const run = form == 4 ? 2 * tile : tile / tilesPerRun;
        const from =
          base +
          <usize>((run / runsAcross) * dilationDown) * rowBytes +
          <usize>((run % runsAcross) * dilationAcross) * pixelBytes +
          (form == 4 ? 0 : <usize>((tile % tilesPerRun) * tileLength) << 2);
        if (form == 4) {
          const next =
            base +
            <usize>(((run + 1) / runsAcross) * dilationDown) * rowBytes +
            <usize>(((run + 1) % runsAcross) * dilationAcross) * pixelBytes;
          accumulateNarrow(
            // The last run of an odd number of them is its own companion.
            sums + <usize>tile * tileBytes, run + 1 < runs ? next - from : 0, from, gradient, images, rows, columns,
            imageBytes, <usize>strideDown * rowBytes, <usize>strideAcross * pixelBytes,
            gradientImage, gradientRow, gradientPixel,
          );
          continue;
        }
        if (form == 1) {
          accumulateTurned1(
            sums + <usize>tile * tileBytes, from, gradient, images, rows, columns,
            imageBytes, <usize>strideDown * rowBytes, <usize>strideAcross * pixelBytes,
            gradientImage, gradientRow, gradientPixel,
          );
          continue;
        }
        if (form == 3) {
          accumulateTurned3(
            sums + <usize>tile * tileBytes, from, gradient, images, rows, columns,
            imageBytes, <usize>strideDown * rowBytes, <usize>strideAcross * pixelBytes,
            gradientImage, gradientRow, gradientPixel,
          );
          continue;
        }
        for (let panel = 0; panel < panels; panel++) {
          accumulateTile(
            sums + <usize>tile * tileBytes + <usize>panel * 32, sumStride, from, gradient + <usize>panel * 32,
            images, rows, columns,
            imageBytes, <usize>strideDown * rowBytes, <usize>strideAcross * pixelBytes,
            gradientImage, gradientRow, gradientPixel,
          );
        }
      }
    }
  }
}

/**
 * Adds the partial sums of all splits, in order.
 *
 * Arguments: partials, output, splits, runs, tiles per run, length of a run, columns, output columns (of all groups),
 * first output column, rowsPerChunk, form.
 */
export function combineFilterGradient(args: usize, chunk: i32): void {
  const form = integer(args, 10);
  if (form) {
    combineTurned(args, form);
    return;
  }
  const splits = integer(args, 2);
  const tilesPerRun = integer(args, 4), length = integer(args, 5), columns = integer(args, 6);
  const rowsPerChunk = integer(args, 9);
  const stride = <usize>((columns + TILE_COLUMNS - 1) / TILE_COLUMNS) * 32;
  const splitBytes = <usize>(integer(args, 3) * tilesPerRun * TILE_ROWS) * stride;
  const last = smaller((chunk + 1) * rowsPerChunk, integer(args, 3) * length);
  for (let row = chunk * rowsPerChunk; row < last; row++) {
    const source = address(args, 0) + <usize>((row / length) * tilesPerRun * TILE_ROWS + (row % length)) * stride;
    const target = address(args, 1) + (<usize>(row * integer(args, 7) + integer(args, 8)) << 2);
    let column = 0;
    for (; column + 4 <= columns; column += 4) {
      let p = source + (<usize>column << 2);
      let sum = v128.load(p);
      for (let split = 1; split < splits; split++) {
        p += splitBytes;
        sum = f32x4.add(sum, v128.load(p));
      }
      v128.store(target + (<usize>column << 2), sum);
    }
    for (; column < columns; column++) {
      let p = source + (<usize>column << 2);
      let sum = load<f32>(p);
      for (let split = 1; split < splits; split++) {
        p += splitBytes;
        sum += load<f32>(p);
      }
      store<f32>(target + (<usize>column << 2), sum);
    }
  }
}

/** As `combineFilterGradient`, in one chunk, for the tiles of forms 1, 3 and 4. */
function combineTurned(args: usize, form: i32): void {
  const splits = integer(args, 2), runs = integer(args, 3);
  const tilesPerRun = integer(args, 4), length = integer(args, 5), columns = integer(args, 6);
  const tileLength = form == 1 ? TURNED1_WIDTH : TURNED3_WIDTH;
  const splitBytes = <usize>(form == 4 ? (runs + 1) / 2 : runs * tilesPerRun) * 192;
  const columnBytes: usize = form == 4 ? 4 : <usize>tileLength << 2;
  let target = address(args, 1) + (<usize>integer(args, 8) << 2);
  for (let run = 0; run < runs; run++) {
    for (let i = 0; i < length; i++) {
      const tile =
        address(args, 0) +
        (form == 4
          ? <usize>(run * NARROW_LENGTH + i) * 16
          : <usize>(run * tilesPerRun + i / tileLength) * 192 + (<usize>(i % tileLength) << 2));
      for (let column = 0; column < columns; column++) {
        let p = tile + <usize>column * columnBytes;
        let sum = load<f32>(p);
        for (let split = 1; split < splits; split++) {
          p += splitBytes;
          sum += load<f32>(p);
        }
        store<f32>(target + (<usize>column << 2), sum);
      }
      target += <usize>integer(args, 7) << 2;
    }
  }
}

/**
 * Depthwise convolution and its gradients, over the channels as vectors.
 *
 * Arguments: 0 input, 1 output, 2 filter (its gradient's partials [chunk][taps][channels] in the last of the three
 * kernels), 3 batch, 4 height, 5 width, 6 channels, 7 output height, 8 output width, 9-10 strides, 11-12 taps,
 * 13-14 dilations, 15 top, 16 left, 17 images per chunk, 18 bias or 0. The gradients read gradients in 1.
 */
export function depthwise(args: usize, chunk: i32): void {
  const height = integer(args, 4), width = integer(args, 5);
  const pixel = <usize>integer(args, 6) << 2;
  const outputHeight = integer(args, 7), outputWidth = integer(args, 8);
  const tapsDown = integer(args, 11), tapsAcross = integer(args, 12);
  const bias = address(args, 18);
  const last = smaller((chunk + 1) * integer(args, 17), integer(args, 3));
  for (let image = chunk * integer(args, 17); image < last; image++) {
    const input = address(args, 0) + <usize>(image * height * width) * pixel;
    let to = address(args, 1) + <usize>(image * outputHeight * outputWidth) * pixel;
    for (let y = 0; y < outputHeight; y++) {
      const top = y * integer(args, 9) - integer(args, 15);
      for (let x = 0; x < outputWidth; x++, to += pixel) {
        const left = x * integer(args, 10) - integer(args, 16);
        let c: usize = 0;
        for (; c + 16 <= pixel; c += 16) {
          let sum = bias ? v128.load(bias + c) : f32x4.splat(0);
          for (let v = 0; v < tapsDown; v++) {
            const row = top + v * integer(args, 13);
            if (<u32>row >= <u32>height) continue;
            for (let u = 0; u < tapsAcross; u++) {
              const column = left + u * integer(args, 14);
              if (<u32>column >= <u32>width) continue;
              sum = madd(
                v128.load(input + <usize>(row * width + column) * pixel + c),
                v128.load(address(args, 2) + <usize>(v * tapsAcross + u) * pixel + c),
                sum,
              );
            }
          }
          v128.store(to + c, sum);
        }
        for (; c < pixel; c += 4) {
          let sum: f32 = bias ? load<f32>(bias + c) : 0;
          for (let v = 0; v < tapsDown; v++) {
            const row = top + v * integer(args, 13);
            if (<u32>row >= <u32>height) continue;
            for (let u = 0; u < tapsAcross; u++) {
              const column = left + u * integer(args, 14);
              if (<u32>column >= <u32>width) continue;
              sum +=
                load<f32>(input + <usize>(row * width + column) * pixel + c) *
                load<f32>(address(args, 2) + <usize>(v * tapsAcross + u) * pixel + c);
            }
          }
          store<f32>(to + c, sum);
        }
      }
    }
  }
}

/** Arguments: see `depthwise`. Writes 0. */
export function depthwiseInputGradient(args: usize, chunk: i32): void {
  const height = integer(args, 4), width = integer(args, 5);
  const pixel = <usize>integer(args, 6) << 2;
  const outputHeight = integer(args, 7), outputWidth = integer(args, 8);
  const tapsDown = integer(args, 11), tapsAcross = integer(args, 12);
  const last = smaller((chunk + 1) * integer(args, 17), integer(args, 3));
  for (let image = chunk * integer(args, 17); image < last; image++) {
    const target = address(args, 0) + <usize>(image * height * width) * pixel;
    fillFloats(target, 0, height * width * integer(args, 6));
    let from = address(args, 1) + <usize>(image * outputHeight * outputWidth) * pixel;
    for (let y = 0; y < outputHeight; y++) {
      const top = y * integer(args, 9) - integer(args, 15);
      for (let x = 0; x < outputWidth; x++, from += pixel) {
        const left = x * integer(args, 10) - integer(args, 16);
        for (let v = 0; v < tapsDown; v++) {
          const row = top + v * integer(args, 13);
          if (<u32>row >= <u32>height) continue;
          for (let u = 0; u < tapsAcross; u++) {
            const column = left + u * integer(args, 14);
            if (<u32>column >= <u32>width) continue;
            const to = target + <usize>(row * width + column) * pixel;
            const filter = address(args, 2) + <usize>(v * tapsAcross + u) * pixel;
            let c: usize = 0;
            for (; c + 16 <= pixel; c += 16) {
              v128.store(to + c, madd(v128.load(from + c), v128.load(filter + c), v128.load(to + c)));
            }
            for (; c < pixel; c += 4) {
              store<f32>(to + c, load<f32>(to + c) + load<f32>(from + c) * load<f32>(filter + c));
            }
          }
        }
      }
    }
  }
}

/** Arguments: see `depthwise`. Writes the chunk's part of 2. */
export function depthwiseFilterGradient(args: usize, chunk: i32): void {
  const height = integer(args, 4), width = integer(args, 5);
  const pixel = <usize>integer(args, 6) << 2;
  const outputHeight = integer(args, 7), outputWidth = integer(args, 8);
  const tapsDown = integer(args, 11), tapsAcross = integer(args, 12);
  const partial = address(args, 2) + <usize>(chunk * tapsDown * tapsAcross) * pixel;
  fillFloats(partial, 0, tapsDown * tapsAcross * integer(args, 6));
  const last = smaller((chunk + 1) * integer(args, 17), integer(args, 3));
  for (let image = chunk * integer(args, 17); image < last; image++) {
    const input = address(args, 0) + <usize>(image * height * width) * pixel;
    const gradient = address(args, 1) + <usize>(image * outputHeight * outputWidth) * pixel;
    for (let v = 0; v < tapsDown; v++) {
      for (let u = 0; u < tapsAcross; u++) {
        const sums = partial + <usize>(v * tapsAcross + u) * pixel;
        for (let c: usize = 0; c < pixel; ) {
          const isVector = c + 16 <= pixel;
          let sum = f32x4.splat(0);
          for (let y = 0; y < outputHeight; y++) {
            const row = y * integer(args, 9) - integer(args, 15) + v * integer(args, 13);
            if (<u32>row >= <u32>height) continue;
            for (let x = 0; x < outputWidth; x++) {
              const column = x * integer(args, 10) - integer(args, 16) + u * integer(args, 14);
              if (<u32>column >= <u32>width) continue;
              const a = input + <usize>(row * width + column) * pixel + c;
              const b = gradient + <usize>(y * outputWidth + x) * pixel + c;
              if (isVector) sum = madd(v128.load(a), v128.load(b), sum);
              else sum = f32x4.add(sum, f32x4.mul(v128.load32_zero(a), v128.load32_zero(b)));
            }
          }
          if (isVector) {
            v128.store(sums + c, f32x4.add(v128.load(sums + c), sum));
            c += 16;
          } else {
            store<f32>(sums + c, load<f32>(sums + c) + f32x4.extract_lane(sum, 0));
            c += 4;
          }
        }
      }
    }
  }
}
