import type { ExperimentEvent, ExperimentRecord } from '@dafl/experiments';
import { z } from 'zod';
import type { Command } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';
import { formatPercent, formatSeconds, formatTable } from '../format.ts';
import { computingArguments } from '../shared-arguments.ts';
import { UsageError } from '../usage-error.ts';

const path = (description: string, placeholder: 'file' | 'folder', group: string) =>
  z.string().min(1).optional().describe(description).meta({ placeholder, group });
const data = (what: string) => path(`Folder of ${what}; rows that need it are skipped without`, 'folder', 'Data:');

export const experimentCommand: Command = defineCommand({
  name: 'experiment',
  description: 'Run a table of the paper, or the default on teachers of many kinds (gauntlet).',
  arguments: z.strictObject({
    table: z.string().min(1).describe('table1, table2, table3, gauntlet or methods').meta({ flag: false }),
    usps: data('USPS (IDX files)'),
    fashion: data('Fashion-MNIST (IDX files)'),
    cifar10: data('CIFAR-10 (binary version)'),
    cifar100: data('CIFAR-100 (binary version)'),
    teacher: path('Teacher of the rows of CPU scale in table3', 'file', 'Data:'),
    only: z
      .array(z.string())
      .optional()
      .describe('Run only these rows, by id, separated by commas')
      .meta({ placeholder: 'rows', group: 'Runs:' }),
    seeds: z
      .array(
        z
          .int()
          .min(0)
          .max(2 ** 32 - 1),
      )
      .optional()
      .describe("Seeds, separated by commas. Default: the rows' own")
      .meta({ group: 'Runs:', rule: `a list of integers in 0..${2 ** 32 - 1}` }),
    backend: computingArguments.backend.meta({ group: 'Runs:' }),
    dryRun: z.boolean().optional().describe('Show what would be run').meta({ group: 'Runs:' }),
    out: z
      .string()
      .min(1)
      .default('runs/experiments')
      .describe('Where runs and records are kept; what is there is not run again')
      .meta({ placeholder: 'folder', group: 'Folder:' }),
    records: path('Where the records are kept. Default: with the runs', 'folder', 'Folder:'),
  }),
  operands: ['table'],
  examples: [
    'dafl experiment table1 --usps data/usps --dry-run',
    'dafl experiment table2 --seeds 1 --backend wasm',
    'dafl experiment table1 --only lenet5-dafl-fast,lenet5-original-data --json',
  ],
  async run(values, { terminal, isJson, signal }) {
    const { experiments, runExperiment, summarizeExperiment, tableCells, tableHeads, writeExperimentReport } =
      await import('@dafl/experiments');
    const { table, teacher, usps, fashion, cifar10, cifar100, out, dryRun: isDryRun = false, ...settings } = values;
    const experiment = experiments.get(table);
    if (experiment === undefined) {
      throw new UsageError(
        `Cannot run 'dafl experiment' as 'table' must be one of [${[...experiments.keys()].join(', ')}]: current value is '${table}'`,
      );
    }
    const records: ExperimentRecord[] = [];
    let failures = 0;
    for await (const event of runExperiment(experiment, {
      ...settings,
      isDryRun,
      folder: out,
      data: { usps, fashion, cifar10, cifar100 },
      fixtures: teacher === undefined ? {} : { 'cifar10-airbench': teacher },
      signal,
    })) {
      if (event.event === 'finished') records.push(event.record);
      if (event.event === 'failed') failures++;
      if (event.event === 'step') {
        if (terminal.isInteractive && !isJson) {
          terminal.err(
            `\r${event.row.id} seed ${event.seed}: step ${event.step}/${event.steps}, ${formatSeconds(event.secondsLeft)} left \u001b[K`,
          );
        }
      } else if (isJson) {
        terminal.out(`${JSON.stringify(toJson(event))}\n`);
      } else {
        terminal.err(`${terminal.isInteractive ? '\r\u001b[K' : ''}${tell(event)}\n`);
      }
    }
    const lines = summarizeExperiment(experiment, records);
    if (!isDryRun && records.length > 0) {
      try {
        terminal.err(`Report: ${await writeExperimentReport(out, experiment, records)}\n`);
      } catch (error) {
        terminal.err(
          `${terminal.style('yellow', 'warning:', 'err')} Cannot write the report: ${(error as Error).message}\n`,
        );
      }
    }
    if (isJson) {
      terminal.out(`${JSON.stringify({ event: 'result', experiment: experiment.name, failures, lines })}\n`);
    } else if (!isDryRun) {
      terminal.out(`${terminal.style('bold', experiment.title)} (published: ${experiment.source})\n\n`);
      terminal.out(formatTable([[...tableHeads], ...lines.map(tableCells)], { right: [1, 2, 3, 4, 5], indent: '  ' }));
    }
    return failures === 0 ? exitCodes.done : exitCodes.failed;
  },
});

function tell(event: Exclude<ExperimentEvent, { event: 'step' }>): string {
  const head = `${event.row.id} seed ${event.seed}`;
  switch (event.event) {
    case 'planned':
      return `${head}: ${event.task.kind}`;
    case 'started':
      return `${head}: runs`;
    case 'finished': {
      const { accuracy, seconds } = event.record;
      const figure = accuracy === null ? 'done' : formatPercent(accuracy);
      return `${head}: ${figure}, ${formatSeconds(seconds)}${event.isStored ? ' (stored)' : ''}`;
    }
    case 'skipped':
    case 'failed':
      return `${head}: ${event.event}, ${event.reason}`;
  }
}

function toJson(event: Exclude<ExperimentEvent, { event: 'step' }>): object {
  const { row, ...rest } = event;
  return { ...rest, row: row.id };
}
