/**
 * Micro-kernels of matrix multiplication: everything that convolves or multiplies ends here.
 *
 * A 128-bit machine has 16 vector registers. A tile of 6 rows x 8 columns keeps 12 sums in them and leaves two for a row
 * of B and one for a value of A repeated in all lanes, so that each step of the sum does 12 multiply-adds on 8 loads.
 */
import { COLUMN_CHANNELS, DOT_COLUMNS, TILE_COLUMNS } from '../src/kernel-sizes';
import { PackDotsArguments, PackPanelsArguments, PackTriplesArguments } from './generated/kernel-arguments';
import { copyFloats, fillFloats, madd, smaller } from './simd';

/** Packs B into panels of 8 columns: 8 biases, then the rows of B, 8 floats each, zeros where B has no column. */
export function packPanels(args: PackPanelsArguments, chunk: i32): void {
  const size0 = args.size0, size1 = args.size1, size2 = args.size2;
  const columnStride = <usize>args.columnStride << 2;
  const first = chunk * TILE_COLUMNS;
  const columns = smaller(TILE_COLUMNS, args.columns - first);
  const bias = args.bias;
  let to = args.target + <usize>(chunk * (size0 * size1 * size2 + 1)) * 32;
  const zero = f32x4.splat(0);
  v128.store(to, zero);
  v128.store(to, zero, 16);
  if (bias) {
    for (let c = 0; c < columns; c++) {
      store<f32>(to + (<usize>c << 2), load<f32>(bias + (<usize>(first + c) << 2)));
    }
  }
  to += 32;
  const source = args.source + <usize>first * columnStride;
  for (let i = 0; i < size0; i++) {
    for (let j = 0; j < size1; j++) {
      let from = source + (<usize>(i * args.stride0 + j * args.stride1) << 2);
      const step = <usize>args.stride2 << 2;
      if (columns == TILE_COLUMNS && columnStride == 4) {
        for (let k = 0; k < size2; k++, from += step, to += 32) {
          v128.store(to, v128.load(from));
          v128.store(to, v128.load(from, 16), 16);
        }
      } else {
        for (let k = 0; k < size2; k++, from += step, to += 32) {
          v128.store(to, zero);
          v128.store(to, zero, 16);
          let p = from;
          for (let c = 0; c < columns; c++, p += columnStride) store<f32>(to + (<usize>c << 2), load<f32>(p));
        }
      }
    }
  }
}

/** Stores the first `columns` (1 to 7) of eight floats. */
function storePart(target: usize, low: v128, high: v128, columns: i32): void {
  let v = low;
  if (columns & 4) {
    v128.store(target, low);
    target += 16;
    v = high;
  }
  if (columns & 2) {
    v128.store64_lane(target, v, 0);
    target += 8;
    v = i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15);
  }
  if (columns & 1) v128.store32_lane(target, v, 0);
}

// @ts-ignore: decorator
@inline
function storeRow(target: usize, low: v128, high: v128, columns: i32): void {
  if (columns == 8) {
    v128.store(target, low);
    v128.store(target, high, 16);
  } else {
    storePart(target, low, high, columns);
  }
}

/**
 * A tile of C = bias + A x B, or of C + A x B, where each row of A is a list of runs of adjacent floats.
 *
 * @param rows Six pairs of addresses (row of A, row of C).
 * @param validRows How many of them to store; the rest only repeat valid addresses of A.
 * @param start Bytes to add to the addresses in A.
 * @param jumps Bytes to add to a row's address after each run: one number a run, the same for all rows.
 * @param runs Number of runs.
 * @param length Floats in a run.
 * @param panel Packed panel of B.
 * @param shift Bytes to add to the addresses in C.
 * @param columns Columns to store, 1 to 8.
 * @param isAdded Whether to add to what C holds, in place of the bias.
 */
export function multiplyTile(
  rows: usize,
  validRows: i32,
  start: usize,
  jumps: usize,
  runs: i32,
  length: i32,
  panel: usize,
  shift: usize,
  columns: i32,
  isAdded: bool,
): void {
  let a0 = load<usize>(rows) + start, a1 = load<usize>(rows, 8) + start, a2 = load<usize>(rows, 16) + start;
  let a3 = load<usize>(rows, 24) + start, a4 = load<usize>(rows, 32) + start, a5 = load<usize>(rows, 40) + start;
  let c00 = v128.load(panel), c01 = v128.load(panel, 16);
  let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01, c40 = c00, c41 = c01, c50 = c00, c51 = c01;
  if (isAdded) {
    let c = load<usize>(rows, 4) + shift;
    c00 = v128.load(c);
    c01 = v128.load(c, 16);
    c = load<usize>(rows, 12) + shift;
    c10 = v128.load(c);
    c11 = v128.load(c, 16);
    c = load<usize>(rows, 20) + shift;
    c20 = v128.load(c);
    c21 = v128.load(c, 16);
    c = load<usize>(rows, 28) + shift;
    c30 = v128.load(c);
    c31 = v128.load(c, 16);
    c = load<usize>(rows, 36) + shift;
    c40 = v128.load(c);
    c41 = v128.load(c, 16);
    c = load<usize>(rows, 44) + shift;
    c50 = v128.load(c);
    c51 = v128.load(c, 16);
  }
  let b = panel + 32;
  for (const stop = jumps + (<usize>runs << 2); jumps < stop; jumps += 4) {
    const end = b + <usize>length * 32;
    while (b < end) {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      let s = v128.load32_splat(a0);
      c00 = madd(s, b0, c00);
      c01 = madd(s, b1, c01);
      s = v128.load32_splat(a1);
      c10 = madd(s, b0, c10);
      c11 = madd(s, b1, c11);
      s = v128.load32_splat(a2);
      c20 = madd(s, b0, c20);
      c21 = madd(s, b1, c21);
      s = v128.load32_splat(a3);
      c30 = madd(s, b0, c30);
      c31 = madd(s, b1, c31);
      s = v128.load32_splat(a4);
      c40 = madd(s, b0, c40);
      c41 = madd(s, b1, c41);
      s = v128.load32_splat(a5);
      c50 = madd(s, b0, c50);
      c51 = madd(s, b1, c51);
      a0 += 4;
      a1 += 4;
      a2 += 4;
      a3 += 4;
      a4 += 4;
      a5 += 4;
      b += 32;
    }
    const jump = load<usize>(jumps);
    a0 += jump;
    a1 += jump;
    a2 += jump;
    a3 += jump;
    a4 += jump;
    a5 += jump;
  }
  storeRow(load<usize>(rows, 4) + shift, c00, c01, columns);
  if (validRows > 1) storeRow(load<usize>(rows, 12) + shift, c10, c11, columns);
  if (validRows > 2) storeRow(load<usize>(rows, 20) + shift, c20, c21, columns);
  if (validRows > 3) storeRow(load<usize>(rows, 28) + shift, c30, c31, columns);
  if (validRows > 4) storeRow(load<usize>(rows, 36) + shift, c40, c41, columns);
  if (validRows > 5) storeRow(load<usize>(rows, 44) + shift, c50, c51, columns);
}

/**
 * Adds the outer products of a block of pixels to a 6 x 8 tile of sums: sum[i][j] += a[pixel][i] x b[pixel][j].
 *
 * Reads 8 floats of `b` whatever its width: lanes beyond it hold numbers that nobody looks at.
 *
 * @param sums The tile; its rows are `sumStride` bytes apart.
 * @param images, rows, columns Pixels of the block; their strides in bytes follow, of `a`, then of `b`.
 */
export function accumulateTile(
  sums: usize,
  sumStride: usize,
  a: usize,
  b: usize,
  images: i32,
  rows: i32,
  columns: i32,
  aImage: usize,
  aRow: usize,
  aColumn: usize,
  bImage: usize,
  bRow: usize,
  bColumn: usize,
): void {
  let o = sums;
  let c00 = v128.load(o), c01 = v128.load(o, 16);
  o += sumStride;
  let c10 = v128.load(o), c11 = v128.load(o, 16);
  o += sumStride;
  let c20 = v128.load(o), c21 = v128.load(o, 16);
  o += sumStride;
  let c30 = v128.load(o), c31 = v128.load(o, 16);
  o += sumStride;
  let c40 = v128.load(o), c41 = v128.load(o, 16);
  o += sumStride;
  let c50 = v128.load(o), c51 = v128.load(o, 16);
  for (; images > 0; images--) {
    let aLine = a;
    let bLine = b;
    for (let row = 0; row < rows; row++) {
      let p = aLine;
      let q = bLine;
      for (const end = q + <usize>columns * bColumn; q < end; ) {
        const b0 = v128.load(q), b1 = v128.load(q, 16);
        let s = v128.load32_splat(p);
        c00 = madd(s, b0, c00);
        c01 = madd(s, b1, c01);
        s = v128.load32_splat(p, 4);
        c10 = madd(s, b0, c10);
        c11 = madd(s, b1, c11);
        s = v128.load32_splat(p, 8);
        c20 = madd(s, b0, c20);
        c21 = madd(s, b1, c21);
        s = v128.load32_splat(p, 12);
        c30 = madd(s, b0, c30);
        c31 = madd(s, b1, c31);
        s = v128.load32_splat(p, 16);
        c40 = madd(s, b0, c40);
        c41 = madd(s, b1, c41);
        s = v128.load32_splat(p, 20);
        c50 = madd(s, b0, c50);
        c51 = madd(s, b1, c51);
        p += aColumn;
        q += bColumn;
      }
      aLine += aRow;
      bLine += bRow;
    }
    a += aImage;
    b += bImage;
  }
  o = sums;
  v128.store(o, c00);
  v128.store(o, c01, 16);
  o += sumStride;
  v128.store(o, c10);
  v128.store(o, c11, 16);
  o += sumStride;
  v128.store(o, c20);
  v128.store(o, c21, 16);
  o += sumStride;
  v128.store(o, c30);
  v128.store(o, c31, 16);
  o += sumStride;
  v128.store(o, c40);
  v128.store(o, c41, 16);
  o += sumStride;
  v128.store(o, c50);
  v128.store(o, c51, 16);
}

/** Bytes that a run of `length` floats takes in a column of `packDots`. */
// @ts-ignore: decorator
@inline
export function dotRunBytes(length: i32): usize {
  return <usize>((length + 3) & ~3) << 2;
}

/**
 * Packs a B of at most 3 columns for `multiplyDots`: 4 biases, then 3 columns one after the other, each run padded with
 * zeros to whole vectors.
 */
export function packDots(args: PackDotsArguments, chunk: i32): void {
  const size0 = args.size0, size1 = args.size1, size2 = args.size2;
  const columns = args.columns;
  const bias = args.bias;
  let to = args.target;
  v128.store(to, f32x4.splat(0));
  if (bias) copyFloats(to, bias, columns);
  to += 16;
  const isJoined = args.isJoined;
  const padding = -(isJoined ? size1 * size2 : size2) & 3;
  for (let column = 0; column < DOT_COLUMNS; column++) {
    const source = args.source + (<usize>(column * args.columnStride) << 2);
    for (let i = 0; i < size0; i++) {
      for (let j = 0; j < size1; j++) {
        let from = source + (<usize>(i * args.stride0 + j * args.stride1) << 2);
        for (let k = 0; k < size2; k++, to += 4, from += <usize>args.stride2 << 2) {
          store<f32>(to, column < columns ? load<f32>(from) : 0);
        }
        if (!isJoined || j == size1 - 1) {
          fillFloats(to, 0, padding);
          to += <usize>padding << 2;
        }
      }
    }
  }
}

/** All bits set in the first `count` lanes (0 to 3). */
// @ts-ignore: decorator
@inline
function firstLanes(count: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count));
}

/** The sums of the lanes of four vectors. */
// @ts-ignore: decorator
@inline
function sumFour(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

/**
 * Six rows of A times the one column of B, as dot products over vectors of A. Parameters: see `multiplyTile`.
 *
 * The end of a run is masked, not just multiplied by 0: what lies behind it may be infinite.
 */
export function multiplyDots1(rows: usize, validRows: i32, jumps: usize, runs: i32, length: i32, packed: usize): void {
  let a0 = load<usize>(rows), a1 = load<usize>(rows, 8), a2 = load<usize>(rows, 16);
  let a3 = load<usize>(rows, 24), a4 = load<usize>(rows, 32), a5 = load<usize>(rows, 40);
  let c0 = f32x4.splat(0), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0;
  const rest = length & 3;
  const mask = firstLanes(rest);
  const wholeBytes = <usize>(length & ~3) << 2;
  const restBytes = <usize>rest << 2;
  let b = packed + 16;
  for (const stop = jumps + (<usize>runs << 2); jumps < stop; jumps += 4) {
    for (const end = b + wholeBytes; b < end; b += 16) {
      const b0 = v128.load(b);
      c0 = madd(v128.load(a0), b0, c0);
      c1 = madd(v128.load(a1), b0, c1);
      c2 = madd(v128.load(a2), b0, c2);
      c3 = madd(v128.load(a3), b0, c3);
      c4 = madd(v128.load(a4), b0, c4);
      c5 = madd(v128.load(a5), b0, c5);
      a0 += 16;
      a1 += 16;
      a2 += 16;
      a3 += 16;
      a4 += 16;
      a5 += 16;
    }
    if (rest) {
      const b0 = v128.load(b);
      c0 = madd(v128.and(v128.load(a0), mask), b0, c0);
      c1 = madd(v128.and(v128.load(a1), mask), b0, c1);
      c2 = madd(v128.and(v128.load(a2), mask), b0, c2);
      c3 = madd(v128.and(v128.load(a3), mask), b0, c3);
      c4 = madd(v128.and(v128.load(a4), mask), b0, c4);
      c5 = madd(v128.and(v128.load(a5), mask), b0, c5);
      b += 16;
    }
    const jump = load<usize>(jumps) + restBytes;
    a0 += jump;
    a1 += jump;
    a2 += jump;
    a3 += jump;
    a4 += jump;
    a5 += jump;
  }
  const bias = v128.load32_splat(packed);
  const low = f32x4.add(sumFour(c0, c1, c2, c3), bias);
  const high = f32x4.add(sumFour(c4, c5, c4, c5), bias);
  v128.store32_lane(load<usize>(rows, 4), low, 0);
  if (validRows > 1) v128.store32_lane(load<usize>(rows, 12), low, 1);
  if (validRows > 2) v128.store32_lane(load<usize>(rows, 20), low, 2);
  if (validRows > 3) v128.store32_lane(load<usize>(rows, 28), low, 3);
  if (validRows > 4) v128.store32_lane(load<usize>(rows, 36), high, 0);
  if (validRows > 5) v128.store32_lane(load<usize>(rows, 44), high, 1);
}

// @ts-ignore: decorator
@inline
function storeDots(target: usize, dots: v128, columns: i32): void {
  v128.store64_lane(target, dots, 0);
  if (columns > 2) v128.store32_lane(target, dots, 2, 8);
}

/** Four rows of A times the two or three columns of B. See `multiplyDots1`. */
export function multiplyDots3(
  rows: usize,
  validRows: i32,
  jumps: usize,
  runs: i32,
  length: i32,
  packed: usize,
  columns: i32,
): void {
  let a0 = load<usize>(rows), a1 = load<usize>(rows, 8), a2 = load<usize>(rows, 16), a3 = load<usize>(rows, 24);
  let c00 = f32x4.splat(0), c01 = c00, c02 = c00, c10 = c00, c11 = c00, c12 = c00;
  let c20 = c00, c21 = c00, c22 = c00, c30 = c00, c31 = c00, c32 = c00;
  const rest = length & 3;
  const mask = firstLanes(rest);
  const wholeBytes = <usize>(length & ~3) << 2;
  const restBytes = <usize>rest << 2;
  const columnBytes = <usize>runs * dotRunBytes(length);
  let p = packed + 16;
  let q = p + columnBytes;
  let r = q + columnBytes;
  for (const stop = jumps + (<usize>runs << 2); jumps < stop; jumps += 4) {
    for (const end = p + wholeBytes; p < end; ) {
      const b0 = v128.load(p), b1 = v128.load(q), b2 = v128.load(r);
      let s = v128.load(a0);
      c00 = madd(s, b0, c00);
      c01 = madd(s, b1, c01);
      c02 = madd(s, b2, c02);
      s = v128.load(a1);
      c10 = madd(s, b0, c10);
      c11 = madd(s, b1, c11);
      c12 = madd(s, b2, c12);
      s = v128.load(a2);
      c20 = madd(s, b0, c20);
      c21 = madd(s, b1, c21);
      c22 = madd(s, b2, c22);
      s = v128.load(a3);
      c30 = madd(s, b0, c30);
      c31 = madd(s, b1, c31);
      c32 = madd(s, b2, c32);
      a0 += 16;
      a1 += 16;
      a2 += 16;
      a3 += 16;
      p += 16;
      q += 16;
      r += 16;
    }
    if (rest) {
      const b0 = v128.load(p), b1 = v128.load(q), b2 = v128.load(r);
      let s = v128.and(v128.load(a0), mask);
      c00 = madd(s, b0, c00);
      c01 = madd(s, b1, c01);
      c02 = madd(s, b2, c02);
      s = v128.and(v128.load(a1), mask);
      c10 = madd(s, b0, c10);
      c11 = madd(s, b1, c11);
      c12 = madd(s, b2, c12);
      s = v128.and(v128.load(a2), mask);
      c20 = madd(s, b0, c20);
      c21 = madd(s, b1, c21);
      c22 = madd(s, b2, c22);
      s = v128.and(v128.load(a3), mask);
      c30 = madd(s, b0, c30);
      c31 = madd(s, b1, c31);
      c32 = madd(s, b2, c32);
      p += 16;
      q += 16;
      r += 16;
    }
    const jump = load<usize>(jumps) + restBytes;
    a0 += jump;
    a1 += jump;
    a2 += jump;
    a3 += jump;
  }
  const bias = v128.load(packed);
  storeDots(load<usize>(rows, 4), f32x4.add(sumFour(c00, c01, c02, c02), bias), columns);
  if (validRows > 1) storeDots(load<usize>(rows, 12), f32x4.add(sumFour(c10, c11, c12, c12), bias), columns);
  if (validRows > 2) storeDots(load<usize>(rows, 20), f32x4.add(sumFour(c20, c21, c22, c22), bias), columns);
  if (validRows > 3) storeDots(load<usize>(rows, 28), f32x4.add(sumFour(c30, c31, c32, c32), bias), columns);
}

/**
 * As `accumulateTile`, for a gradient of one channel: sum[j] += b[pixel] x a[pixel][j] for 48 adjacent floats of `a`.
 *
 * Reads all 48 floats whatever the length of the run: what lies behind it ends in sums that nobody looks at.
 */
export function accumulateTurned1(
  sums: usize,
  a: usize,
  b: usize,
  images: i32,
  rows: i32,
  columns: i32,
  aImage: usize,
  aRow: usize,
  aColumn: usize,
  bImage: usize,
  bRow: usize,
  bColumn: usize,
): void {
  let c0 = v128.load(sums), c1 = v128.load(sums, 16), c2 = v128.load(sums, 32), c3 = v128.load(sums, 48);
  let c4 = v128.load(sums, 64), c5 = v128.load(sums, 80), c6 = v128.load(sums, 96), c7 = v128.load(sums, 112);
  let c8 = v128.load(sums, 128), c9 = v128.load(sums, 144), c10 = v128.load(sums, 160), c11 = v128.load(sums, 176);
  for (; images > 0; images--) {
    let aLine = a;
    let bLine = b;
    for (let row = 0; row < rows; row++) {
      let p = aLine;
      let q = bLine;
      for (const end = q + <usize>columns * bColumn; q < end; ) {
        const s = v128.load32_splat(q);
        c0 = madd(s, v128.load(p), c0);
        c1 = madd(s, v128.load(p, 16), c1);
        c2 = madd(s, v128.load(p, 32), c2);
        c3 = madd(s, v128.load(p, 48), c3);
        c4 = madd(s, v128.load(p, 64), c4);
        c5 = madd(s, v128.load(p, 80), c5);
        c6 = madd(s, v128.load(p, 96), c6);
        c7 = madd(s, v128.load(p, 112), c7);
        c8 = madd(s, v128.load(p, 128), c8);
        c9 = madd(s, v128.load(p, 144), c9);
        c10 = madd(s, v128.load(p, 160), c10);
        c11 = madd(s, v128.load(p, 176), c11);
        p += aColumn;
        q += bColumn;
      }
      aLine += aRow;
      bLine += bRow;
    }
    a += aImage;
    b += bImage;
  }
  v128.store(sums, c0);
  v128.store(sums, c1, 16);
  v128.store(sums, c2, 32);
  v128.store(sums, c3, 48);
  v128.store(sums, c4, 64);
  v128.store(sums, c5, 80);
  v128.store(sums, c6, 96);
  v128.store(sums, c7, 112);
  v128.store(sums, c8, 128);
  v128.store(sums, c9, 144);
  v128.store(sums, c10, 160);
  v128.store(sums, c11, 176);
}

/** As `accumulateTurned1`, for three channels of the gradient and 16 floats of `a`; sums are [3 channels][16 floats]. */
export function accumulateTurned3(
  sums: usize,
  a: usize,
  b: usize,
  images: i32,
  rows: i32,
  columns: i32,
  aImage: usize,
  aRow: usize,
  aColumn: usize,
  bImage: usize,
  bRow: usize,
  bColumn: usize,
): void {
  let c00 = v128.load(sums), c01 = v128.load(sums, 16), c02 = v128.load(sums, 32), c03 = v128.load(sums, 48);
  let c10 = v128.load(sums, 64), c11 = v128.load(sums, 80), c12 = v128.load(sums, 96), c13 = v128.load(sums, 112);
  let c20 = v128.load(sums, 128), c21 = v128.load(sums, 144), c22 = v128.load(sums, 160), c23 = v128.load(sums, 176);
  for (; images > 0; images--) {
    let aLine = a;
    let bLine = b;
    for (let row = 0; row < rows; row++) {
      let p = aLine;
      let q = bLine;
      for (const end = q + <usize>columns * bColumn; q < end; ) {
        const s = v128.load32_splat(q), t = v128.load32_splat(q, 4), u = v128.load32_splat(q, 8);
        let x = v128.load(p);
        c00 = madd(s, x, c00);
        c10 = madd(t, x, c10);
        c20 = madd(u, x, c20);
        x = v128.load(p, 16);
        c01 = madd(s, x, c01);
        c11 = madd(t, x, c11);
        c21 = madd(u, x, c21);
        x = v128.load(p, 32);
        c02 = madd(s, x, c02);
        c12 = madd(t, x, c12);
        c22 = madd(u, x, c22);
        x = v128.load(p, 48);
        c03 = madd(s, x, c03);
        c13 = madd(t, x, c13);
        c23 = madd(u, x, c23);
        p += aColumn;
        q += bColumn;
      }
      aLine += aRow;
      bLine += bRow;
    }
    a += aImage;
    b += bImage;
  }
  v128.store(sums, c00);
  v128.store(sums, c01, 16);
  v128.store(sums, c02, 32);
  v128.store(sums, c03, 48);
  v128.store(sums, c10, 64);
  v128.store(sums, c11, 80);
  v128.store(sums, c12, 96);
  v128.store(sums, c13, 112);
  v128.store(sums, c20, 128);
  v128.store(sums, c21, 144);
  v128.store(sums, c22, 160);
  v128.store(sums, c23, 176);
}

/**
 * As `accumulateTile`, for at most 4 columns: sums[2][6][4] over 6 floats of each of two runs of `a`, the second one
 * `aNext` bytes behind the first.
 */
export function accumulateNarrow(
  sums: usize,
  aNext: usize,
  a: usize,
  b: usize,
  images: i32,
  rows: i32,
  columns: i32,
  aImage: usize,
  aRow: usize,
  aColumn: usize,
  bImage: usize,
  bRow: usize,
  bColumn: usize,
): void {
  let c0 = v128.load(sums), c1 = v128.load(sums, 16), c2 = v128.load(sums, 32), c3 = v128.load(sums, 48);
  let c4 = v128.load(sums, 64), c5 = v128.load(sums, 80), c6 = v128.load(sums, 96), c7 = v128.load(sums, 112);
  let c8 = v128.load(sums, 128), c9 = v128.load(sums, 144), c10 = v128.load(sums, 160), c11 = v128.load(sums, 176);
  for (; images > 0; images--) {
    let aLine = a;
    let bLine = b;
    for (let row = 0; row < rows; row++) {
      let p = aLine;
      let r = aLine + aNext;
      let q = bLine;
      for (const end = q + <usize>columns * bColumn; q < end; ) {
        const v = v128.load(q);
        c0 = madd(v128.load32_splat(p), v, c0);
        c1 = madd(v128.load32_splat(p, 4), v, c1);
        c2 = madd(v128.load32_splat(p, 8), v, c2);
        c3 = madd(v128.load32_splat(p, 12), v, c3);
        c4 = madd(v128.load32_splat(p, 16), v, c4);
        c5 = madd(v128.load32_splat(p, 20), v, c5);
        c6 = madd(v128.load32_splat(r), v, c6);
        c7 = madd(v128.load32_splat(r, 4), v, c7);
        c8 = madd(v128.load32_splat(r, 8), v, c8);
        c9 = madd(v128.load32_splat(r, 12), v, c9);
        c10 = madd(v128.load32_splat(r, 16), v, c10);
        c11 = madd(v128.load32_splat(r, 20), v, c11);
        p += aColumn;
        r += aColumn;
        q += bColumn;
      }
      aLine += aRow;
      bLine += bRow;
    }
    a += aImage;
    b += bImage;
  }
  v128.store(sums, c0);
  v128.store(sums, c1, 16);
  v128.store(sums, c2, 32);
  v128.store(sums, c3, 48);
  v128.store(sums, c4, 64);
  v128.store(sums, c5, 80);
  v128.store(sums, c6, 96);
  v128.store(sums, c7, 112);
  v128.store(sums, c8, 128);
  v128.store(sums, c9, 144);
  v128.store(sums, c10, 160);
  v128.store(sums, c11, 176);
}

/** Packs B for `multiplyColumns`: for each three columns, 3 biases, then 3 floats for each row of B. */
export function packTriples(args: PackTriplesArguments, chunk: i32): void {
  const size0 = args.size0, size1 = args.size1, size2 = args.size2;
  const columns = args.columns;
  const bias = args.bias;
  let to = args.target;
  for (let first = 0; first < columns; first += COLUMN_CHANNELS) {
    for (let c = first; c < first + COLUMN_CHANNELS; c++, to += 4) {
      store<f32>(to, bias != 0 && c < columns ? load<f32>(bias + (<usize>c << 2)) : 0);
    }
    for (let i = 0; i < size0; i++) {
      for (let j = 0; j < size1; j++) {
        for (let k = 0; k < size2; k++) {
          const row = i * args.stride0 + j * args.stride1 + k * args.stride2;
          for (let c = first; c < first + COLUMN_CHANNELS; c++, to += 4) {
            const from = args.source + (<usize>(row + c * args.columnStride) << 2);
            store<f32>(to, c < columns ? load<f32>(from) : 0);
          }
        }
      }
    }
  }
}

/** Stores four pixels of three channels, given channel by channel. */
// @ts-ignore: decorator
@inline
function storeTriples(target: usize, pixelBytes: usize, a: v128, b: v128, c: v128, channels: i32): void {
  const low = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const high = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const t1 = target + pixelBytes, t2 = t1 + pixelBytes, t3 = t2 + pixelBytes;
  if (channels == 1) {
    v128.store32_lane(target, a, 0);
    v128.store32_lane(t1, a, 1);
    v128.store32_lane(t2, a, 2);
    v128.store32_lane(t3, a, 3);
    return;
  }
  v128.store64_lane(target, low, 0);
  v128.store64_lane(t1, low, 1);
  v128.store64_lane(t2, high, 0);
  v128.store64_lane(t3, high, 1);
  if (channels == 2) return;
  v128.store32_lane(target, c, 0, 8);
  v128.store32_lane(t1, c, 1, 8);
  v128.store32_lane(t2, c, 2, 8);
  v128.store32_lane(t3, c, 3, 8);
}

/**
 * Sixteen neighbouring pixels of up to three output channels, from an image of one channel: vectors run along the row.
 *
 * @param a First input of the first pixel; kernel rows are `rowBytes` apart, kernel columns `columnBytes`.
 * @param packed Three columns as packed by `packTriples`.
 */
export function multiplyColumns(
  a: usize,
  rowBytes: usize,
  columnBytes: usize,
  tapsDown: i32,
  tapsAcross: i32,
  packed: usize,
  target: usize,
  pixelBytes: usize,
  channels: i32,
): void {
  let c00 = v128.load32_splat(packed), c10 = v128.load32_splat(packed, 4), c20 = v128.load32_splat(packed, 8);
  let c01 = c00, c02 = c00, c03 = c00, c11 = c10, c12 = c10, c13 = c10, c21 = c20, c22 = c20, c23 = c20;
  let b = packed + 12;
  const lineBytes = <usize>tapsAcross * 12;
  for (let v = 0; v < tapsDown; v++) {
    let p = a;
    for (const end = b + lineBytes; b < end; b += 12) {
      const s = v128.load32_splat(b), t = v128.load32_splat(b, 4), u = v128.load32_splat(b, 8);
      let x = v128.load(p);
      c00 = madd(x, s, c00);
      c10 = madd(x, t, c10);
      c20 = madd(x, u, c20);
      x = v128.load(p, 16);
      c01 = madd(x, s, c01);
      c11 = madd(x, t, c11);
      c21 = madd(x, u, c21);
      x = v128.load(p, 32);
      c02 = madd(x, s, c02);
      c12 = madd(x, t, c12);
      c22 = madd(x, u, c22);
      x = v128.load(p, 48);
      c03 = madd(x, s, c03);
      c13 = madd(x, t, c13);
      c23 = madd(x, u, c23);
      p += columnBytes;
    }
    a += rowBytes;
  }
  const step = pixelBytes << 2;
  storeTriples(target, pixelBytes, c00, c10, c20, channels);
  storeTriples(target + step, pixelBytes, c01, c11, c21, channels);
  storeTriples(target + 2 * step, pixelBytes, c02, c12, c22, channels);
  storeTriples(target + 3 * step, pixelBytes, c03, c13, c23, channels);
}
