/**
 * Batch normalisation over all axes but the last.
 *
 * Forward: each chunk of rows, small enough for the cache, finds its own mean and its sum of squared deviations; the
 * chunks are combined by the pairwise formula of Chan, Golub and LeVeque (1979), in float64 and in order; a second
 * launch normalises. Where the number of channels is no multiple of 4, `fold` rows are read as one longer row and the
 * columns that belong to one channel are combined at the end.
 */
import { address, float, integer, madd, smaller } from './simd';

/** Arguments: input, partials [chunk][mean, squares][columns], rows, columns, rowsPerChunk. */
export function batchStatistics(args: usize, chunk: i32): void {
  const columns = integer(args, 3);
  const rowsPerChunk = integer(args, 4);
  const first = chunk * rowsPerChunk;
  const rows = smaller(rowsPerChunk, integer(args, 2) - first);
  const input = address(args, 0) + (<usize>(first * columns) << 2);
  const means = address(args, 1) + (<usize>(chunk * 2 * columns) << 2);
  const stride = <usize>columns << 2;
  const share: f32 = 1 / <f32>rows;
  const scale = f32x4.splat(share);
  let column = 0;
  for (; column + 16 <= columns; column += 16) {
    const start = input + (<usize>column << 2);
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
    let p = start;
    for (let row = 0; row < rows; row++, p += stride) {
      s0 = f32x4.add(s0, v128.load(p));
      s1 = f32x4.add(s1, v128.load(p, 16));
      s2 = f32x4.add(s2, v128.load(p, 32));
      s3 = f32x4.add(s3, v128.load(p, 48));
    }
    s0 = f32x4.mul(s0, scale);
    s1 = f32x4.mul(s1, scale);
    s2 = f32x4.mul(s2, scale);
    s3 = f32x4.mul(s3, scale);
    let q0 = f32x4.splat(0), q1 = q0, q2 = q0, q3 = q0;
    p = start;
    for (let row = 0; row < rows; row++, p += stride) {
      const d0 = f32x4.sub(v128.load(p), s0);
      const d1 = f32x4.sub(v128.load(p, 16), s1);
      const d2 = f32x4.sub(v128.load(p, 32), s2);
      const d3 = f32x4.sub(v128.load(p, 48), s3);
      q0 = madd(d0, d0, q0);
      q1 = madd(d1, d1, q1);
      q2 = madd(d2, d2, q2);
      q3 = madd(d3, d3, q3);
    }
    const o = means + (<usize>column << 2);
    v128.store(o, s0);
    v128.store(o, s1, 16);
    v128.store(o, s2, 32);
    v128.store(o, s3, 48);
    v128.store(o + stride, q0);
    v128.store(o + stride, q1, 16);
    v128.store(o + stride, q2, 32);
    v128.store(o + stride, q3, 48);
  }
  for (; column + 4 <= columns; column += 4) {
    let s = f32x4.splat(0), q = s;
    let p = input + (<usize>column << 2);
    for (let row = 0; row < rows; row++, p += stride) s = f32x4.add(s, v128.load(p));
    s = f32x4.mul(s, scale);
    p = input + (<usize>column << 2);
    for (let row = 0; row < rows; row++, p += stride) {
      const d = f32x4.sub(v128.load(p), s);
      q = madd(d, d, q);
    }
    const o = means + (<usize>column << 2);
    v128.store(o, s);
    v128.store(o + stride, q);
  }
  for (; column < columns; column++) {
    let s: f32 = 0, q: f32 = 0;
    let p = input + (<usize>column << 2);
    for (let row = 0; row < rows; row++, p += stride) s += load<f32>(p);
    s *= share;
    p = input + (<usize>column << 2);
    for (let row = 0; row < rows; row++, p += stride) {
      const d = load<f32>(p) - s;
      q += d * d;
    }
    const o = means + (<usize>column << 2);
    store<f32>(o, s);
    store<f32>(o + stride, q);
  }
}

/**
 * Combines the partials and prepares the table of `normalize`: rows [mean, factor, offset] of `period` floats.
 *
 * Arguments: partials, mean, variance, chunks, columns, fold, rows, rowsPerChunk, scale or 0, offset or 0, epsilon,
 * table or 0, period, channelsPerChunk, running mean or 0, running variance, new running mean, new running variance, then
 * what is kept of the running statistics and what is taken of the batch's mean and variance.
 */
export function combineBatchStatistics(args: usize, chunk: i32): void {
  const partials = address(args, 0);
  const chunks = integer(args, 3);
  const columns = integer(args, 4);
  const fold = integer(args, 5);
  const rows = integer(args, 6);
  const rowsPerChunk = integer(args, 7);
  const scale = address(args, 8);
  const offset = address(args, 9);
  const epsilon = <f64>float(args, 10);
  const table = address(args, 11);
  const period = integer(args, 12);
  const channelsPerChunk = integer(args, 13);
  const channels = columns / fold;
  const last = smaller((chunk + 1) * channelsPerChunk, channels);
  for (let channel = chunk * channelsPerChunk; channel < last; channel++) {
    let count: f64 = 0, mean: f64 = 0, squares: f64 = 0;
    for (let c = 0; c < chunks; c++) {
      const size = <f64>smaller(rowsPerChunk, rows - c * rowsPerChunk);
      for (let f = 0; f < fold; f++) {
        const p = partials + (<usize>(c * 2 * columns + f * channels + channel) << 2);
        const delta = <f64>load<f32>(p) - mean;
        const total = count + size;
        squares += <f64>load<f32>(p + (<usize>columns << 2)) + delta * delta * ((count * size) / total);
        mean += delta * (size / total);
        count = total;
      }
    }
    const variance = squares / count;
    const at = <usize>channel << 2;
    store<f32>(address(args, 1) + at, <f32>mean);
    store<f32>(address(args, 2) + at, <f32>variance);
    const running = address(args, 14);
    if (running) {
      const kept = float(args, 18);
      store<f32>(address(args, 16) + at, load<f32>(running + at) * kept + <f32>mean * float(args, 19));
      const moved = load<f32>(address(args, 15) + at) * kept + <f32>variance * float(args, 20);
      store<f32>(address(args, 17) + at, moved);
    }
    if (!table) continue;
    const factor = (scale ? <f64>load<f32>(scale + at) : 1) / Math.sqrt(<f64><f32>variance + epsilon);
    const shift: f32 = offset ? load<f32>(offset + at) : 0;
    for (let i = channel; i < period; i += channels) {
      const o = table + (<usize>i << 2);
      store<f32>(o, <f32>mean);
      store<f32>(o + (<usize>period << 2), <f32>factor);
      store<f32>(o + (<usize>period << 3), shift);
    }
  }
}

/**
 * The table of `normalize` for given statistics.
 *
 * Arguments: mean or 0, variance, scale or 0, offset or 0, epsilon, table, period, channels. One chunk.
 */
export function frozenTable(args: usize): void {
  const mean = address(args, 0);
  const variance = address(args, 1);
  const scale = address(args, 2);
  const offset = address(args, 3);
  const epsilon = <f64>float(args, 4);
  const table = address(args, 5);
  const period = integer(args, 6);
  const channels = integer(args, 7);
  const row = <usize>period << 2;
  for (let channel = 0; channel < channels; channel++) {
    const at = <usize>channel << 2;
    const factor = (scale ? <f64>load<f32>(scale + at) : 1) / Math.sqrt(<f64>load<f32>(variance + at) + epsilon);
    for (let i = channel; i < period; i += channels) {
      const o = table + (<usize>i << 2);
      store<f32>(o, mean ? load<f32>(mean + at) : 0);
      store<f32>(o + row, <f32>factor);
      store<f32>(o + 2 * row, offset ? load<f32>(offset + at) : 0);
    }
  }
}

/** Arguments: input, output, count, chunkSize (a multiple of period), period (a multiple of 4), table. */
export function normalize(args: usize, chunk: i32): void {
  const chunkSize = integer(args, 3);
  const at = <usize>(chunk * chunkSize) << 2;
  let input = address(args, 0) + at;
  let output = address(args, 1) + at;
  let bytes = ((<usize>smaller(chunkSize, integer(args, 2) - chunk * chunkSize) << 2) + 15) & ~15;
  const period = <usize>integer(args, 4) << 2;
  const table = address(args, 5);
  while (bytes) {
    const run = min(period, bytes);
    for (let i: usize = 0; i < run; i += 16) {
      const mean = v128.load(table + i);
      const factor = v128.load(table + period + i);
      const offset = v128.load(table + 2 * period + i);
      v128.store(output + i, madd(f32x4.sub(v128.load(input + i), mean), factor, offset));
    }
    input += run;
    output += run;
    bytes -= run;
  }
}

/**
 * Sums of the gradient and of gradient x (input - mean) for each column.
 *
 * Arguments: gradient, input, mean row, partials [chunk][gradient, product][columns], rows, columns, rowsPerChunk.
 */
export function batchGradientSums(args: usize, chunk: i32): void {
  const columns = integer(args, 5);
  const rowsPerChunk = integer(args, 6);
  const first = chunk * rowsPerChunk;
  const rows = smaller(rowsPerChunk, integer(args, 4) - first);
  const stride = <usize>columns << 2;
  const gradient = address(args, 0) + <usize>first * stride;
  const input = address(args, 1) + <usize>first * stride;
  const means = address(args, 2);
  const output = address(args, 3) + <usize>(chunk * 2) * stride;
  let column = 0;
  for (; column + 16 <= columns; column += 16) {
    const at = <usize>column << 2;
    const m0 = v128.load(means + at), m1 = v128.load(means + at, 16);
    const m2 = v128.load(means + at, 32), m3 = v128.load(means + at, 48);
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, q0 = s0, q1 = s0, q2 = s0, q3 = s0;
    let p = gradient + at;
    let x = input + at;
    for (let row = 0; row < rows; row++) {
      const g0 = v128.load(p), g1 = v128.load(p, 16), g2 = v128.load(p, 32), g3 = v128.load(p, 48);
      s0 = f32x4.add(s0, g0);
      s1 = f32x4.add(s1, g1);
      s2 = f32x4.add(s2, g2);
      s3 = f32x4.add(s3, g3);
      q0 = madd(g0, f32x4.sub(v128.load(x), m0), q0);
      q1 = madd(g1, f32x4.sub(v128.load(x, 16), m1), q1);
      q2 = madd(g2, f32x4.sub(v128.load(x, 32), m2), q2);
      q3 = madd(g3, f32x4.sub(v128.load(x, 48), m3), q3);
      p += stride;
      x += stride;
    }
    const o = output + at;
    v128.store(o, s0);
    v128.store(o, s1, 16);
    v128.store(o, s2, 32);
    v128.store(o, s3, 48);
    v128.store(o + stride, q0);
    v128.store(o + stride, q1, 16);
    v128.store(o + stride, q2, 32);
    v128.store(o + stride, q3, 48);
  }
  for (; column + 4 <= columns; column += 4) {
    const at = <usize>column << 2;
    const m = v128.load(means + at);
    let s = f32x4.splat(0), q = s;
    let p = gradient + at;
    let x = input + at;
    for (let row = 0; row < rows; row++) {
      const g = v128.load(p);
      s = f32x4.add(s, g);
      q = madd(g, f32x4.sub(v128.load(x), m), q);
      p += stride;
      x += stride;
    }
    v128.store(output + at, s);
    v128.store(output + stride + at, q);
  }
  for (; column < columns; column++) {
    const at = <usize>column << 2;
    const m = load<f32>(means + at);
    let s: f32 = 0, q: f32 = 0;
    let p = gradient + at;
    let x = input + at;
    for (let row = 0; row < rows; row++) {
      const g = load<f32>(p);
      s += g;
      q += g * (load<f32>(x) - m);
      p += stride;
      x += stride;
    }
    store<f32>(output + at, s);
    store<f32>(output + stride + at, q);
  }
}

/**
 * Combines the sums and prepares the table of `normalizeGradient`: rows [factor, mean, slope, offset] with
 * inputGradient = gradient x factor + (input - mean) x slope + offset.
 *
 * Arguments: partials, chunks, columns, fold, count (positions of one channel), mean, variance, scale or 0, epsilon,
 * scaleGradient, offsetGradient, table, period, channelsPerChunk.
 */
export function combineBatchGradient(args: usize, chunk: i32): void {
  const partials = address(args, 0);
  const chunks = integer(args, 1);
  const columns = integer(args, 2);
  const fold = integer(args, 3);
  const count = <f64>integer(args, 4);
  const scale = address(args, 7);
  const table = address(args, 11);
  const period = integer(args, 12);
  const channelsPerChunk = integer(args, 13);
  const channels = columns / fold;
  const last = smaller((chunk + 1) * channelsPerChunk, channels);
  for (let channel = chunk * channelsPerChunk; channel < last; channel++) {
    const at = <usize>channel << 2;
    let sum: f64 = 0, product: f64 = 0;
    for (let c = 0; c < chunks; c++) {
      for (let f = 0; f < fold; f++) {
        const p = partials + (<usize>(c * 2 * columns + f * channels + channel) << 2);
        sum += <f64>load<f32>(p);
        product += <f64>load<f32>(p + (<usize>columns << 2));
      }
    }
    const mean = load<f32>(address(args, 5) + at);
    const inverse = 1 / Math.sqrt(<f64>load<f32>(address(args, 6) + at) + <f64>float(args, 8));
    store<f32>(address(args, 9) + at, <f32>(product * inverse));
    store<f32>(address(args, 10) + at, <f32>sum);
    const factor = (scale ? <f64>load<f32>(scale + at) : 1) * inverse;
    const slope = (-factor * inverse * inverse * product) / count;
    const offset = (-factor * sum) / count;
    for (let i = channel; i < period; i += channels) {
      const o = table + (<usize>i << 2);
      const row = <usize>period << 2;
      store<f32>(o, <f32>factor);
      store<f32>(o + row, mean);
      store<f32>(o + 2 * row, <f32>slope);
      store<f32>(o + 3 * row, <f32>offset);
    }
  }
}

/** Arguments: gradient, input, output, count, chunkSize (a multiple of period), period (a multiple of 4), table. */
export function normalizeGradient(args: usize, chunk: i32): void {
  const chunkSize = integer(args, 4);
  const at = <usize>(chunk * chunkSize) << 2;
  let gradient = address(args, 0) + at;
  let input = address(args, 1) + at;
  let output = address(args, 2) + at;
  let bytes = ((<usize>smaller(chunkSize, integer(args, 3) - chunk * chunkSize) << 2) + 15) & ~15;
  const period = <usize>integer(args, 5) << 2;
  const factors = address(args, 6);
  const means = factors + period;
  const slopes = means + period;
  const offsets = slopes + period;
  while (bytes) {
    const run = min(period, bytes);
    for (let i: usize = 0; i < run; i += 16) {
      const deviation = f32x4.sub(v128.load(input + i), v128.load(means + i));
      const rest = madd(deviation, v128.load(slopes + i), v128.load(offsets + i));
      v128.store(output + i, madd(v128.load(gradient + i), v128.load(factors + i), rest));
    }
    gradient += run;
    input += run;
    output += run;
    bytes -= run;
  }
}
