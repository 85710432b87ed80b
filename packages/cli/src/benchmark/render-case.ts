import { formatBytes } from '@dafl/run';
import { formatCount, formatTable } from '../format.ts';
import type { Terminal } from '../terminal.ts';
import type { Comparison } from './compare-contestants.ts';
import { largestIdleShare } from './measure-busy-share.ts';
import type { CaseResult } from './measure-case.ts';

/** Of the losses of the second step: Adam's first update turns rounding errors into whole steps where gradients are small. */
const LARGEST_DIFFERENCE = 0.05;

const titles = { official: 'Step of the official code', fast: 'Step of the fast preset' } as const;

/** A case for a person: a table, the ratios in words, and who is missing. */
export function renderCase(result: CaseResult, terminal: Terminal): string {
  const {
    case: benchmark,
    generatorWidths,
    count,
    contestants,
    comparisons,
    lossDifferences,
    busyShares,
    unavailable,
  } = result;
  const { name, batchSize, imageSize } = benchmark;
  const title = `${titles[name]}: batch ${formatCount(batchSize)}, images ${imageSize}x${imageSize}, generator ${generatorWidths.join('-')}, ${formatGigaflops(count.operations / 1e9)} GFLOP`;
  const rows = contestants.map((contestant) => {
    const { median, lowerQuartile, upperQuartile, minimum, maximum } = contestant.millisecondsPerStep;
    return [
      contestant.name,
      formatMilliseconds(median),
      `${formatMilliseconds(lowerQuartile)} - ${formatMilliseconds(upperQuartile)}`,
      `${formatMilliseconds(minimum)} - ${formatMilliseconds(maximum)}`,
      formatGigaflops(contestant.gigaflopsPerSecond),
      contestant.matMulPeak === null ? '-' : formatGigaflops(contestant.matMulPeak.gigaflopsPerSecond),
      contestant.shareOfPeak === null ? '-' : `${Math.round(contestant.shareOfPeak * 100)} %`,
      formatBytes(contestant.peakMemoryBytes),
    ];
  });
  const header = ['', 'ms/step', 'quartiles', 'min - max', 'GFLOP/s', 'matmul', 'share', 'memory'];
  const words = comparisons.map((comparison) => `  ${describeComparison(comparison)}\n`);
  const missing = unavailable.map(({ name: who, reason }) => `  ${who} is missing: ${reason}\n`);
  const descriptions = contestants.map(({ name: who, description }) => `  ${who}: ${description}\n`);
  const same = lossDifferences.length === 0 ? '' : `  ${describeDifferences(lossDifferences)}\n`;
  return [
    `${terminal.style('bold', title)}\n\n`,
    contestants.length === 0 ? '' : formatTable([header, ...rows], { right: [1, 2, 3, 4, 5, 6, 7], indent: '  ' }),
    '\n',
    ...words,
    same,
    describeBusyRounds(busyShares),
    '\n',
    ...descriptions,
    ...missing,
  ].join('');
}

/** Says it where the machine had other things to do; threads that wait for each other suffer most from that. */
function describeBusyRounds(shares: readonly number[]): string {
  const busy = shares.filter((share) => share > largestIdleShare).length;
  if (busy === 0) return '';
  const most = Math.round(Math.max(...shares) * 100);
  return `  Do not trust this: the machine was busy with other things in ${busy} of ${shares.length} rounds (up to ${most} %)\n`;
}

/** How far the losses of the contestants lie apart. */
function describeDifferences(differences: readonly number[]): string {
  const [first, second] = differences.map((difference) => difference.toExponential(0));
  const isSame = differences.every((difference) => difference <= LARGEST_DIFFERENCE);
  const judgement = isSame ? 'All compute the same' : 'They do not all compute the same';
  return `${judgement}: from the same weights and numbers, losses of the first step differ by at most ${first}, of the second by ${second} (relative)`;
}

/** `wasm-2-threads is 1.35 times as fast as pytorch (quartiles 1.31 to 1.38, 10 rounds)`. */
export function describeComparison(comparison: Comparison): string {
  const { contestant, baseline, median, lowerQuartile, upperQuartile, samples } = comparison;
  const spread = `quartiles ${lowerQuartile.toFixed(2)} to ${upperQuartile.toFixed(2)}`;
  const rounds = samples.length === 1 ? '1 round' : `${samples.length} rounds`;
  return `${contestant} is ${median.toFixed(2)} times as fast as ${baseline} (${spread}, ${rounds})`;
}

/** `0.42`, `9.8`, `153`, `2,410`. */
export function formatMilliseconds(milliseconds: number): string {
  if (milliseconds >= 100) return formatCount(Math.round(milliseconds));
  return milliseconds.toFixed(milliseconds >= 10 ? 1 : 2);
}

function formatGigaflops(gigaflops: number): string {
  return gigaflops >= 100 ? formatCount(Math.round(gigaflops)) : gigaflops.toFixed(gigaflops >= 10 ? 1 : 2);
}
