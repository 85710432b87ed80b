import type { Shape } from '@dafl/core';
import { sizeOf } from '@dafl/core/backend-base';
import type { KernelValues } from './kernel-arguments.ts';
import { CHUNK_ELEMENTS, type KernelRunner } from './kernel-runner.ts';
import { runFill, runStridedCopy } from './layout.ts';
import { repeatsToVectors } from './repeats-to-vectors.ts';
import type { WasmTensor } from './wasm-tensor.ts';

/** Channels whose partial sums one chunk combines. */
const CHANNELS_PER_CHUNK = 16;

/** Statistics of each channel. */
interface Statistics {
  readonly mean: WasmTensor;
  readonly variance: WasmTensor;
}

/** What a normalisation is told besides its input; tensors may be missing. */
interface NormWeights {
  readonly scale: WasmTensor | null;
  readonly offset: WasmTensor | null;
  readonly epsilon: number;
}

/** Running statistics: the old ones, the new ones, and by how much they move. */
interface MovedStatistics {
  readonly from: Statistics;
  readonly to: Statistics;
  readonly momentum: number;
}

/** What the gradient is written to. */
interface NormGradient {
  readonly inputGradient: WasmTensor;
  readonly scaleGradient: WasmTensor;
  readonly offsetGradient: WasmTensor;
}

/** The arguments of `combineBatchStatistics` that say what to do with the statistics besides storing them. */
type TableValues = Pick<KernelValues<'combineBatchStatistics'>, 'scale' | 'offset' | 'epsilon' | 'table'>;
type MovingValues = Pick<
  KernelValues<'combineBatchStatistics'>,
  | 'runningMean'
  | 'runningVariance'
  | 'newRunningMean'
  | 'newRunningVariance'
  | 'runningShare'
  | 'meanShare'
  | 'varianceShare'
>;

const NO_TABLE: TableValues = { scale: 0, offset: 0, epsilon: 0, table: 0 };
const NOT_MOVING: MovingValues = {
  runningMean: 0,
  runningVariance: 0,
  newRunningMean: 0,
  newRunningVariance: 0,
  runningShare: 0,
  meanShare: 0,
  varianceShare: 0,
};

/** `batchNorm` of the contract. */
export function runBatchNorm(
  runner: KernelRunner,
  x: WasmTensor,
  { scale, offset, epsilon }: NormWeights,
  output: WasmTensor,
  { mean, variance }: Statistics,
  moved: MovedStatistics | null,
): void {
  const plan = batchNormPlan(x.shape);
  if (x.size === 0) {
    const all = [mean, variance, ...(moved === null ? [] : [moved.to.mean, moved.to.variance])];
    for (const { address, size } of all) runFill(runner, address, size, NaN);
    return;
  }
  let moving = NOT_MOVING;
  if (moved !== null) {
    const { from, to, momentum } = moved;
    const count = x.size / plan.channels;
    moving = {
      runningMean: from.mean.address,
      runningVariance: from.variance.address,
      newRunningMean: to.mean.address,
      newRunningVariance: to.variance.address,
      runningShare: 1 - momentum,
      meanShare: momentum,
      varianceShare: (momentum * count) / Math.max(1, count - 1),
    };
  }
  runner.withTemporary(plan.period * 3 * 4, (table) => {
    const weights = { scale: addressOf(scale), offset: addressOf(offset), epsilon, table };
    takeStatistics(runner, x, plan, mean, variance, { ...weights, ...moving });
    normalize(runner, x, plan, table, output);
  });
}

/** `channelStatistics` of the contract. */
export function runChannelStatistics(runner: KernelRunner, x: WasmTensor, { mean, variance }: Statistics): void {
  if (x.size > 0) {
    takeStatistics(runner, x, batchNormPlan(x.shape), mean, variance, { ...NO_TABLE, ...NOT_MOVING });
  } else {
    for (const { address, size } of [mean, variance]) runFill(runner, address, size, NaN);
  }
}

/** `frozenBatchNorm` of the contract. */
export function runFrozenBatchNorm(
  runner: KernelRunner,
  x: WasmTensor,
  mean: WasmTensor | null,
  variance: WasmTensor,
  { scale, offset, epsilon }: NormWeights,
  output: WasmTensor,
): void {
  const plan = batchNormPlan(x.shape);
  runner.withTemporary(plan.period * 3 * 4, (table) => {
    runner.run('frozenTable', 1, plan.period, {
      mean: addressOf(mean),
      variance: variance.address,
      scale: addressOf(scale),
      offset: addressOf(offset),
      epsilon,
      table,
      period: plan.period,
      channels: plan.channels,
    });
    normalize(runner, x, plan, table, output);
  });
}

/** `batchNormGradient` of the contract. */
export function runBatchNormGradient(
  runner: KernelRunner,
  g: WasmTensor,
  x: WasmTensor,
  scale: WasmTensor | null,
  { mean, variance }: Statistics,
  epsilon: number,
  { inputGradient, scaleGradient, offsetGradient }: NormGradient,
): void {
  const plan = batchNormPlan(x.shape);
  if (x.size === 0) {
    runFill(runner, scaleGradient.address, plan.channels, 0);
    runFill(runner, offsetGradient.address, plan.channels, 0);
    return;
  }
  const rowBytes = plan.columns * 4;
  const tableBytes = plan.period * 4 * 4;
  runner.withTemporary((plan.chunks * 2 + 1) * rowBytes + tableBytes, (table) => {
    const meanRow = table + tableBytes;
    const partials = meanRow + rowBytes;
    runStridedCopy(runner, mean.address, [0, 1], meanRow, [plan.channels, 1], [plan.fold, plan.channels]);
    runner.run('batchGradientSums', plan.chunks, x.size * 2, {
      outputGradient: g.address,
      input: x.address,
      meanRow,
      partials,
      rows: plan.rows,
      columns: plan.columns,
      rowsPerChunk: plan.rowsPerChunk,
    });
    const combining = Math.ceil(plan.channels / CHANNELS_PER_CHUNK);
    runner.run('combineBatchGradient', combining, plan.chunks * plan.columns * 4, {
      partials,
      chunks: plan.chunks,
      columns: plan.columns,
      fold: plan.fold,
      count: x.size / plan.channels,
      mean: mean.address,
      variance: variance.address,
      scale: addressOf(scale),
      epsilon,
      scaleGradient: scaleGradient.address,
      offsetGradient: offsetGradient.address,
      table,
      period: plan.period,
      channelsPerChunk: CHANNELS_PER_CHUNK,
    });
    runner.run('normalizeGradient', Math.ceil(x.size / plan.chunkSize), x.size * 2, {
      outputGradient: g.address,
      input: x.address,
      inputGradient: inputGradient.address,
      count: x.size,
      chunkSize: plan.chunkSize,
      period: plan.period,
      table,
    });
  });
}

/** Mean and variance of each channel, and what `use` says to do with them. */
function takeStatistics(
  runner: KernelRunner,
  x: WasmTensor,
  plan: BatchNormPlan,
  mean: WasmTensor,
  variance: WasmTensor,
  use: TableValues & MovingValues,
): void {
  runner.withTemporary(plan.chunks * plan.columns * 2 * 4, (partials) => {
    const { rows, columns, rowsPerChunk, chunks, fold, period } = plan;
    runner.run('batchStatistics', chunks, x.size, { input: x.address, partials, rows, columns, rowsPerChunk });
    runner.run('combineBatchStatistics', Math.ceil(plan.channels / CHANNELS_PER_CHUNK), chunks * columns * 8, {
      ...use,
      partials,
      mean: mean.address,
      variance: variance.address,
      chunks,
      columns,
      fold,
      rows,
      rowsPerChunk,
      period,
      channelsPerChunk: CHANNELS_PER_CHUNK,
    });
  });
}

function normalize(runner: KernelRunner, x: WasmTensor, plan: BatchNormPlan, table: number, output: WasmTensor): void {
  runner.run('normalize', Math.ceil(x.size / plan.chunkSize), x.size, {
    input: x.address,
    output: output.address,
    count: x.size,
    chunkSize: plan.chunkSize,
    period: plan.period,
    table,
  });
}

function addressOf(tensor: WasmTensor | null): number {
  return tensor === null ? 0 : tensor.address;
}

/** How the batch normalisation of a shape is cut into chunks; see `assembly/batch-norm.ts`. */
interface BatchNormPlan {
  readonly channels: number;
  readonly fold: number;
  readonly columns: number;
  readonly rows: number;
  readonly rowsPerChunk: number;
  readonly chunks: number;
  period: number;
  chunkSize: number;
}

function batchNormPlan(shape: Shape): BatchNormPlan {
  const channels = shape.at(-1)!;
  const positions = sizeOf(shape.slice(0, -1));
  const repeats = repeatsToVectors(channels);
  const fold = positions % repeats === 0 ? repeats : 1;
  const columns = channels * fold;
  const rows = positions / fold;
  const rowsPerChunk = Math.max(16, Math.floor((2 * CHUNK_ELEMENTS) / Math.max(1, columns)));
  const period = channels * repeats;
  return {
    channels,
    fold,
    columns,
    rows,
    rowsPerChunk,
    chunks: Math.ceil(rows / rowsPerChunk),
    period,
    chunkSize: period * Math.max(1, Math.floor(CHUNK_ELEMENTS / Math.max(1, period))),
  };
}
