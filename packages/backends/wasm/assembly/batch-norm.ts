/**
 * Batch normalisation over all axes but the last.
 *
 * Forward: each chunk of rows, small enough for the cache, finds its own mean and its sum of squared deviations; the
 * chunks are combined by the pairwise formula of Chan, Golub and LeVeque (1979), in float64 and in order; a second
 * launch normalises. Where the number of channels is no multiple of 4, `fold` rows are read as one longer row and the
 * columns that belong to one channel are combined at the end.
 */
import {
  BatchGradientSumsArguments,
  BatchStatisticsArguments,
  CombineBatchGradientArguments,
  CombineBatchStatisticsArguments,
  FrozenTableArguments,
  NormalizeArguments,
  NormalizeGradientArguments,
} from './generated/kernel-arguments';
import { madd, smaller } from './simd';

/** Mean and sum of squared deviations of each column of a chunk of rows. */
export function batchStatistics(args: BatchStatisticsArguments, chunk: i32): void {
  const columns = args.columns;
  const rowsPerChunk = args.rowsPerChunk;
  const first = chunk * rowsPerChunk;
  const rows = smaller(rowsPerChunk, args.rows - first);
  const input = args.input + (<usize>(first * columns) << 2);
  const means = args.partials + (<usize>(chunk * 2 * columns) << 2);
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

/** Combines the partials, moves the running statistics, and prepares the table of `normalize`. */
export function combineBatchStatistics(args: CombineBatchStatisticsArguments, chunk: i32): void {
  const partials = args.partials;
  const chunks = args.chunks;
  const columns = args.columns;
  const fold = args.fold;
  const rows = args.rows;
  const rowsPerChunk = args.rowsPerChunk;
  const scale = args.scale;
  const offset = args.offset;
  const epsilon = <f64>args.epsilon;
  const table = args.table;
  const period = args.period;
  const channelsPerChunk = args.channelsPerChunk;
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
    store<f32>(args.mean + at, <f32>mean);
    store<f32>(args.variance + at, <f32>variance);
    const running = args.runningMean;
    if (running) {
      const kept = args.runningShare;
      store<f32>(args.newRunningMean + at, load<f32>(running + at) * kept + <f32>mean * args.meanShare);
      const moved = load<f32>(args.runningVariance + at) * kept + <f32>variance * args.varianceShare;
      store<f32>(args.newRunningVariance + at, moved);
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

/** The table of `normalize` for given statistics. */
export function frozenTable(args: FrozenTableArguments, chunk: i32): void {
  const mean = args.mean;
  const variance = args.variance;
  const scale = args.scale;
  const offset = args.offset;
  const epsilon = <f64>args.epsilon;
  const table = args.table;
  const period = args.period;
  const channels = args.channels;
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

/** (input - mean) x factor + offset. */
export function normalize(args: NormalizeArguments, chunk: i32): void {
  const chunkSize = args.chunkSize;
  const at = <usize>(chunk * chunkSize) << 2;
  let input = args.input + at;
  let output = args.output + at;
  let bytes = ((<usize>smaller(chunkSize, args.count - chunk * chunkSize) << 2) + 15) & ~15;
  const period = <usize>args.period << 2;
  const table = args.table;
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

/** Sums of the gradient and of gradient x (input - mean) for each column. */
export function batchGradientSums(args: BatchGradientSumsArguments, chunk: i32): void {
  const columns = args.columns;
  const rowsPerChunk = args.rowsPerChunk;
  const first = chunk * rowsPerChunk;
  const rows = smaller(rowsPerChunk, args.rows - first);
  const stride = <usize>columns << 2;
  const gradient = args.outputGradient + <usize>first * stride;
  const input = args.input + <usize>first * stride;
  const means = args.meanRow;
  const output = args.partials + <usize>(chunk * 2) * stride;
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

/** Combines the sums and prepares the table of `normalizeGradient`. */
export function combineBatchGradient(args: CombineBatchGradientArguments, chunk: i32): void {
  const partials = args.partials;
  const chunks = args.chunks;
  const columns = args.columns;
  const fold = args.fold;
  const count = <f64>args.count;
  const scale = args.scale;
  const table = args.table;
  const period = args.period;
  const channelsPerChunk = args.channelsPerChunk;
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
    const mean = load<f32>(args.mean + at);
    const inverse = 1 / Math.sqrt(<f64>load<f32>(args.variance + at) + <f64>args.epsilon);
    store<f32>(args.scaleGradient + at, <f32>(product * inverse));
    store<f32>(args.offsetGradient + at, <f32>sum);
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

/** gradient x factor + (input - mean) x slope + offset. */
export function normalizeGradient(args: NormalizeGradientArguments, chunk: i32): void {
  const chunkSize = args.chunkSize;
  const at = <usize>(chunk * chunkSize) << 2;
  let gradient = args.outputGradient + at;
  let input = args.input + at;
  let output = args.inputGradient + at;
  let bytes = ((<usize>smaller(chunkSize, args.count - chunk * chunkSize) << 2) + 15) & ~15;
  const period = <usize>args.period << 2;
  const factors = args.table;
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
