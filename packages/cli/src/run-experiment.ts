import {
  backendNames,
  type ExperimentEvent,
  type ExperimentRecord,
  experiments,
  runExperiment,
  summarizeExperiment,
  tableCells,
  tableHeads,
} from '@dafl/run';
import { type CommandContext, type FlagValues, textOf } from './command.ts';
import { exitCodes } from './exit-code.ts';
import { formatPercent, formatSeconds, formatTable } from './format.ts';
import { UsageError } from './usage-error.ts';

/** Runs `dafl experiment`. @returns The exit code. */
export async function runExperimentCommand(
  values: FlagValues,
  [name]: readonly string[],
  { terminal, isJson, signal }: CommandContext,
): Promise<number> {
  const experiment = experiments.get(name);
  if (experiment === undefined) {
    throw new UsageError(
      `Cannot run experiment as its name must be one of [${[...experiments.keys()].join(', ')}]: current value is '${name}'`,
    );
  }
  const backend = textOf(values, 'backend') ?? 'auto';
  const backends: readonly string[] = ['auto', ...backendNames];
  if (!backends.includes(backend)) {
    throw new UsageError(
      `Cannot run experiment as 'backend' must be one of [${backends.join(', ')}]: current value is '${backend}'`,
    );
  }
  const [usps, fashion, cifar10, cifar100, teacher] = ['usps', 'fashion', 'cifar10', 'cifar100', 'teacher'].map((key) =>
    textOf(values, key),
  );
  const records: ExperimentRecord[] = [];
  let failures = 0;
  for await (const event of runExperiment(experiment, {
    folder: textOf(values, 'out') ?? 'runs/experiments',
    records: textOf(values, 'records'),
    data: { usps, fashion, cifar10, cifar100 },
    fixtures: teacher === undefined ? {} : { 'cifar10-airbench': teacher },
    backend: backend as 'auto',
    only: textOf(values, 'only')?.split(','),
    seeds: parseSeeds(textOf(values, 'seeds')),
    isDryRun: values.dryRun === true,
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
    } else {
      const shown = isJson
        ? `${JSON.stringify(toJson(event))}\n`
        : `${terminal.isInteractive ? '\r\u001b[K' : ''}${tell(event)}\n`;
      if (isJson) terminal.out(shown);
      else terminal.err(shown);
    }
  }
  const lines = summarizeExperiment(experiment, records);
  if (isJson) {
    terminal.out(`${JSON.stringify({ event: 'result', experiment: experiment.name, failures, lines })}\n`);
  } else if (values.dryRun !== true) {
    terminal.out(`${terminal.style('bold', experiment.title)} (published: ${experiment.source})\n\n`);
    terminal.out(formatTable([[...tableHeads], ...lines.map(tableCells)], { right: [1, 2, 3, 4, 5], indent: '  ' }));
  }
  return failures === 0 ? exitCodes.done : exitCodes.failed;
}

function parseSeeds(text: string | undefined): number[] | undefined {
  if (text === undefined) return undefined;
  const seeds = text.split(',').map(Number);
  if (seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)) return seeds;
  throw new UsageError(
    `Cannot run experiment as 'seeds' must be integers in 0..${2 ** 32 - 1}, separated by commas: current value is '${text}'`,
  );
}

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
