/**
 * Convolution and its gradients as matrix multiplication, without an im2col matrix.
 *
 * With channels last, the inputs that one kernel row sees of a pixel lie side by side. So a pixel's row of the im2col
 * matrix is a list of runs in the image itself, and neighbouring pixels share them. A chunk copies the image rows that
 * it needs into its thread's scratch memory with the padding around them (only where there is padding), notes where
 * each pixel starts, and multiplies tiles of pixels from there.
 */
import { CONVOLVE_COLUMNS, CONVOLVE_DOTS } from '../src/kernel-operations';
import { COLUMN_CHANNELS, COLUMN_PIXELS, NARROW_LENGTH, TILE_COLUMNS, TILE_ROWS, TURNED1_WIDTH, TURNED3_WIDTH } from '../src/kernel-sizes';
import { accumulateNarrow, accumulateTile, accumulateTurned1, accumulateTurned3, multiplyColumns, multiplyDots1, multiplyDots3, multiplyTile } from './gemm';
import {
  CombineFilterGradientArguments,
  ConvolutionArguments,
  ConvolveArguments,
  DepthwiseArguments,
  DepthwiseFilterGradientArguments,
  DepthwiseInputGradientArguments,
  FilterGradientArguments,
  ScatterInputGradientArguments,
} from './generated/kernel-arguments';
import { threadIndex } from './scheduler';
import { copyFloats, fillFloats, larger, madd, smaller } from './simd';

// @ts-ignore: decorator
@inline
function aligned(bytes: usize): usize {
  return (bytes + 63) & ~63;
}

// @ts-ignore: decorator
@inline
function threadScratch(args: ConvolutionArguments): usize {
  return args.scratch + <usize>threadIndex * args.scratchBytes;
}

/** Columns of input that a row of outputs needs. */
// @ts-ignore: decorator
@inline
function blockWidth(args: ConvolutionArguments): i32 {
  return (args.outputColumns - 1) * args.strideAcross + (args.tapsAcross - 1) * args.dilationAcross + 1;
}

/** Rows of input that `rows` rows of outputs need. */
// @ts-ignore: decorator
@inline
function blockHeight(args: ConvolutionArguments, rows: i32): i32 {
  return (rows - 1) * args.strideDown + (args.tapsDown - 1) * args.dilationDown + 1;
}

/** Copies what output rows `firstRow`... of an image need, zeros where that lies outside of it. */
function copyBlock(args: ConvolutionArguments, image: i32, firstRow: i32, rows: i32, target: usize): void {
  const height = args.height, width = args.width;
  const pixel = args.pixelChannels, channels = args.channels, left = args.left;
  const columns = blockWidth(args);
  const before = larger(0, smaller(left, columns));
  const count = smaller(columns, width + left) - before;
  const after = columns - before - larger(count, 0);
  const source =
    args.input + (<usize>((image * height * width + before - left) * pixel + args.firstChannel) << 2);
  let y = firstRow * args.strideDown - args.top;
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
 * Convolves a chunk. Forms: `CONVOLVE_TILES`, `CONVOLVE_DOTS` (B has at most 3 columns) or `CONVOLVE_COLUMNS` (vectors
 * along the rows of an image of one channel).
 */
export function convolve(args: ConvolveArguments, chunk: i32): void {
  const channels = args.channels;
  const outputRows = args.outputRows, outputColumns = args.outputColumns;
  const strideDown = args.strideDown, strideAcross = args.strideAcross;
  const tapsDown = args.tapsDown, tapsAcross = args.tapsAcross;
  const dilationDown = args.dilationDown, dilationAcross = args.dilationAcross;
  const columns = args.columns;
  const imagesPerChunk = args.imagesPerChunk, rowsPerChunk = args.rowsPerChunk;
  const panelsPerChunk = args.panelsPerChunk;
  const panels = (columns + TILE_COLUMNS - 1) / TILE_COLUMNS;
  const panelBlocks = (panels + panelsPerChunk - 1) / panelsPerChunk;
  const rowBlocks = (outputRows + rowsPerChunk - 1) / rowsPerChunk;
  const firstPanel = (chunk % panelBlocks) * panelsPerChunk;
  const lastPanel = smaller(firstPanel + panelsPerChunk, panels);
  chunk /= panelBlocks;
  const firstImage = (chunk / rowBlocks) * imagesPerChunk;
  const images = smaller(imagesPerChunk, args.batch - firstImage);
  const firstRow = (chunk % rowBlocks) * rowsPerChunk;
  const rows = smaller(rowsPerChunk, outputRows - firstRow);
  const pixels = images * rows * outputColumns;

  const jumps = threadScratch(args);
  const table = jumps + aligned(<usize>(tapsDown * tapsAcross) << 2);

  let base: usize, imageBytes: usize, rowBytes: usize, pixelBytes: usize;
  if (args.isCopied) {
    base = table + aligned(<usize>(pixels + TILE_ROWS) << 3);
    pixelBytes = <usize>channels << 2;
    rowBytes = <usize>blockWidth(args) * pixelBytes;
    imageBytes = <usize>blockHeight(args, rows) * rowBytes;
    for (let i = 0; i < images; i++) copyBlock(args, firstImage + i, firstRow, rows, base + <usize>i * imageBytes);
  } else {
    pixelBytes = <usize>args.pixelChannels << 2;
    rowBytes = <usize>args.width * pixelBytes;
    imageBytes = <usize>args.height * rowBytes;
    base =
      args.input +
      (<usize>args.firstChannel << 2) +
      <usize>firstImage * imageBytes +
      <usize>(firstRow * strideDown - args.top) * rowBytes -
      <usize>args.left * pixelBytes;
  }

  const form = args.form;
  if (form == CONVOLVE_COLUMNS) {
    const packedBytes = <usize>(tapsDown * tapsAcross + 1) * 12;
    for (let image = 0; image < images; image++) {
      for (let row = 0; row < rows; row++) {
        const from = base + <usize>image * imageBytes + <usize>(row * strideDown) * rowBytes;
        const to =
          args.output + <usize>(firstImage + image) * args.outputImageBytes + <usize>(firstRow + row) * args.outputRowBytes;
        let packed = args.packed;
        for (let channel = 0; channel < columns; channel += COLUMN_CHANNELS, packed += packedBytes) {
          for (let x = 0; x < outputColumns; x += COLUMN_PIXELS) {
            // The last pixels of a row overlap those before them.
            const at = smaller(x, outputColumns - COLUMN_PIXELS);
            multiplyColumns(
              from + (<usize>at << 2), <usize>dilationDown * rowBytes, <usize>dilationAcross << 2, tapsDown, tapsAcross,
              packed, to + <usize>at * args.outputPixelBytes + (<usize>channel << 2), args.outputPixelBytes,
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
        args.output + <usize>(firstImage + image) * args.outputImageBytes + <usize>(firstRow + row) * args.outputRowBytes;
      for (let x = 0; x < outputColumns; x++) {
        store<usize>(entry, from);
        store<usize>(entry, to, 4);
        from += <usize>strideAcross * pixelBytes;
        to += args.outputPixelBytes;
        entry += 8;
      }
    }
  }
  const lastEntry = load<u64>(entry - 8);
  for (let i = 0; i < TILE_ROWS; i++) store<u64>(entry + (<usize>i << 3), lastEntry);

  if (form == CONVOLVE_DOTS) {
    const packed = args.packed;
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
    const packed = args.packed + <usize>panel * panelBytes;
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
 */
export function scatterInputGradient(args: ScatterInputGradientArguments, chunk: i32): void {
  const height = args.height, width = args.width, inputs = args.inputs, outputs = args.outputs;
  const tapsDown = args.tapsDown, tapsAcross = args.tapsAcross;
  const outputHeight = height - tapsDown + 1, outputWidth = width - tapsAcross + 1;
  const firstImage = chunk * args.imagesPerChunk;
  const images = smaller(args.imagesPerChunk, args.batch - firstImage);
  const rowBytes = <usize>(width * inputs) << 2;
  const gradientRowBytes = <usize>(outputWidth * outputs) << 2;
  const target = args.inputGradient + <usize>(firstImage * height) * rowBytes;
  fillFloats(target, 0, images * height * width * inputs);
  const jumps = args.scratch + <usize>threadIndex * args.scratchBytes;
  store<usize>(jumps, 0);
  const table = jumps + 64;
  const rows = images * outputHeight;
  let from = args.outputGradient + <usize>(firstImage * outputHeight) * gradientRowBytes;
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
  let packed = args.packed;
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
 * Form 0: a tile is 6 floats of a run x all output channels, [6][width]. Forms 1 and 3, for 1 and for 2 or 3 output
 * channels: a tile is 48 floats x 1 channel or [3 channels][16 floats]. Form 4, for at most 4 output channels and runs of
 * at most 6 floats: a tile is [2 runs][6 floats][4 channels].
 */
export function filterGradient(args: FilterGradientArguments, chunk: i32): void {
  const channels = args.channels;
  const outputRows = args.outputRows;
  const strideDown = args.strideDown, strideAcross = args.strideAcross;
  const tapsDown = args.tapsDown, tapsAcross = args.tapsAcross;
  const dilationDown = args.dilationDown, dilationAcross = args.dilationAcross;
  const imagesPerChunk = args.imagesPerChunk, rowsPerBlock = args.rowsPerBlock;
  const tilesPerChunk = args.tilesPerChunk, pixelsInAll = args.pixelsInAll, imagesPerBlock = args.imagesPerBlock;
  const isCopied = args.isCopied != 0;
  const isJoined = dilationAcross == 1 && (isCopied || args.pixelChannels == channels);
  const length = isJoined ? tapsAcross * channels : channels;
  const runsAcross = isJoined ? 1 : tapsAcross;
  const form = args.form;
  const tileLength = form == 0 ? TILE_ROWS : form == 1 ? TURNED1_WIDTH : TURNED3_WIDTH;
  const tilesPerRun = (length + tileLength - 1) / tileLength;
  const runs = tapsDown * runsAcross;
  const tiles = form == 4 ? (runs + 1) / 2 : runs * tilesPerRun;
  const panels = (args.columns + TILE_COLUMNS - 1) / TILE_COLUMNS;
  const sumStride = <usize>panels * 32;
  const tileBytes = form == 0 ? <usize>TILE_ROWS * sumStride : 192;
  const tileChunks = (tiles + tilesPerChunk - 1) / tilesPerChunk;
  const split = chunk / tileChunks;
  const firstTile = (chunk % tileChunks) * tilesPerChunk;
  const lastTile = smaller(firstTile + tilesPerChunk, tiles);
  const sums = args.partials + <usize>(split * tiles) * tileBytes;
  memory.fill(sums + <usize>firstTile * tileBytes, 0, <usize>(lastTile - firstTile) * tileBytes);

  const block = threadScratch(args);
  const pixelBytes = isCopied ? <usize>channels << 2 : <usize>args.pixelChannels << 2;
  const rowBytes = (isCopied ? <usize>blockWidth(args) : <usize>args.width) * pixelBytes;
  const gradientPixel = <usize>args.gradientChannels << 2;
  const gradientRow = <usize>args.outputColumns * gradientPixel;
  const gradientImage = <usize>outputRows * gradientRow;
  const lastImage = smaller((split + 1) * imagesPerChunk, args.batch);
  for (let image = split * imagesPerChunk; image < lastImage; image += imagesPerBlock) {
    const images = smaller(imagesPerBlock, lastImage - image);
    const columns = pixelsInAll
      ? smaller(args.outputColumns, pixelsInAll - image * args.outputColumns)
      : args.outputColumns;
    for (let row = 0; row < outputRows; row += rowsPerBlock) {
      const rows = smaller(rowsPerBlock, outputRows - row);
      const imageBytes = (isCopied ? <usize>blockHeight(args, rows) : <usize>args.height) * rowBytes;
      let base = block;
      if (isCopied) {
        for (let i = 0; i < images; i++) copyBlock(args, image + i, row, rows, block + <usize>i * imageBytes);
      } else {
        base =
          args.input +
          (<usize>args.firstChannel << 2) +
          <usize>image * imageBytes +
          <usize>(row * strideDown - args.top) * rowBytes -
          <usize>args.left * pixelBytes;
      }
      const gradient =
        args.outputGradient + (<usize>args.firstGradientChannel << 2) + <usize>image * gradientImage + <usize>row * gradientRow;
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

/** Adds the partial sums of all splits, in order. */
export function combineFilterGradient(args: CombineFilterGradientArguments, chunk: i32): void {
  const form = args.form;
  if (form) {
    combineTurned(args, form);
    return;
  }
  const splits = args.splits;
  const tilesPerRun = args.tilesPerRun, length = args.length, columns = args.columns;
  const rowsPerChunk = args.rowsPerChunk;
  const stride = <usize>((columns + TILE_COLUMNS - 1) / TILE_COLUMNS) * 32;
  const splitBytes = <usize>(args.runs * tilesPerRun * TILE_ROWS) * stride;
  const last = smaller((chunk + 1) * rowsPerChunk, args.runs * length);
  for (let row = chunk * rowsPerChunk; row < last; row++) {
    const source = args.partials + <usize>((row / length) * tilesPerRun * TILE_ROWS + (row % length)) * stride;
    const target = args.output + (<usize>(row * args.outputChannels + args.firstOutputChannel) << 2);
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
function combineTurned(args: CombineFilterGradientArguments, form: i32): void {
  const splits = args.splits, runs = args.runs;
  const tilesPerRun = args.tilesPerRun, length = args.length, columns = args.columns;
  const tileLength = form == 1 ? TURNED1_WIDTH : TURNED3_WIDTH;
  const splitBytes = <usize>(form == 4 ? (runs + 1) / 2 : runs * tilesPerRun) * 192;
  const columnBytes: usize = form == 4 ? 4 : <usize>tileLength << 2;
  let target = args.output + (<usize>args.firstOutputChannel << 2);
  for (let run = 0; run < runs; run++) {
    for (let i = 0; i < length; i++) {
      const tile =
        args.partials +
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
      target += <usize>args.outputChannels << 2;
    }
  }
}

/** Depthwise convolution, over the channels as vectors. */
export function depthwise(args: DepthwiseArguments, chunk: i32): void {
  const height = args.height, width = args.width;
  const pixel = <usize>args.channels << 2;
  const outputHeight = args.outputHeight, outputWidth = args.outputWidth;
  const tapsDown = args.tapsDown, tapsAcross = args.tapsAcross;
  const bias = args.bias;
  const last = smaller((chunk + 1) * args.imagesPerChunk, args.batch);
  for (let image = chunk * args.imagesPerChunk; image < last; image++) {
    const input = args.input + <usize>(image * height * width) * pixel;
    let to = args.output + <usize>(image * outputHeight * outputWidth) * pixel;
    for (let y = 0; y < outputHeight; y++) {
      const top = y * args.strideDown - args.top;
      for (let x = 0; x < outputWidth; x++, to += pixel) {
        const left = x * args.strideAcross - args.left;
        let c: usize = 0;
        for (; c + 16 <= pixel; c += 16) {
          let sum = bias ? v128.load(bias + c) : f32x4.splat(0);
          for (let v = 0; v < tapsDown; v++) {
            const row = top + v * args.dilationDown;
            if (<u32>row >= <u32>height) continue;
            for (let u = 0; u < tapsAcross; u++) {
              const column = left + u * args.dilationAcross;
              if (<u32>column >= <u32>width) continue;
              sum = madd(
                v128.load(input + <usize>(row * width + column) * pixel + c),
                v128.load(args.filter + <usize>(v * tapsAcross + u) * pixel + c),
                sum,
              );
            }
          }
          v128.store(to + c, sum);
        }
        for (; c < pixel; c += 4) {
          let sum: f32 = bias ? load<f32>(bias + c) : 0;
          for (let v = 0; v < tapsDown; v++) {
            const row = top + v * args.dilationDown;
            if (<u32>row >= <u32>height) continue;
            for (let u = 0; u < tapsAcross; u++) {
              const column = left + u * args.dilationAcross;
              if (<u32>column >= <u32>width) continue;
              sum +=
                load<f32>(input + <usize>(row * width + column) * pixel + c) *
                load<f32>(args.filter + <usize>(v * tapsAcross + u) * pixel + c);
            }
          }
          store<f32>(to + c, sum);
        }
      }
    }
  }
}

/** Input gradient of `depthwise`. */
export function depthwiseInputGradient(args: DepthwiseInputGradientArguments, chunk: i32): void {
  const height = args.height, width = args.width;
  const pixel = <usize>args.channels << 2;
  const outputHeight = args.outputHeight, outputWidth = args.outputWidth;
  const tapsDown = args.tapsDown, tapsAcross = args.tapsAcross;
  const last = smaller((chunk + 1) * args.imagesPerChunk, args.batch);
  for (let image = chunk * args.imagesPerChunk; image < last; image++) {
    const target = args.inputGradient + <usize>(image * height * width) * pixel;
    fillFloats(target, 0, height * width * args.channels);
    let from = args.outputGradient + <usize>(image * outputHeight * outputWidth) * pixel;
    for (let y = 0; y < outputHeight; y++) {
      const top = y * args.strideDown - args.top;
      for (let x = 0; x < outputWidth; x++, from += pixel) {
        const left = x * args.strideAcross - args.left;
        for (let v = 0; v < tapsDown; v++) {
          const row = top + v * args.dilationDown;
          if (<u32>row >= <u32>height) continue;
          for (let u = 0; u < tapsAcross; u++) {
            const column = left + u * args.dilationAcross;
            if (<u32>column >= <u32>width) continue;
            const to = target + <usize>(row * width + column) * pixel;
            const filter = args.filter + <usize>(v * tapsAcross + u) * pixel;
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

/** A chunk's part of the filter gradient of `depthwise`. */
export function depthwiseFilterGradient(args: DepthwiseFilterGradientArguments, chunk: i32): void {
  const height = args.height, width = args.width;
  const pixel = <usize>args.channels << 2;
  const outputHeight = args.outputHeight, outputWidth = args.outputWidth;
  const tapsDown = args.tapsDown, tapsAcross = args.tapsAcross;
  const partial = args.partials + <usize>(chunk * tapsDown * tapsAcross) * pixel;
  fillFloats(partial, 0, tapsDown * tapsAcross * args.channels);
  const last = smaller((chunk + 1) * args.imagesPerChunk, args.batch);
  for (let image = chunk * args.imagesPerChunk; image < last; image++) {
    const input = args.input + <usize>(image * height * width) * pixel;
    const gradient = args.outputGradient + <usize>(image * outputHeight * outputWidth) * pixel;
    for (let v = 0; v < tapsDown; v++) {
      for (let u = 0; u < tapsAcross; u++) {
        const sums = partial + <usize>(v * tapsAcross + u) * pixel;
        for (let c: usize = 0; c < pixel; ) {
          const isVector = c + 16 <= pixel;
          let sum = f32x4.splat(0);
          for (let y = 0; y < outputHeight; y++) {
            const row = y * args.strideDown - args.top + v * args.dilationDown;
            if (<u32>row >= <u32>height) continue;
            for (let x = 0; x < outputWidth; x++) {
              const column = x * args.strideAcross - args.left + u * args.dilationAcross;
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
