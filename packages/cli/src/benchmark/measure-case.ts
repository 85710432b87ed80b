import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { DaflError, fail } from '@dafl/core';
import {
  type BenchmarkCase,
  checkedSteps,
  countStep,
  type MatMulPeak,
  prepareCase,
  type StepCount,
  type StepLosses,
  writeBenchmarkStart,
} from '@dafl/run/benchmark';
import { type Comparison, compareContestants } from './compare-contestants.ts';
import { type Contestant, ContestantError, startContestant } from './contestant.ts';
import type { ContestantContext, ContestantPlan } from './list-contestants.ts';
import { measureBusyShare } from './measure-busy-share.ts';
import { summarizeSamples, type Summary } from './summarize-samples.ts';

/** What one contestant took. */
export interface ContestantResult {
  readonly name: string;
  readonly description: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Milliseconds of a step, one for each round. */
  readonly samples: readonly number[];
  /** The same of the rounds before, which count for nothing. */
  readonly warmUpSamples: readonly number[];
  readonly millisecondsPerStep: Summary;
  /** Nominal operations of a step / median time. */
  readonly gigaflopsPerSecond: number;
  /** The fastest matrix product of all rounds, on the same backend in the same process; null if none was measured. */
  readonly matMulPeak: MatMulPeak | null;
  /** gigaflopsPerSecond / that of matMulPeak. */
  readonly shareOfPeak: number | null;
  /** The most memory that the process had taken after the first round that counts, before any matrix product. */
  readonly peakMemoryBytes: number;
  /** The same at the end, matrix products included. */
  readonly peakMemoryBytesAtEnd: number;
  /** Of the first steps, which all contestants compute from the same numbers. */
  readonly losses: readonly StepLosses[];
}

/** What one case took. */
export interface CaseResult {
  readonly case: BenchmarkCase;
  /** Of the generator's maps. */
  readonly generatorWidths: readonly number[];
  readonly count: StepCount;
  readonly contestants: readonly ContestantResult[];
  readonly comparisons: readonly Comparison[];
  /**
   * Largest difference between the losses of the contestants, for each of the first steps, relative to the loss (at
   * least 0.01). Rounding grows along a run: the first step tells whether all compute the same.
   */
  readonly lossDifferences: readonly number[];
  /** For each round that counts: share of the processors that something else used while all contestants slept, 0..1. */
  readonly busyShares: readonly number[];
  /** Who could not take part, or not to the end, and why. */
  readonly unavailable: readonly { readonly name: string; readonly reason: string }[];
}

/** How a case is measured. */
export interface MeasureCaseOptions {
  /** Rounds that count, >= 1. */
  readonly rounds: number;
  /** Rounds before them, >= 0. */
  readonly warmUpRounds: number;
  /** Steps that a contestant runs in a round, >= 1. */
  readonly stepsPerRound: number;
  /** Whether each round measures matrix products as well. */
  readonly measuresMatMul: boolean;
  readonly signal: AbortSignal;
  onContestant?(contestant: { readonly name: string; readonly description: string }): void;
  /** `round` counts from 1, warm-up included. */
  onRound?(round: { readonly round: number; readonly rounds: number; readonly isWarmUp: boolean }): void;
}

/** Between two contestants, so that the threads of one have gone to sleep before the next one starts. */
const REST_MS = 50;
/** Before each round, to see whether the machine has something else to do. */
const WATCH_MS = 250;
/** Losses below it are compared absolutely. */
const SMALLEST_LOSS = 0.01;
/** Of the first step, which no rounding of an update has reached yet. */
const LARGEST_LOSS_DIFFERENCE = 1e-3;

interface Running {
  readonly contestant: Contestant;
  readonly losses: StepLosses[];
  readonly samples: number[];
  readonly warmUpSamples: number[];
  matMulPeak: MatMulPeak | null;
  peakMemoryBytes: number;
}

/**
 * Measures the step of one case on all contestants: each in a process of its own, all alive at once, in turns. In each
 * round each of them runs a few steps while the others sleep; who begins changes from round to round.
 *
 * @throws {DaflError} `USAGE` if a contestant that was asked for by name cannot run; `MODEL` if they do not compute the
 * same.
 */
export async function measureCase(
  benchmark: BenchmarkCase,
  plans: readonly ContestantPlan[],
  options: MeasureCaseOptions,
): Promise<CaseResult> {
  const { rounds, warmUpRounds, stepsPerRound, signal } = options;
  const prepared = await prepareCase(benchmark);
  const count = countStep(prepared);
  const unavailable: { name: string; reason: string }[] = [];
  let running: Running[] = [];
  const folder = await mkdtemp(join(tmpdir(), 'dafl-bench-'));

  /** Does something with a contestant; one that fails leaves, unless it was asked for. */
  const attempt = async (name: string, isRequired: boolean, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ContestantError)) throw error;
      if (isRequired) {
        const text = `Cannot run 'dafl bench' as '${name}' must be able to run here: ${error.message}`;
        throw new DaflError('USAGE', text, { cause: error });
      }
      unavailable.push({ name, reason: error.message });
      await running.find(({ contestant }) => contestant.name === name)?.contestant.end();
      running = running.filter(({ contestant }) => contestant.name !== name);
    }
  };

  try {
    const { tensors, ...start } = await writeBenchmarkStart(benchmark);
    const context: ContestantContext = { case: benchmark, tensors: join(folder, 'start.safetensors'), ...start };
    await writeFile(context.tensors, tensors);
    for (const plan of plans) {
      await attempt(plan.name, plan.isRequired, async () => {
        const contestant = await startContestant(plan, context, signal);
        const entry: Running = {
          contestant,
          losses: [],
          samples: [],
          warmUpSamples: [],
          matMulPeak: null,
          peakMemoryBytes: 0,
        };
        running.push(entry);
        assertSameWork(contestant, count);
        for (let step = 0; step < checkedSteps; step++) entry.losses.push((await contestant.step(1)).losses);
        options.onContestant?.(contestant);
      });
    }
    const lossDifferences = compareLosses(running);

    const busyShares: number[] = [];
    for (let round = 0; round < warmUpRounds + rounds; round++) {
      const isWarmUp = round < warmUpRounds;
      const busyShare = await measureBusyShare(WATCH_MS, signal);
      if (!isWarmUp) busyShares.push(busyShare);
      options.onRound?.({ round: round + 1, rounds: warmUpRounds + rounds, isWarmUp });
      for (const entry of rotate(running, round)) {
        const { contestant } = entry;
        // One that failed to the end of the case is not a sample short: it is out.
        await attempt(contestant.name, false, async () => {
          await wait(REST_MS, undefined, { signal });
          const { milliseconds } = await contestant.step(stepsPerRound);
          (isWarmUp ? entry.warmUpSamples : entry.samples).push(milliseconds / stepsPerRound);
          if (isWarmUp) return;
          if (entry.samples.length === 1) entry.peakMemoryBytes = await contestant.peakMemoryBytes();
          if (!options.measuresMatMul) return;
          const peak = await contestant.measureMatMul();
          if (peak.gigaflopsPerSecond > (entry.matMulPeak?.gigaflopsPerSecond ?? 0)) entry.matMulPeak = peak;
        });
      }
    }
    const contestants: ContestantResult[] = [];
    for (const entry of running) {
      const { contestant, samples, warmUpSamples, matMulPeak, peakMemoryBytes, losses } = entry;
      const { name, description, versions } = contestant;
      const millisecondsPerStep = summarizeSamples(samples);
      const gigaflopsPerSecond = count.operations / (millisecondsPerStep.median * 1e6);
      contestants.push({
        name,
        description,
        versions,
        samples,
        warmUpSamples,
        millisecondsPerStep,
        gigaflopsPerSecond,
        matMulPeak,
        shareOfPeak: matMulPeak === null ? null : gigaflopsPerSecond / matMulPeak.gigaflopsPerSecond,
        peakMemoryBytes,
        peakMemoryBytesAtEnd: await contestant.peakMemoryBytes(),
        losses,
      });
    }
    return {
      case: benchmark,
      generatorWidths: prepared.dafl.generator.widths,
      count,
      contestants,
      comparisons: compareContestants(contestants),
      lossDifferences,
      busyShares,
      unavailable,
    };
  } finally {
    await Promise.all(running.map(({ contestant }) => contestant.end()));
    await rm(folder, { recursive: true, force: true });
  }
}

function rotate<Item>(items: readonly Item[], places: number): Item[] {
  const start = places % Math.max(1, items.length);
  return [...items.slice(start), ...items.slice(0, start)];
}

function assertSameWork({ name, multiplyAccumulates }: Contestant, expected: StepCount): void {
  for (const network of ['generator', 'teacher', 'student'] as const) {
    const [counted, wanted] = [multiplyAccumulates[network], expected.multiplyAccumulates[network]];
    if (counted === wanted) continue;
    fail({
      code: 'MODEL',
      cannot: `compare '${name}'`,
      as: `its ${network} must take ${wanted} multiply-accumulates`,
      value: counted,
    });
  }
}

/** @throws {DaflError} `MODEL` if the contestants do not compute the same. */
function compareLosses(running: readonly Running[]): number[] {
  const [first, ...others] = running;
  return Array.from({ length: others.length === 0 ? 0 : checkedSteps }, (_, step) => {
    let largest = 0;
    for (const { contestant, losses } of others) {
      for (const [term, value] of Object.entries(first.losses[step])) {
        const other = losses[step][term];
        const difference = Math.abs(other - value) / Math.max(Math.abs(value), SMALLEST_LOSS);
        // Not a number is a difference as well.
        if (step === 0 && !(difference <= LARGEST_LOSS_DIFFERENCE)) {
          fail({
            code: 'MODEL',
            cannot: `compare '${contestant.name}'`,
            as: `its ${term} loss of the first step must be that of ${first.contestant.name}, ${value}`,
            value: other,
          });
        }
        largest = Math.max(largest, difference);
      }
    }
    return largest;
  });
}
