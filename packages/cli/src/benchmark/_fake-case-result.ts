import type { BenchmarkCase } from '@dafl/run/benchmark';
import { compareContestants } from './compare-contestants.ts';
import type { CaseResult, ContestantResult } from './measure-case.ts';
import { summarizeSamples } from './summarize-samples.ts';

/** For tests: a case with the given milliseconds of each contestant, one for each round. */
export function fakeCaseResult(
  change: Partial<BenchmarkCase>,
  milliseconds: Readonly<Record<string, readonly number[]>>,
): CaseResult {
  const operations = 2e9;
  const contestants = Object.entries(milliseconds).map(([name, samples]): ContestantResult => {
    const millisecondsPerStep = summarizeSamples(samples);
    const gigaflopsPerSecond = operations / (millisecondsPerStep.median * 1e6);
    return {
      name,
      description: `${name} in a test`,
      versions: {},
      samples,
      warmUpSamples: [],
      millisecondsPerStep,
      gigaflopsPerSecond,
      matMulPeak: { gigaflopsPerSecond: 100, size: 1024 },
      shareOfPeak: gigaflopsPerSecond / 100,
      peakMemoryBytes: 250e6,
      peakMemoryBytesAtEnd: 260e6,
      losses: [],
    };
  });
  return {
    case: { name: 'fast', batchSize: 256, imageSize: 32, generatorWidth: 1, seed: 0, ...change },
    generatorWidths: [16, 16, 8],
    count: {
      multiplyAccumulates: { generator: 1, teacher: 1, student: 1 },
      multiplyAccumulatesOfStep: 1,
      operations,
    },
    contestants,
    comparisons: compareContestants(contestants),
    lossDifferences: [2e-6, 3e-4],
    busyShares: [0.01, 0.02, 0.01],
    unavailable: [],
  };
}
