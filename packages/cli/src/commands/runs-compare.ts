import { join } from 'node:path';
import type { RunDifference } from '@dafl/run';
import { z } from 'zod';
import type { Command } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';
import { flagOf } from '../flag-of.ts';
import { formatCount, formatPercent, formatSeconds, formatTable } from '../format.ts';
import { UsageError } from '../usage-error.ts';

const folder = (which: string) => z.string().min(1).describe(`Folder of the ${which} run`).meta({ flag: false });

export const runsCompareCommand: Command = defineCommand({
  name: 'runs compare',
  description: 'Show in which options and results two runs differ.',
  arguments: z.strictObject({ first: folder('first'), second: folder('second') }),
  operands: ['first', 'second'],
  examples: ['dafl runs compare runs/lenet5-mnist-half student', 'dafl runs compare a b --json'],
  async run({ first, second }, { terminal, isJson }) {
    const { compareRuns, formatBytes, readRunRecord, runFolder } = await import('@dafl/run');
    const folders = [first, second];
    const records = await Promise.all(
      folders.map(async (path) => {
        const record = await readRunRecord(runFolder(path).record);
        if (record !== undefined) return record;
        const { readSeedsRecord } = await import('../seeds-record.ts');
        const seeds = await readSeedsRecord(path);
        if (seeds !== undefined) {
          throw new UsageError(
            `Cannot compare '${path}' as it must hold one run: it holds those of several seeds. Name one, such as ${join(path, `seed-${seeds.options.seed}`)}`,
          );
        }
        throw new UsageError(
          `Cannot compare '${path}' as it must hold a run: run.json is missing. 'dafl runs' lists those that are here`,
        );
      }),
    );
    const { options, results } = compareRuns(records);
    if (isJson) {
      terminal.out(`${JSON.stringify({ event: 'result', folders, options, results })}\n`);
      return exitCodes.done;
    }
    const show = ({ name, values }: RunDifference): string[] => [
      names[name] ?? name,
      ...values.map((value) => (value === null ? '-' : (formats(formatBytes)[name] ?? showValue)(value))),
    ];
    const shown = options.map((difference) => ({ ...difference, name: flagOf(difference.name) })).map(show);
    const rows = [
      ['', ...folders],
      ...(shown.length === 0 ? [['options', 'the same', 'the same']] : shown),
      ...results.filter(({ values }) => values.some((value) => value !== null)).map(show),
    ];
    terminal.out(formatTable(rows));
    return exitCodes.done;
  },
});

const names: Readonly<Record<string, string>> = {
  teacherAccuracy: "teacher's accuracy",
  step: 'steps done',
  seconds: 'time',
  peakMemoryBytes: 'peak memory',
  multiplyAccumulates: 'multiply-adds',
  studentSha256: "student's SHA-256",
  version: 'dafl',
  startedAt: 'started',
};

function formats(formatBytes: (bytes: number) => string): Readonly<Record<string, (value: unknown) => string>> {
  const percent = (value: unknown): string => formatPercent(Number(value));
  const count = (value: unknown): string => formatCount(Number(value));
  return {
    accuracy: percent,
    teacherAccuracy: percent,
    agreement: percent,
    seconds: (value) => formatSeconds(Number(value)),
    peakMemoryBytes: (value) => formatBytes(Number(value)),
    parameters: count,
    multiplyAccumulates: count,
    studentSha256: (value) => `${String(value).slice(0, 12)}...`,
  };
}

function showValue(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
