import type { BenchmarkCase } from '@dafl/run/benchmark';
import { formatBytes } from '@dafl/run';
import { formatTable } from '../format.ts';
import type { Terminal } from '../terminal.ts';
import type { CaseResult } from './measure-case.ts';
import { formatMilliseconds } from './render-case.ts';

/** What grows in a sweep. */
export type SweepName = 'batch' | 'image' | 'width';

/** How a step's cost grows with one size, all else as in the case. */
export interface Sweep {
  readonly name: SweepName;
  readonly case: BenchmarkCase;
  readonly points: readonly { readonly value: number; readonly result: CaseResult }[];
}

interface SweepDefinition {
  /** Name of the size in tables and plots. */
  readonly label: string;
  readonly values: readonly number[];
  at(benchmark: BenchmarkCase, value: number): BenchmarkCase;
}

/** The sweeps by name. */
export const sweepDefinitions: Readonly<Record<SweepName, SweepDefinition>> = {
  batch: {
    label: 'batch',
    values: [64, 128, 256, 512, 1024],
    at: (benchmark, batchSize) => ({ ...benchmark, batchSize }),
  },
  image: {
    label: 'image height and width',
    values: [28, 32, 40, 48, 56, 64],
    at: (benchmark, imageSize) => ({ ...benchmark, imageSize }),
  },
  width: {
    label: 'generator width, times',
    values: [1, 2, 3, 4],
    at: (benchmark, generatorWidth) => ({ ...benchmark, generatorWidth }),
  },
};

/** The contestants of a sweep, in the order in which they first take part. */
export function contestantsOf(sweep: Sweep): string[] {
  return [...new Set(sweep.points.flatMap(({ result }) => result.contestants.map(({ name }) => name)))];
}

/** A sweep for a person: milliseconds of a step and peak memory, a column for each contestant. */
export function renderSweep(sweep: Sweep, terminal: Terminal): string {
  const names = contestantsOf(sweep);
  const { label } = sweepDefinitions[sweep.name];
  const rows = (cell: (contestant: CaseResult['contestants'][number]) => string): string[][] => [
    [label, ...names],
    ...sweep.points.map(({ value, result }) => [
      String(value),
      ...names.map((name) => {
        const contestant = result.contestants.find((entry) => entry.name === name);
        return contestant === undefined ? '-' : cell(contestant);
      }),
    ]),
  ];
  const right = [0, ...names.map((_, index) => index + 1)];
  const table = (title: string, cell: Parameters<typeof rows>[0]): string =>
    `  ${title}\n${formatTable(rows(cell), { right, indent: '  ' })}`;
  const missing = sweep.points.flatMap(({ value, result }) =>
    result.unavailable.map(({ name, reason }) => `  ${name} is missing at ${value}: ${reason}\n`),
  );
  return [
    `${terminal.style('bold', `How the ${sweep.case.name} step grows with the ${sweep.name}`)}\n\n`,
    table('milliseconds', ({ millisecondsPerStep }) => formatMilliseconds(millisecondsPerStep.median)),
    '\n',
    table('peak memory', ({ peakMemoryBytes }) => formatBytes(peakMemoryBytes)),
    missing.length === 0 ? '' : `\n${missing.join('')}`,
  ].join('');
}
