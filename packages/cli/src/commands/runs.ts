import type { ListedRun, RunDifference } from '@dafl/run';
import { z } from 'zod';
import type { Command } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';
import { formatPercent, formatSeconds, formatTable } from '../format.ts';
import { flagOf } from '../flag-of.ts';

export const runsCommand: Command = defineCommand({
  name: 'runs',
  description: 'List the runs in a folder: how they stand, what came out, and the options in which they differ.',
  arguments: z.strictObject({
    folder: z
      .string()
      .min(1)
      .default('.')
      .describe('Folder that is looked through, up to three deep. Default: the current one')
      .meta({ flag: false }),
  }),
  operands: ['folder'],
  examples: ['dafl runs', 'dafl runs runs --json', 'dafl runs compare runs/lenet5-mnist-half student'],
  async run({ folder }, { terminal, isJson }) {
    const { compareRuns, listRuns } = await import('@dafl/run');
    const runs = await listRuns(folder);
    const { options } = compareRuns(runs.flatMap(({ record }) => (record === undefined ? [] : [record])));
    if (isJson) {
      terminal.out(`${JSON.stringify({ event: 'result', folder, runs: runs.map((run) => toJson(run, options)) })}\n`);
      return exitCodes.done;
    }
    if (runs.length === 0) {
      terminal.err(`No runs in '${folder}'. dafl demo makes one, dafl distill <teacher> others\n`);
      return exitCodes.done;
    }
    const rows = runs.map((run) => [
      run.folder,
      run.state,
      ...describeOutcome(run),
      run.record === undefined ? String(run.error) : describeOptions(run.record.options, options),
    ]);
    const head = ['run', 'state', 'accuracy', 'verdict', 'steps', 'time', 'what differs'];
    terminal.out(formatTable([head, ...rows], { right: [2, 4, 5] }));
    return exitCodes.done;
  },
});

/** Options of which a list says enough by another: what a method's recipe decides follows from the method. */
const telling = ['teacher', 'student', 'method', 'preset', 'seed', 'steps', 'data', 'metadata', 'initialization'];

function describeOutcome({ record }: ListedRun): string[] {
  if (record === undefined) return ['', '', '', ''];
  const { accuracy, evaluations, verdict, step, timings } = record;
  const newest = accuracy ?? evaluations.at(-1)?.accuracy;
  return [
    newest === undefined ? '-' : formatPercent(newest),
    verdict?.level ?? '-',
    String(step),
    formatSeconds(timings.seconds),
  ];
}

function describeOptions(given: object, differing: readonly RunDifference[]): string {
  const values = given as Readonly<Record<string, unknown>>;
  const isMethodEqual = !differing.some(({ name }) => name === 'method' || name === 'preset');
  return differing
    .filter(({ name }) => values[name] !== undefined && (isMethodEqual || telling.includes(name)))
    .map(({ name }) => `${flagOf(name)} ${showOption(values[name])}`)
    .join(' ');
}

function showOption(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function toJson({ folder, state, record, error }: ListedRun, differing: readonly RunDifference[]): object {
  if (record === undefined) return { folder, state, error };
  const { options, accuracy, teacherAccuracy, agreement, verdict, step, timings } = record;
  const values = options as unknown as Readonly<Record<string, unknown>>;
  return {
    folder,
    state,
    error,
    accuracy,
    teacherAccuracy,
    agreement,
    verdict: verdict?.level ?? null,
    step,
    seconds: timings.seconds,
    startedAt: timings.startedAt,
    differing: Object.fromEntries(differing.map(({ name }) => [name, values[name] ?? null])),
  };
}
