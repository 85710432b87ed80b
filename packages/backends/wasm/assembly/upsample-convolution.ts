/**
 * Nearest upsampling by two and a 3x3 convolution of padding 1 in one, and its gradients, with 6.25 multiplications for
 * each pixel of the small image where the two one after the other take 36.
 *
 * Along one axis, with the filter (w0, w1, w2), s = w0 + w1 + w2 and x = 0 outside of the image, four outputs are
 *
 *     y[4k]     = s x[2k - 1] + (w1 + w2) (x[2k] - x[2k - 1])
 *     y[4k + 1] = s x[2k + 1] + (w0 + w1) (x[2k] - x[2k + 1])
 *     y[4k + 2] = s x[2k + 1] + w0 (x[2k] - x[2k + 1])
 *     y[4k + 3] = s x[2k + 1] + w2 (x[2k + 2] - x[2k + 1])
 *
 * So each odd x, an anchor, is multiplied once, and a tile of two inputs and four outputs has five products (they are
 * the minimal algorithms of both phases, which have the product of the anchor in common; Winograd, "Arithmetic Complexity
 * of Computations", 1980). In two dimensions a tile of 2x2 inputs has 25 products of four outputs each.
 *
 * A product is numbered along each axis, by filter, and its source by what it multiplies:
 *
 *     product   filter     source
 *     0         s          0: x[2k + 1]
 *     1         w0 + w1    1: x[2k] - x[2k + 1]
 *     2         w0         1
 *     3         w2         2: x[2k + 2] - x[2k + 1]
 *     4         w1 + w2    3: x[2k] - x[2k - 1]
 *
 * A chunk splits the inputs of a block of tiles into its 16 sources, each a matrix of tiles x channels, multiplies them
 * by the 25 filters, and adds up the products to outputs, all within the second-level cache. The gradients are the
 * transposes: the derivatives of the 25 products are sums of output gradients.
 */
import { TILE_COLUMNS, TILE_ROWS, UPSAMPLE_PRODUCTS, UPSAMPLE_SOURCES } from '../src/kernel-sizes';
import { accumulateTile, multiplyTile } from './gemm';
import {
  PackUpsampleFilterArguments,
  UpsampleConvolutionArguments,
  UpsampleConvolveArguments,
  UpsampleFilterGradientArguments,
  UpsampleInputGradientArguments,
} from './generated/kernel-arguments';
import { threadIndex } from './scheduler';
import { fillFloats, smaller } from './simd';

/** Products 1 and 2 have the source 1. */
// @ts-ignore: decorator
@inline
function sourceOf(product: i32): i32 {
  return product < 2 ? product : product - 1;
}

// @ts-ignore: decorator
@inline
function firstProductOf(source: i32): i32 {
  return source < 2 ? source : source + 1;
}

// @ts-ignore: decorator
@inline
function productsOf(source: i32): i32 {
  return source == 1 ? 2 : 1;
}

/** The filter of a product is the sum of the taps from this one ... */
// @ts-ignore: decorator
@inline
function firstTap(product: i32): i32 {
  return product < 3 ? 0 : 5 - product;
}

/** ... to this one. */
// @ts-ignore: decorator
@inline
function lastTap(product: i32): i32 {
  return product == 1 ? 1 : product == 2 ? 0 : 2;
}

/** Bytes of `channels` floats, rounded up to whole vectors. */
// @ts-ignore: decorator
@inline
function vectorBytes(channels: i32): usize {
  return <usize>((channels + 3) & ~3) << 2;
}

// @ts-ignore: decorator
@inline
function aligned(bytes: usize): usize {
  return (bytes + 63) & ~63;
}

/** Row `y` of an image, or zeros where it has no such row. */
// @ts-ignore: decorator
@inline
function rowAt(image: usize, y: i32, height: i32, rowBytes: usize, zeros: usize): usize {
  return <u32>y < <u32>height ? image + <usize>y * rowBytes : zeros;
}

/** Packs the filters of the 25 products into panels, [product down][product across][panel]. Bias rows are 0. */
function packForward(args: PackUpsampleFilterArguments, panel: i32): void {
  const inputs = args.inputs, outputs = args.outputs;
  const panels = (outputs + TILE_COLUMNS - 1) / TILE_COLUMNS;
  const first = panel * TILE_COLUMNS;
  const columns = smaller(TILE_COLUMNS, outputs - first);
  const panelBytes = <usize>(inputs + 1) * 32;
  const tapBytes = <usize>(inputs * outputs) << 2;
  let to = args.packed + <usize>panel * panelBytes;
  for (let down = 0; down < UPSAMPLE_PRODUCTS; down++) {
    for (let across = 0; across < UPSAMPLE_PRODUCTS; across++, to += <usize>panels * panelBytes) {
      fillFloats(to, 0, (inputs + 1) * TILE_COLUMNS);
      for (let v = firstTap(down); v <= lastTap(down); v++) {
        for (let u = firstTap(across); u <= lastTap(across); u++) {
          let from = args.filter + <usize>(3 * v + u) * tapBytes + (<usize>first << 2);
          let p = to + 32;
          for (let i = 0; i < inputs; i++, p += 32, from += <usize>outputs << 2) addFloats(p, from, columns);
        }
      }
    }
  }
}

/** Adds floats to others. */
function addFloats(target: usize, source: usize, count: i32): void {
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    v128.store(target, f32x4.add(v128.load(target), v128.load(source)));
    target += 16;
    source += 16;
  }
  for (; i < count; i++) {
    store<f32>(target, load<f32>(target) + load<f32>(source));
    target += 4;
    source += 4;
  }
}

/** Packs the transposed filters, [source down][source across][panel], the products of one source one after the other. */
function packBackward(args: PackUpsampleFilterArguments, panel: i32): void {
  const inputs = args.inputs, outputs = args.outputs;
  const panels = (inputs + TILE_COLUMNS - 1) / TILE_COLUMNS;
  const first = panel * TILE_COLUMNS;
  const columns = smaller(TILE_COLUMNS, inputs - first);
  const tapBytes = <usize>(inputs * outputs) << 2;
  let matrix = args.packed;
  for (let sourceDown = 0; sourceDown < UPSAMPLE_SOURCES; sourceDown++) {
    for (let sourceAcross = 0; sourceAcross < UPSAMPLE_SOURCES; sourceAcross++) {
      const depth = productsOf(sourceDown) * productsOf(sourceAcross) * outputs;
      const panelBytes = <usize>(depth + 1) * 32;
      let to = matrix + <usize>panel * panelBytes;
      matrix += <usize>panels * panelBytes;
      fillFloats(to, 0, (depth + 1) * TILE_COLUMNS);
      to += 32;
      for (let d = 0; d < productsOf(sourceDown); d++) {
        const down = firstProductOf(sourceDown) + d;
        for (let a = 0; a < productsOf(sourceAcross); a++, to += <usize>outputs * 32) {
          const across = firstProductOf(sourceAcross) + a;
          for (let v = firstTap(down); v <= lastTap(down); v++) {
            for (let u = firstTap(across); u <= lastTap(across); u++) {
              for (let c = 0; c < columns; c++) {
                let from = args.filter + <usize>(3 * v + u) * tapBytes + (<usize>((first + c) * outputs) << 2);
                let p = to + (<usize>c << 2);
                for (let i = 0; i < outputs; i++, p += 32, from += 4) store<f32>(p, load<f32>(p) + load<f32>(from));
              }
            }
          }
        }
      }
    }
  }
}

/** Packs the filters of one panel. */
export function packUpsampleFilter(args: PackUpsampleFilterArguments, chunk: i32): void {
  if (args.isGradient) packBackward(args, chunk);
  else packForward(args, chunk);
}

/**
 * Splits the inputs of one row of tiles into sources.
 *
 * @param lines Memory for four rows of the image with a pixel of zeros before them and one or two behind.
 * @param target First tile of source (0, 0); sources are `sourceBytes` apart, their tiles whole vectors.
 */
function splitInput(
  args: UpsampleConvolutionArguments,
  image: i32,
  tileRow: i32,
  zeros: usize,
  lines: usize,
  target: usize,
  sourceBytes: usize,
): void {
  const height = args.height, width = args.width;
  const pixelBytes = <usize>args.inputs << 2;
  const rowBytes = <usize>width * pixelBytes;
  const tiles = (width + 1) >> 1;
  const lineBytes = <usize>(2 * tiles + 2) * pixelBytes;
  const pixels = args.small + <usize>(image * height) * rowBytes;
  const x0 = rowAt(pixels, 2 * tileRow - 1, height, rowBytes, zeros);
  const x1 = rowAt(pixels, 2 * tileRow, height, rowBytes, zeros);
  const x2 = rowAt(pixels, 2 * tileRow + 1, height, rowBytes, zeros);
  const x3 = rowAt(pixels, 2 * tileRow + 2, height, rowBytes, zeros);
  const line0 = lines + pixelBytes, line1 = line0 + lineBytes, line2 = line1 + lineBytes, line3 = line2 + lineBytes;
  let i: usize = 0;
  for (; i + 16 <= rowBytes; i += 16) {
    const before = v128.load(x1 + i), anchor = v128.load(x2 + i);
    v128.store(line0 + i, anchor);
    v128.store(line1 + i, f32x4.sub(before, anchor));
    v128.store(line2 + i, f32x4.sub(v128.load(x3 + i), anchor));
    v128.store(line3 + i, f32x4.sub(before, v128.load(x0 + i)));
  }
  for (; i < rowBytes; i += 4) {
    const before = load<f32>(x1 + i), anchor = load<f32>(x2 + i);
    store<f32>(line0 + i, anchor);
    store<f32>(line1 + i, before - anchor);
    store<f32>(line2 + i, load<f32>(x3 + i) - anchor);
    store<f32>(line3 + i, before - load<f32>(x0 + i));
  }
  const tileBytes = vectorBytes(args.inputs);
  for (let down = 0; down < UPSAMPLE_SOURCES; down++) {
    let from = lines + <usize>down * lineBytes;
    let to = target + <usize>(down * UPSAMPLE_SOURCES) * sourceBytes;
    for (let tile = 0; tile < tiles; tile++, from += 2 * pixelBytes) {
      let p = from;
      for (const end = to + tileBytes; to < end; to += 16, p += 16) {
        const before = v128.load(p + pixelBytes), anchor = v128.load(p + 2 * pixelBytes);
        v128.store(to, anchor);
        v128.store(to + sourceBytes, f32x4.sub(before, anchor));
        v128.store(to + 2 * sourceBytes, f32x4.sub(v128.load(p + 3 * pixelBytes), anchor));
        v128.store(to + 3 * sourceBytes, f32x4.sub(before, v128.load(p)));
      }
    }
  }
}

/**
 * Sums the output gradients of one row of tiles to the derivatives of the products: product 0 counts in the outputs 4k + 1
 * to 4k + 4, products 1 to 3 in the output of that number, product 4 in output 4k.
 *
 * @param line Memory for one row of the large image.
 * @param target First tile of product (0, 0); products are `productBytes` apart, their tiles whole vectors.
 */
function splitGradient(
  args: UpsampleConvolutionArguments,
  image: i32,
  tileRow: i32,
  zeros: usize,
  line: usize,
  target: usize,
  productBytes: usize,
): void {
  const height = 2 * args.height, width = 2 * args.width;
  const pixelBytes = <usize>args.outputs << 2;
  const rowBytes = <usize>width * pixelBytes;
  const pixels = args.large + <usize>(image * height) * rowBytes;
  const g0 = rowAt(pixels, 4 * tileRow, height, rowBytes, zeros);
  const g1 = rowAt(pixels, 4 * tileRow + 1, height, rowBytes, zeros);
  const g2 = rowAt(pixels, 4 * tileRow + 2, height, rowBytes, zeros);
  const g3 = rowAt(pixels, 4 * tileRow + 3, height, rowBytes, zeros);
  const g4 = rowAt(pixels, 4 * tileRow + 4, height, rowBytes, zeros);
  for (let i: usize = 0; i < rowBytes; i += 16) {
    v128.store(
      line + i,
      f32x4.add(
        f32x4.add(v128.load(g1 + i), v128.load(g2 + i)),
        f32x4.add(v128.load(g3 + i), v128.load(g4 + i)),
      ),
    );
  }
  const tileBytes = vectorBytes(args.outputs);
  for (let down = 0; down < UPSAMPLE_PRODUCTS; down++) {
    let p0 = down == 0 ? line : down == 1 ? g1 : down == 2 ? g2 : down == 3 ? g3 : g0;
    let to = target + <usize>(down * UPSAMPLE_PRODUCTS) * productBytes;
    for (let x = 0; x < width; x += 4, p0 += 4 * pixelBytes) {
      const p1 = p0 + pixelBytes;
      const p2 = x + 2 < width ? p1 + pixelBytes : zeros;
      const p3 = x + 2 < width ? p2 + pixelBytes : zeros;
      const p4 = x + 4 < width ? p3 + pixelBytes : zeros;
      for (let c: usize = 0; c < tileBytes; c += 16, to += 16) {
        const v1 = v128.load(p1 + c), v2 = v128.load(p2 + c), v3 = v128.load(p3 + c);
        v128.store(to, f32x4.add(f32x4.add(v1, v2), f32x4.add(v3, v128.load(p4 + c))));
        v128.store(to + productBytes, v1);
        v128.store(to + 2 * productBytes, v2);
        v128.store(to + 3 * productBytes, v3);
        v128.store(to + 4 * productBytes, v128.load(p0 + c));
      }
    }
  }
}

/** Notes where the rows of A and C start: row `i` of each lies `i` times so many bytes behind the first. */
function fillTable(table: usize, rows: i32, a: usize, aBytes: usize, c: usize, cBytes: usize): void {
  for (let i = 0; i < rows + TILE_ROWS; i++) {
    const row = <usize>smaller(i, rows - 1);
    store<usize>(table + (<usize>i << 3), a + row * aBytes);
    store<usize>(table + (<usize>i << 3), c + row * cBytes, 4);
  }
}

/** Writes the products of one row of tiles, summed up, to its four rows of outputs. */
function mergeOutputs(
  args: UpsampleConvolveArguments,
  image: i32,
  tileRow: i32,
  firstColumn: i32,
  columns: i32,
  products: usize,
  productBytes: usize,
  columnBytes: usize,
  zeros: usize,
  sums: usize,
): void {
  const height = 2 * args.height, width = 2 * args.width;
  const pixelBytes = <usize>args.outputs << 2;
  const rowBytes = <usize>width * pixelBytes;
  const tiles = (args.width + 1) >> 1;
  const tileRowBytes = <usize>tiles * columnBytes;
  const sumBytes = tileRowBytes + columnBytes;
  const bias = args.bias ? args.bias + (<usize>firstColumn << 2) : zeros;
  const whole = <usize>(columns & ~3) << 2;
  const end = <usize>columns << 2;
  for (let y = 0; y < 4 && 4 * tileRow + y < height; y++) {
    // The first output of a tile has the anchor of the tile before it.
    const anchors = y > 0 ? products : products - tileRowBytes;
    const others = products + <usize>((y > 0 ? y : 4) * UPSAMPLE_PRODUCTS) * productBytes;
    for (let across = 0; across < UPSAMPLE_PRODUCTS; across++) {
      const to = sums + <usize>across * sumBytes + columnBytes;
      const p = tileRow + y > 0 ? anchors + <usize>across * productBytes : zeros;
      const q = others + <usize>across * productBytes;
      for (let i: usize = 0; i < tileRowBytes; i += 16) {
        v128.store(to + i, f32x4.add(v128.load(p + i), v128.load(q + i)));
      }
    }
    let to =
      args.large + <usize>(image * height + 4 * tileRow + y) * rowBytes + (<usize>firstColumn << 2);
    let p = sums;
    for (let x = 0; x < width; x += 4, p += columnBytes, to += 4 * pixelBytes) {
      const isWhole = x + 2 < width;
      let c: usize = 0;
      for (; c < whole; c += 16) {
        const b = v128.load(bias + c);
        const q = p + c + columnBytes;
        const anchor = f32x4.add(v128.load(q), b);
        v128.store(to + c, f32x4.add(f32x4.add(v128.load(p + c), b), v128.load(q + 4 * sumBytes)));
        v128.store(to + pixelBytes + c, f32x4.add(anchor, v128.load(q + sumBytes)));
        if (isWhole) {
          v128.store(to + 2 * pixelBytes + c, f32x4.add(anchor, v128.load(q + 2 * sumBytes)));
          v128.store(to + 3 * pixelBytes + c, f32x4.add(anchor, v128.load(q + 3 * sumBytes)));
        }
      }
      for (; c < end; c += 4) {
        const b = load<f32>(bias + c);
        const q = p + c + columnBytes;
        const anchor = load<f32>(q) + b;
        store<f32>(to + c, load<f32>(p + c) + b + load<f32>(q + 4 * sumBytes));
        store<f32>(to + pixelBytes + c, anchor + load<f32>(q + sumBytes));
        if (isWhole) {
          store<f32>(to + 2 * pixelBytes + c, anchor + load<f32>(q + 2 * sumBytes));
          store<f32>(to + 3 * pixelBytes + c, anchor + load<f32>(q + 3 * sumBytes));
        }
      }
    }
  }
}

/** Convolves the upsampled image. */
export function upsampleConvolve(args: UpsampleConvolveArguments, chunk: i32): void {
  const width = args.width, inputs = args.inputs, outputs = args.outputs;
  const imagesPerBlock = args.imagesPerBlock, rowsPerBlock = args.rowsPerBlock;
  const tileRows = (args.height + 1) >> 1, tileColumns = (width + 1) >> 1;
  const rowBlocks = (tileRows + rowsPerBlock - 1) / rowsPerBlock;
  const firstImage = (chunk / rowBlocks) * imagesPerBlock;
  const images = smaller(imagesPerBlock, args.batch - firstImage);
  const firstRow = (chunk % rowBlocks) * rowsPerBlock;
  const rows = smaller(rowsPerBlock, tileRows - firstRow);
  // A block that starts within an image needs the anchors of the tiles above it.
  const lead = firstRow > 0 ? 1 : 0;
  const tiles = images * (lead + rows) * tileColumns;

  const panels = (outputs + TILE_COLUMNS - 1) / TILE_COLUMNS;
  const columnsAtOnce = args.columnsAtOnce;
  const sourceTileBytes = vectorBytes(inputs);
  const sourceBytes = <usize>tiles * sourceTileBytes;
  const columnBytes = <usize>columnsAtOnce << 2;
  const productBytes = <usize>tiles * columnBytes;
  const zeroBytes = args.zeroBytes;
  const linesBytes = aligned(<usize>((2 * tileColumns + 2) * inputs) * 16) + 64;
  const sumsBytes = <usize>((tileColumns + 1) * UPSAMPLE_PRODUCTS) * columnBytes;
  const zeros = args.scratch + <usize>threadIndex * args.scratchBytes;
  const lines = zeros + zeroBytes;
  const sums = lines + linesBytes;
  const jumps = sums + sumsBytes;
  const table = jumps + 64;
  const sources = table + aligned(<usize>(tiles + TILE_ROWS) << 3);
  const products = sources + <usize>(UPSAMPLE_SOURCES * UPSAMPLE_SOURCES) * sourceBytes;
  memory.fill(zeros, 0, zeroBytes + linesBytes + sumsBytes + 64);

  let at = sources;
  for (let image = 0; image < images; image++) {
    for (let row = firstRow - lead; row < firstRow + rows; row++, at += <usize>tileColumns * sourceTileBytes) {
      splitInput(args, firstImage + image, row, zeros, lines, at, sourceBytes);
    }
  }
  fillTable(table, tiles, sources, sourceTileBytes, products, columnBytes);

  const panelBytes = <usize>(inputs + 1) * 32;
  for (let column = 0; column < outputs; column += columnsAtOnce) {
    const firstPanel = column / TILE_COLUMNS;
    const lastPanel = smaller(firstPanel + columnsAtOnce / TILE_COLUMNS, panels);
    for (let down = 0; down < UPSAMPLE_PRODUCTS; down++) {
      for (let across = 0; across < UPSAMPLE_PRODUCTS; across++) {
        const product = down * UPSAMPLE_PRODUCTS + across;
        const from = <usize>(sourceOf(down) * UPSAMPLE_SOURCES + sourceOf(across)) * sourceBytes;
        const filters = args.packed + <usize>(product * panels) * panelBytes;
        const to = <usize>product * productBytes;
        for (let tile = down == 0 ? 0 : lead * tileColumns; tile < tiles; tile += TILE_ROWS) {
          for (let panel = firstPanel; panel < lastPanel; panel++) {
            multiplyTile(
              table + (<usize>tile << 3), tiles - tile, from, jumps, 1, inputs, filters + <usize>panel * panelBytes,
              to + <usize>(panel - firstPanel) * 32, TILE_COLUMNS, false,
            );
          }
        }
      }
    }
    let first = products + <usize>(lead * tileColumns) * columnBytes;
    for (let image = 0; image < images; image++) {
      for (let row = firstRow; row < firstRow + rows; row++, first += <usize>tileColumns * columnBytes) {
        mergeOutputs(
          args, firstImage + image, row, column, smaller(columnsAtOnce, outputs - column), first, productBytes,
          columnBytes, zeros, sums,
        );
      }
    }
  }
}

/** Writes the derivatives of the sources of one row of tiles, summed up, to its two rows of input gradients. */
function mergeInputGradients(
  args: UpsampleInputGradientArguments,
  image: i32,
  tileRow: i32,
  firstColumn: i32,
  columns: i32,
  sources: usize,
  sourceBytes: usize,
  columnBytes: usize,
  zeros: usize,
  sums: usize,
): void {
  const height = args.height, width = args.width;
  const pixelBytes = <usize>args.inputs << 2;
  const rowBytes = <usize>width * pixelBytes;
  const tileRows = (height + 1) >> 1, tiles = (width + 1) >> 1;
  const tileRowBytes = <usize>tiles * columnBytes;
  const sumBytes = tileRowBytes + 2 * columnBytes;
  const whole = <usize>(columns & ~3) << 2;
  const end = <usize>columns << 2;
  const downBytes = <usize>UPSAMPLE_SOURCES * sourceBytes;
  for (let y = 0; y < 2 && 2 * tileRow + y < height; y++) {
    for (let across = 0; across < UPSAMPLE_SOURCES; across++) {
      const to = sums + <usize>across * sumBytes + columnBytes;
      const s0 = sources + <usize>across * sourceBytes;
      const s1 = s0 + downBytes, s2 = s1 + downBytes, s3 = s2 + downBytes;
      if (y == 0) {
        const before = tileRow > 0 ? s2 - tileRowBytes : zeros;
        for (let i: usize = 0; i < tileRowBytes; i += 16) {
          const own = f32x4.add(v128.load(s1 + i), v128.load(s3 + i));
          v128.store(to + i, f32x4.add(own, v128.load(before + i)));
        }
      } else {
        const after = tileRow + 1 < tileRows ? s3 + tileRowBytes : zeros;
        for (let i: usize = 0; i < tileRowBytes; i += 16) {
          const own = f32x4.sub(v128.load(s0 + i), v128.load(s1 + i));
          v128.store(to + i, f32x4.sub(own, f32x4.add(v128.load(s2 + i), v128.load(after + i))));
        }
      }
    }
    let to = args.small + <usize>(image * height + 2 * tileRow + y) * rowBytes + (<usize>firstColumn << 2);
    let p0 = sums + columnBytes;
    for (let x = 0; x < width; x += 2, p0 += columnBytes, to += 2 * pixelBytes) {
      const p1 = p0 + sumBytes, p2 = p1 + sumBytes, p3 = p2 + sumBytes;
      const isWhole = x + 1 < width;
      let c: usize = 0;
      for (; c < whole; c += 16) {
        const s1 = v128.load(p1 + c);
        const own = f32x4.add(s1, v128.load(p3 + c));
        v128.store(to + c, f32x4.add(own, v128.load(p2 - columnBytes + c)));
        if (isWhole) {
          const others = f32x4.add(v128.load(p2 + c), v128.load(p3 + columnBytes + c));
          v128.store(to + pixelBytes + c, f32x4.sub(f32x4.sub(v128.load(p0 + c), s1), others));
        }
      }
      for (; c < end; c += 4) {
        const s1 = load<f32>(p1 + c);
        store<f32>(to + c, s1 + load<f32>(p3 + c) + load<f32>(p2 - columnBytes + c));
        if (isWhole) {
          const others = load<f32>(p2 + c) + load<f32>(p3 + columnBytes + c);
          store<f32>(to + pixelBytes + c, load<f32>(p0 + c) - s1 - others);
        }
      }
    }
  }
}

/** Gradient of the small image: the filters are transposed, the columns those of the input. */
export function upsampleInputGradient(args: UpsampleInputGradientArguments, chunk: i32): void {
  const width = args.width, inputs = args.inputs, outputs = args.outputs;
  const imagesPerBlock = args.imagesPerBlock, rowsPerBlock = args.rowsPerBlock;
  const tileRows = (args.height + 1) >> 1, tileColumns = (width + 1) >> 1;
  const rowBlocks = (tileRows + rowsPerBlock - 1) / rowsPerBlock;
  const firstImage = (chunk / rowBlocks) * imagesPerBlock;
  const images = smaller(imagesPerBlock, args.batch - firstImage);
  const firstRow = (chunk % rowBlocks) * rowsPerBlock;
  const rows = smaller(rowsPerBlock, tileRows - firstRow);
  // A block that starts or ends within an image needs source 2 of the tiles above it, source 3 of those below.
  const lead = firstRow > 0 ? 1 : 0;
  const tail = firstRow + rows < tileRows ? 1 : 0;
  const tiles = images * (lead + rows + tail) * tileColumns;

  const panels = (inputs + TILE_COLUMNS - 1) / TILE_COLUMNS;
  const columnsAtOnce = args.columnsAtOnce;
  const productTileBytes = vectorBytes(outputs);
  const productBytes = <usize>tiles * productTileBytes;
  const columnBytes = <usize>columnsAtOnce << 2;
  const sourceBytes = <usize>tiles * columnBytes;
  const zeroBytes = args.zeroBytes;
  const lineBytes = aligned(<usize>(2 * width * outputs) << 2) + 64;
  const sumsBytes = <usize>((tileColumns + 2) * UPSAMPLE_SOURCES) * columnBytes;
  const zeros = args.scratch + <usize>threadIndex * args.scratchBytes;
  const line = zeros + zeroBytes;
  const sums = line + lineBytes;
  const jumps = sums + sumsBytes;
  const table = jumps + 64;
  const products = table + aligned(<usize>(tiles + TILE_ROWS) << 3);
  const sources = products + <usize>(UPSAMPLE_PRODUCTS * UPSAMPLE_PRODUCTS) * productBytes;
  memory.fill(zeros, 0, zeroBytes + lineBytes + sumsBytes);

  let at = products;
  for (let image = 0; image < images; image++) {
    for (let row = firstRow - lead; row < firstRow + rows + tail; row++, at += <usize>tileColumns * productTileBytes) {
      splitGradient(args, firstImage + image, row, zeros, line, at, productBytes);
    }
  }
  fillTable(table, tiles, products, productTileBytes, sources, columnBytes);

  for (let column = 0; column < inputs; column += columnsAtOnce) {
    const firstPanel = column / TILE_COLUMNS;
    const lastPanel = smaller(firstPanel + columnsAtOnce / TILE_COLUMNS, panels);
    let filters = args.packed;
    for (let down = 0; down < UPSAMPLE_SOURCES; down++) {
      const firstTile = down == 2 ? 0 : lead * tileColumns;
      const lastTile = down == 3 ? tiles : tiles - tail * tileColumns;
      for (let across = 0; across < UPSAMPLE_SOURCES; across++) {
        const runsAcross = productsOf(across);
        const runs = productsOf(down) * runsAcross;
        // From one product to the next: to the right, or back and down.
        for (let run = 0; run < runs; run++) {
          const step = run + 1 < runsAcross || run == 2 ? 1 : UPSAMPLE_PRODUCTS - runsAcross + 1;
          store<usize>(jumps + (<usize>run << 2), <usize>step * productBytes - (<usize>outputs << 2));
        }
        const from = <usize>(firstProductOf(down) * UPSAMPLE_PRODUCTS + firstProductOf(across)) * productBytes;
        const to = <usize>(down * UPSAMPLE_SOURCES + across) * sourceBytes;
        const panelBytes = <usize>(runs * outputs + 1) * 32;
        for (let tile = firstTile; tile < lastTile; tile += TILE_ROWS) {
          for (let panel = firstPanel; panel < lastPanel; panel++) {
            multiplyTile(
              table + (<usize>tile << 3), lastTile - tile, from, jumps, runs, outputs,
              filters + <usize>panel * panelBytes, to + <usize>(panel - firstPanel) * 32, TILE_COLUMNS, false,
            );
          }
        }
        filters += <usize>panels * panelBytes;
      }
    }
    let first = sources + <usize>(lead * tileColumns) * columnBytes;
    for (let image = 0; image < images; image++) {
      for (let row = firstRow; row < firstRow + rows; row++, first += <usize>tileColumns * columnBytes) {
        mergeInputGradients(
          args, firstImage + image, row, column, smaller(columnsAtOnce, inputs - column), first, sourceBytes,
          columnBytes, zeros, sums,
        );
      }
    }
  }
}

/** A chunk's part of the filter's gradient. */
export function upsampleFilterGradient(args: UpsampleFilterGradientArguments, chunk: i32): void {
  const width = args.width, inputs = args.inputs, outputs = args.outputs;
  const imagesPerBlock = args.imagesPerBlock, rowsPerBlock = args.rowsPerBlock;
  const tileRows = (args.height + 1) >> 1, tileColumns = (width + 1) >> 1;
  const mostTiles = imagesPerBlock * smaller(rowsPerBlock, tileRows) * tileColumns;

  const groups = (inputs + TILE_ROWS - 1) / TILE_ROWS;
  const panels = (outputs + TILE_COLUMNS - 1) / TILE_COLUMNS;
  const sourceTileBytes = vectorBytes(inputs);
  const sourceBytes = <usize>mostTiles * sourceTileBytes;
  const productTileBytes = vectorBytes(outputs);
  const productBytes = <usize>mostTiles * productTileBytes;
  const sumStride = <usize>panels * 32;
  const sumBytes = <usize>(groups * TILE_ROWS) * sumStride;
  const zeroBytes = args.zeroBytes;
  const linesBytes = aligned(<usize>((2 * tileColumns + 2) * inputs) * 16) + 64;
  const lineBytes = aligned(<usize>(2 * width * outputs) << 2) + 64;
  const zeros = args.scratch + <usize>threadIndex * args.scratchBytes;
  const lines = zeros + zeroBytes;
  const line = lines + linesBytes;
  const sums = line + lineBytes;
  const sources = sums + <usize>(UPSAMPLE_PRODUCTS * UPSAMPLE_PRODUCTS) * sumBytes;
  const products = sources + <usize>(UPSAMPLE_SOURCES * UPSAMPLE_SOURCES) * sourceBytes;
  memory.fill(zeros, 0, zeroBytes + linesBytes + lineBytes + <usize>(UPSAMPLE_PRODUCTS * UPSAMPLE_PRODUCTS) * sumBytes);

  const lastImage = smaller((chunk + 1) * args.imagesPerChunk, args.batch);
  for (let firstImage = chunk * args.imagesPerChunk; firstImage < lastImage; firstImage += imagesPerBlock) {
    const images = smaller(imagesPerBlock, lastImage - firstImage);
    for (let firstRow = 0; firstRow < tileRows; firstRow += rowsPerBlock) {
      const rows = smaller(rowsPerBlock, tileRows - firstRow);
      const tiles = images * rows * tileColumns;
      let tile = 0;
      for (let image = firstImage; image < firstImage + images; image++) {
        for (let row = firstRow; row < firstRow + rows; row++, tile += tileColumns) {
          splitInput(args, image, row, zeros, lines, sources + <usize>tile * sourceTileBytes, sourceBytes);
          splitGradient(args, image, row, zeros, line, products + <usize>tile * productTileBytes, productBytes);
        }
      }
      for (let down = 0; down < UPSAMPLE_PRODUCTS; down++) {
        for (let across = 0; across < UPSAMPLE_PRODUCTS; across++) {
          const product = down * UPSAMPLE_PRODUCTS + across;
          const a = sources + <usize>(sourceOf(down) * UPSAMPLE_SOURCES + sourceOf(across)) * sourceBytes;
          const b = products + <usize>product * productBytes;
          const to = sums + <usize>product * sumBytes;
          for (let group = 0; group < groups; group++) {
            for (let panel = 0; panel < panels; panel++) {
              accumulateTile(
                to + <usize>(group * TILE_ROWS) * sumStride + <usize>panel * 32, sumStride,
                a + <usize>group * 24, b + <usize>panel * 32, 1, 1, tiles, 0, 0, sourceTileBytes, 0, 0, productTileBytes,
              );
            }
          }
        }
      }
    }
  }

  // A tap's gradient is the sum over the products whose filters have it.
  let to = args.partials + <usize>(chunk * 9 * inputs * outputs) * 4;
  for (let v = 0; v < 3; v++) {
    for (let u = 0; u < 3; u++) {
      for (let i = 0; i < inputs; i++, to += <usize>outputs << 2) {
        fillFloats(to, 0, outputs);
        for (let down = 0; down < UPSAMPLE_PRODUCTS; down++) {
          if (v < firstTap(down) || v > lastTap(down)) continue;
          for (let across = 0; across < UPSAMPLE_PRODUCTS; across++) {
            if (u < firstTap(across) || u > lastTap(across)) continue;
            addFloats(to, sums + <usize>(down * UPSAMPLE_PRODUCTS + across) * sumBytes + <usize>i * sumStride, outputs);
          }
        }
      }
    }
  }
}
