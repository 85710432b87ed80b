import type { Shape } from '@dafl/core';
import { sizeOf } from '@dafl/core/backend-base';
import {
  KERNEL_BATCH_GRADIENT_SUMS,
  KERNEL_BATCH_STATISTICS,
  KERNEL_COMBINE_BATCH_GRADIENT,
  KERNEL_COMBINE_BATCH_STATISTICS,
  KERNEL_FROZEN_TABLE,
  KERNEL_NORMALIZE,
  KERNEL_NORMALIZE_GRADIENT,
} from './kernel-ids.ts';
import { asFloat, CHUNK_ELEMENTS, type KernelRunner } from './kernel-runner.ts';
import { runFill, runStridedCopy } from './layout.ts';
import { repeatsToVectors } from './repeats-to-vectors.ts';
import type { WasmTensor } from './wasm-tensor.ts';

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
  let moving: number[] = [];
  if (moved !== null) {
    const { from, to, momentum } = moved;
    const count = x.size / plan.channels;
    moving = [
      from.mean.address,
      from.variance.address,
      to.mean.address,
      to.variance.address,
      asFloat(1 - momentum),
      asFloat(momentum),
      asFloat((momentum * count) / Math.max(1, count - 1)),
    ];
  }
  runner.withTemporary(plan.period * 3 * 4, (table) => {
    const weights = [addressOf(scale), addressOf(offset), asFloat(epsilon), table];
    takeStatistics(runner, x, plan, mean, variance, weights, moving);
    normalize(runner, x, plan, table, output);
  });
}

/** `channelStatistics` of the contract. */
export function runChannelStatistics(runner: KernelRunner, x: WasmTensor, { mean, variance }: Statistics): void {
  if (x.size > 0) takeStatistics(runner, x, batchNormPlan(x.shape), mean, variance, [0, 0, 0, 0], []);
  else for (const { address, size } of [mean, variance]) runFill(runner, address, size, NaN);
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
    runner.run(KERNEL_FROZEN_TABLE, 1, plan.period, [
      addressOf(mean),
      variance.address,
      addressOf(scale),
      addressOf(offset),
      asFloat(epsilon),
      table,
      plan.period,
      plan.channels,
    ]);
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
    runner.run(KERNEL_BATCH_GRADIENT_SUMS, plan.chunks, x.size * 2, [
      g.address,
      x.address,
      meanRow,
      partials,
      plan.rows,
      plan.columns,
      plan.rowsPerChunk,
    ]);
    runner.run(KERNEL_COMBINE_BATCH_GRADIENT, Math.ceil(plan.channels / 16), plan.chunks * plan.columns * 4, [
      partials,
      plan.chunks,
      plan.columns,
      plan.fold,
      x.size / plan.channels,
      mean.address,
      variance.address,
      addressOf(scale),
      asFloat(epsilon),
      scaleGradient.address,
      offsetGradient.address,
      table,
      plan.period,
      16,
    ]);
    runner.run(KERNEL_NORMALIZE_GRADIENT, Math.ceil(x.size / plan.chunkSize), x.size * 2, [
      g.address,
      x.address,
      inputGradient.address,
      x.size,
      plan.chunkSize,
      plan.period,
      table,
    ]);
  });
}

/**
 * Mean and variance of each channel.
 *
 * @param weights Scale, offset, epsilon and the table of `normalize` that is made of them, or 0 for none.
 * @param moving The kernel's arguments for running statistics; empty for none.
 */
function takeStatistics(
  runner: KernelRunner,
  x: WasmTensor,
  plan: BatchNormPlan,
  mean: WasmTensor,
  variance: WasmTensor,
  weights: readonly number[],
  moving: readonly number[],
): void {
  runner.withTemporary(plan.chunks * plan.columns * 2 * 4, (partials) => {
    runner.run(KERNEL_BATCH_STATISTICS, plan.chunks, x.size, [
      x.address,
      partials,
      plan.rows,
      plan.columns,
      plan.rowsPerChunk,
    ]);
    runner.run(KERNEL_COMBINE_BATCH_STATISTICS, Math.ceil(plan.channels / 16), plan.chunks * plan.columns * 8, [
      partials,
      mean.address,
      variance.address,
      plan.chunks,
      plan.columns,
      plan.fold,
      plan.rows,
      plan.rowsPerChunk,
      ...weights,
      plan.period,
      16,
      ...(moving.length === 0 ? [0] : moving),
    ]);
  });
}

function normalize(runner: KernelRunner, x: WasmTensor, plan: BatchNormPlan, table: number, output: WasmTensor): void {
  runner.run(KERNEL_NORMALIZE, Math.ceil(x.size / plan.chunkSize), x.size, [
    x.address,
    output.address,
    x.size,
    plan.chunkSize,
    plan.period,
    table,
  ]);
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
