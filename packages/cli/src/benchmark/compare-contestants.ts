import { summarizeSamples, type Summary } from './summarize-samples.ts';

/** How much faster one contestant is than another. */
export interface Comparison extends Summary {
  readonly contestant: string;
  readonly baseline: string;
  /** Time of the baseline / time of the contestant, of each round. The summary is of these. */
  readonly samples: readonly number[];
}

/** What a comparison is made of. */
export interface Timed {
  readonly name: string;
  /** Milliseconds of a step in each round. */
  readonly samples: readonly number[];
}

/** Whom the others are compared with. */
const BASELINES: readonly string[] = ['pytorch', 'pytorch-channels-last', 'pytorch-kept-memory', 'wasm-1-thread'];

/**
 * Compares each contestant with each baseline there is, round by round, so that what slows the machine down for a while
 * slows both. Without a baseline the first contestant is one.
 */
export function compareContestants(contestants: readonly Timed[]): Comparison[] {
  const named = BASELINES.flatMap((name) => contestants.filter((contestant) => contestant.name === name));
  const baselines = named.length === 0 ? contestants.slice(0, 1) : named;
  return baselines.flatMap((baseline, index) =>
    contestants
      .filter(({ name }) => name !== baseline.name && (index === 0 || isWorthComparing(name, baseline.name)))
      .map(({ name, samples }) => {
        const ratios = samples.map((milliseconds, round) => baseline.samples[round] / milliseconds);
        return { contestant: name, baseline: baseline.name, samples: ratios, ...summarizeSamples(ratios) };
      }),
  );
}

/** Next to PyTorch, one thread of wasm only tells what more of them bring; and nobody is told twice about PyTorch. */
function isWorthComparing(name: string, baseline: string): boolean {
  return baseline.startsWith('wasm-') ? name.startsWith('wasm-') : !name.startsWith('pytorch');
}
