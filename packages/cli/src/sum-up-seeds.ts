import type { RunResultEvent } from '@dafl/run';
import { formatPercent } from './format.ts';
import type { Terminal } from './terminal.ts';

/** Mean and spread of one measure over the seeds, 0..1. */
interface Spread {
  readonly mean: number;
  /** Of the sample: divided by the number of seeds less one; 0 for one seed. */
  readonly standardDeviation: number;
  readonly minimum: number;
  readonly maximum: number;
}

/** What several seeds came to. `accuracy` and the spread are absent without labelled data. */
export interface SeedsResult extends Partial<Spread> {
  readonly event: 'result';
  /** The mean. */
  readonly accuracy?: number;
  readonly agreement?: Spread;
  readonly seconds: number;
  readonly steps: number;
  readonly backend: string;
  /** The first one. */
  readonly seed: number;
  readonly peakMemoryBytes: number;
  readonly seeds: readonly {
    readonly seed: number;
    readonly accuracy?: number;
    readonly agreement?: number;
    readonly seconds: number;
    readonly studentSha256: string;
    readonly folder: string;
  }[];
}

/** Undefined where one of the runs has no such value. */
function spreadOf(measured: readonly (number | undefined)[]): Spread | undefined {
  const values = measured.filter((value) => value !== undefined);
  if (values.length < measured.length) return undefined;
  const mean = values.reduce((total, value) => total + value, 0) / values.length;
  const squares = values.reduce((total, value) => total + (value - mean) ** 2, 0);
  return {
    mean,
    standardDeviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0,
    minimum: Math.min(...values),
    maximum: Math.max(...values),
  };
}

/** Sums up runs that differ in their seed only. */
export function sumUpSeeds(results: readonly RunResultEvent[]): SeedsResult {
  const [first] = results;
  const spread = spreadOf(results.map(({ accuracy }) => accuracy));
  return {
    event: 'result',
    accuracy: spread?.mean,
    ...spread,
    agreement: spreadOf(results.map(({ agreement }) => agreement)),
    seconds: results.reduce((total, { seconds }) => total + seconds, 0),
    steps: first.steps,
    backend: first.backend,
    seed: first.seed,
    peakMemoryBytes: Math.max(...results.map(({ peakMemoryBytes }) => peakMemoryBytes)),
    seeds: results.map(({ seed, accuracy, agreement, seconds, studentSha256, folder }) => ({
      seed,
      accuracy,
      agreement,
      seconds,
      studentSha256,
      folder,
    })),
  };
}

/** The same for a person. */
export function renderSeeds(result: SeedsResult, terminal: Terminal): string {
  const isAccuracy = result.mean !== undefined;
  const spread = isAccuracy ? (result as Spread) : result.agreement;
  const lines = result.seeds.map(
    ({ seed, accuracy, agreement }) => `  seed ${seed}: ${formatShare(accuracy ?? agreement)}`,
  );
  const what = isAccuracy ? 'Accuracy' : 'Agreement with the teacher (no accuracy)';
  return [
    terminal.style('bold', `${what} over ${result.seeds.length} seeds`),
    ...lines,
    ...(spread === undefined ? [] : [`  ${describeSpread(spread)}`]),
    '',
  ].join('\n');
}

function formatShare(share: number | undefined): string {
  return share === undefined ? 'not measured' : formatPercent(share);
}

function describeSpread({ mean, standardDeviation, minimum, maximum }: Spread): string {
  return `mean ${formatPercent(mean)}, sd ${formatPercent(standardDeviation)}, min ${formatPercent(minimum)}, max ${formatPercent(maximum)}`;
}
