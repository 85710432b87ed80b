import { SPECIAL_VALUES } from './_special-values.ts';
import type { PooledBuffer } from './buffer-pool.ts';
import type { CommandQueue } from './command-queue.ts';
import { elementKernel, ELEMENTS_PER_WORKGROUP } from './kernel.ts';
import type { WithTemporary } from './reduction.ts';

/** Invocations that keep a large GPU busy. */
const WANTED_INVOCATIONS = 65_536;
const FEWEST_ROWS = 16;
const MOST_SPLITS = 2048;
/** Invocations that combine the parts of one channel. */
const WORKGROUP_SIZE = 64;

/** Into how many parts the positions are split: part s has positions s, s + splits, ... */
function splitsOf(positions: number, channels: number): number {
  return Math.max(
    1,
    Math.min(Math.ceil(positions / FEWEST_ROWS), Math.ceil(WANTED_INVOCATIONS / channels), MOST_SPLITS),
  );
}

/** Folds `totals` into its first element, for a workgroup. Every invocation must call it. */
const FOLD_TOTALS = `
var<workgroup> totals: array<vec2f, ${WORKGROUP_SIZE}>;
fn foldTotals(lane: u32, own: vec2f) -> vec2f {
  totals[lane] = own;
  for (var distance = ${WORKGROUP_SIZE / 2}u; distance > 0u; distance /= 2u) {
    workgroupBarrier();
    if (lane < distance) { totals[lane] += totals[lane + distance]; }
  }
  workgroupBarrier();
  let result = totals[0];
  workgroupBarrier();
  return result;
}`;

/** The arrays of batchNorm. */
export interface BatchNormBuffers {
  readonly input: PooledBuffer;
  readonly scale: PooledBuffer | null;
  readonly offset: PooledBuffer | null;
  /** Null where the statistics alone are wanted. */
  readonly output: PooledBuffer | null;
  readonly mean: PooledBuffer;
  readonly variance: PooledBuffer;
}

/**
 * batchNorm of the contract for `[positions, channels]`, neither 0.
 *
 * Each part's mean and sum of squared deviations are taken around the part's first value, and joined around their common
 * mean (Chan, Golub, LeVeque, Algorithms for computing the sample variance, 1983, eq. 2.1): a mean far from 0 costs no
 * digits of the variance.
 */
export function runBatchNorm(
  queue: CommandQueue,
  buffers: BatchNormBuffers,
  positions: number,
  channels: number,
  epsilon: number,
  withTemporary: WithTemporary,
): void {
  const splits = splitsOf(positions, channels);
  const { input, scale, offset, output, mean, variance } = buffers;
  withTemporary(splits * channels * 2, (partials) => {
    withTemporary(channels, (factors) => {
      queue.run({
        key: 'batchNorm statistics',
        build: () =>
          elementKernel({
            uniforms: { positions: 'u32', channels: 'u32', splits: 'u32' },
            reads: { input: 'f32' },
            writes: { partials: 'vec2f' },
            perElement: `
      let first = input[i];
      var sum = 0.0;
      var squares = 0.0;
      var rows = 0.0;
      for (var row = i / u.channels; row < u.positions; row += u.splits) {
        let x = input[row * u.channels + i % u.channels] - first;
        sum += x;
        squares += x * x;
        rows += 1.0;
      }
      partials[i] = vec2f(first + sum / rows, squares - sum * (sum / rows));`,
          }),
        reads: [input],
        writes: [partials],
        uniforms: { count: splits * channels, positions, channels, splits },
        workgroups: Math.ceil((splits * channels) / ELEMENTS_PER_WORKGROUP),
      });
      queue.run({
        key: `batchNorm combine ${scale === null ? '' : 'scale'}`,
        build: () => ({
          uniforms: { positions: 'u32', channels: 'u32', splits: 'u32', epsilon: 'f32' },
          reads: { partials: 'vec2f', ...(scale === null ? {} : { scale: 'f32' as const }) },
          writes: { mean: 'f32', variance: 'f32', factors: 'f32' },
          workgroupSize: WORKGROUP_SIZE,
          declarations: `${SPECIAL_VALUES}${FOLD_TOTALS}
fn rowsOf(split: u32) -> f32 { return f32((u.positions - split - 1u) / u.splits + 1u); }`,
          body: `
  if (group >= u.channels) { return; }
  let first = partials[group].x;
  var own = vec2f();
  for (var split = lane; split < u.splits; split += ${WORKGROUP_SIZE}u) {
    own.x += rowsOf(split) * (partials[split * u.channels + group].x - first);
  }
  let channelMean = first + foldTotals(lane, own).x / f32(u.positions);
  own = vec2f();
  for (var split = lane; split < u.splits; split += ${WORKGROUP_SIZE}u) {
    let part = partials[split * u.channels + group];
    let distance = part.x - channelMean;
    own.x += part.y + rowsOf(split) * distance * distance;
  }
  let channelVariance = maximumOf(foldTotals(lane, own).x / f32(u.positions), 0.0);
  if (lane == 0u) {
    mean[group] = channelMean;
    variance[group] = channelVariance;
    factors[group] = ${scale === null ? '1.0' : 'scale[group]'} / squareRoot(channelVariance + u.epsilon);
  }`,
        }),
        reads: [partials, ...(scale === null ? [] : [scale])],
        writes: [mean, variance, factors],
        uniforms: { positions, channels, splits, epsilon },
        workgroups: channels,
      });
      if (output === null) return;
      queue.run({
        key: `batchNorm normalise ${offset === null ? '' : 'offset'}`,
        build: () =>
          elementKernel({
            uniforms: { channels: 'u32' },
            reads: {
              input: 'f32',
              mean: 'f32',
              factors: 'f32',
              ...(offset === null ? {} : { offset: 'f32' as const }),
            },
            writes: { output: 'f32' },
            perElement: `
      let channel = i % u.channels;
      output[i] = (input[i] - mean[channel]) * factors[channel]${offset === null ? '' : ' + offset[channel]'};`,
          }),
        reads: [input, mean, factors, ...(offset === null ? [] : [offset])],
        writes: [output],
        uniforms: { count: positions * channels, channels },
        workgroups: Math.ceil((positions * channels) / ELEMENTS_PER_WORKGROUP),
      });
    });
  });
}

/** The arrays of running statistics, old and new. */
export interface RunningBuffers {
  readonly mean: PooledBuffer;
  readonly variance: PooledBuffer;
  readonly runningMean: PooledBuffer;
  readonly runningVariance: PooledBuffer;
  readonly newMean: PooledBuffer;
  readonly newVariance: PooledBuffer;
}

/** Moves running statistics towards those of a batch of so many positions. */
export function runMoveStatistics(
  queue: CommandQueue,
  buffers: RunningBuffers,
  positions: number,
  channels: number,
  momentum: number,
): void {
  queue.run({
    key: 'batchNorm running',
    build: () =>
      elementKernel({
        uniforms: { kept: 'f32', meanShare: 'f32', varianceShare: 'f32' },
        reads: { mean: 'f32', variance: 'f32', runningMean: 'f32', runningVariance: 'f32' },
        writes: { newMean: 'f32', newVariance: 'f32' },
        perElement: `
      newMean[i] = u.kept * runningMean[i] + u.meanShare * mean[i];
      newVariance[i] = u.kept * runningVariance[i] + u.varianceShare * variance[i];`,
      }),
    reads: [buffers.mean, buffers.variance, buffers.runningMean, buffers.runningVariance],
    writes: [buffers.newMean, buffers.newVariance],
    uniforms: {
      count: channels,
      kept: 1 - momentum,
      meanShare: momentum,
      varianceShare: (momentum * positions) / Math.max(1, positions - 1),
    },
    workgroups: Math.ceil(channels / ELEMENTS_PER_WORKGROUP),
  });
}

/** The arrays of frozenBatchNorm. */
export interface FrozenBatchNormBuffers {
  readonly input: PooledBuffer;
  readonly mean: PooledBuffer | null;
  readonly variance: PooledBuffer;
  readonly scale: PooledBuffer | null;
  readonly offset: PooledBuffer | null;
  readonly output: PooledBuffer;
}

/** frozenBatchNorm of the contract for `[positions, channels]`. */
export function runFrozenBatchNorm(
  queue: CommandQueue,
  { input, variance, output, ...optional }: FrozenBatchNormBuffers,
  count: number,
  channels: number,
  epsilon: number,
): void {
  const given = Object.entries(optional).filter((entry): entry is [string, PooledBuffer] => entry[1] !== null);
  const names = new Set(given.map(([name]) => name));
  queue.run({
    key: `frozenBatchNorm ${[...names].join(' ')}`,
    build: () =>
      elementKernel({
        uniforms: { channels: 'u32', epsilon: 'f32' },
        reads: {
          input: 'f32',
          variance: 'f32',
          ...Object.fromEntries([...names].map((name) => [name, 'f32' as const])),
        },
        writes: { output: 'f32' },
        declarations: SPECIAL_VALUES,
        perElement: `
      let channel = i % u.channels;
      let factor = ${names.has('scale') ? 'scale[channel]' : '1.0'} / squareRoot(variance[channel] + u.epsilon);
      output[i] = (input[i]${names.has('mean') ? ' - mean[channel]' : ''}) * factor${names.has('offset') ? ' + offset[channel]' : ''};`,
      }),
    reads: [input, variance, ...given.map(([, buffer]) => buffer)],
    writes: [output],
    uniforms: { count, channels, epsilon },
    workgroups: Math.ceil(count / ELEMENTS_PER_WORKGROUP),
  });
}

/** The arrays of batchNormGradient. */
export interface BatchNormGradientBuffers {
  readonly outputGradient: PooledBuffer;
  readonly input: PooledBuffer;
  readonly scale: PooledBuffer | null;
  readonly mean: PooledBuffer;
  readonly variance: PooledBuffer;
  readonly inputGradient: PooledBuffer;
  readonly scaleGradient: PooledBuffer;
  readonly offsetGradient: PooledBuffer;
}

/**
 * batchNormGradient of the contract for `[positions, channels]`, neither 0.
 *
 * With x̂ the normalised input, g the output's gradient and E the mean over positions,
 * the input's gradient is scale / sqrt(variance + epsilon) (g - E g - x̂ E[g x̂]).
 */
export function runBatchNormGradient(
  queue: CommandQueue,
  buffers: BatchNormGradientBuffers,
  positions: number,
  channels: number,
  epsilon: number,
  withTemporary: WithTemporary,
): void {
  const splits = splitsOf(positions, channels);
  const { outputGradient, input, scale, mean, variance, inputGradient, scaleGradient, offsetGradient } = buffers;
  withTemporary(splits * channels * 2, (partials) => {
    withTemporary(channels * 2, (factors) => {
      queue.run({
        key: 'batchNormGradient sums',
        build: () =>
          elementKernel({
            uniforms: { positions: 'u32', channels: 'u32', splits: 'u32' },
            reads: { outputGradient: 'f32', input: 'f32', mean: 'f32' },
            writes: { partials: 'vec2f' },
            perElement: `
      let channel = i % u.channels;
      let centre = mean[channel];
      var total = vec2f();
      for (var row = i / u.channels; row < u.positions; row += u.splits) {
        let g = outputGradient[row * u.channels + channel];
        total += vec2f(g, g * (input[row * u.channels + channel] - centre));
      }
      partials[i] = total;`,
          }),
        reads: [outputGradient, input, mean],
        writes: [partials],
        uniforms: { count: splits * channels, positions, channels, splits },
        workgroups: Math.ceil((splits * channels) / ELEMENTS_PER_WORKGROUP),
      });
      queue.run({
        key: `batchNormGradient combine ${scale === null ? '' : 'scale'}`,
        build: () => ({
          uniforms: { positions: 'u32', channels: 'u32', splits: 'u32', epsilon: 'f32' },
          reads: { partials: 'vec2f', variance: 'f32', ...(scale === null ? {} : { scale: 'f32' as const }) },
          writes: { scaleGradient: 'f32', offsetGradient: 'f32', factors: 'vec2f' },
          workgroupSize: WORKGROUP_SIZE,
          declarations: SPECIAL_VALUES + FOLD_TOTALS,
          body: `
  if (group >= u.channels) { return; }
  var own = vec2f();
  for (var split = lane; split < u.splits; split += ${WORKGROUP_SIZE}u) { own += partials[split * u.channels + group]; }
  let total = foldTotals(lane, own);
  if (lane == 0u) {
    let inverse = 1.0 / squareRoot(variance[group] + u.epsilon);
    offsetGradient[group] = total.x;
    scaleGradient[group] = total.y * inverse;
    factors[group] = vec2f(${scale === null ? '' : 'scale[group] * '}inverse, inverse * inverse * total.y / f32(u.positions));
  }`,
        }),
        reads: [partials, variance, ...(scale === null ? [] : [scale])],
        writes: [scaleGradient, offsetGradient, factors],
        uniforms: { positions, channels, splits, epsilon },
        workgroups: channels,
      });
      queue.run({
        key: 'batchNormGradient input',
        build: () =>
          elementKernel({
            uniforms: { channels: 'u32', positions: 'u32' },
            reads: { outputGradient: 'f32', input: 'f32', mean: 'f32', offsetGradient: 'f32', factors: 'vec2f' },
            writes: { inputGradient: 'f32' },
            perElement: `
      let channel = i % u.channels;
      let factor = factors[channel];
      let g = outputGradient[i] - offsetGradient[channel] / f32(u.positions);
      inputGradient[i] = factor.x * (g - (input[i] - mean[channel]) * factor.y);`,
          }),
        reads: [outputGradient, input, mean, offsetGradient, factors],
        writes: [inputGradient],
        uniforms: { count: positions * channels, channels, positions },
        workgroups: Math.ceil((positions * channels) / ELEMENTS_PER_WORKGROUP),
      });
    });
  });
}
