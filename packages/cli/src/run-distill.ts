import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { StartEvent } from '@dafl/core';
import {
  type Configuration,
  type DistillationOptions,
  parseDistillationOptions,
  readConfiguration,
  readRunRecord,
  runDistillation,
  runFolder,
  type RunResultEvent,
  type RunSettings,
  toJsonEvent,
} from '@dafl/run';
import { type CommandContext, type FlagValues, textOf } from './command.ts';
import { exitCodes } from './exit-code.ts';
import { formatPercent, formatSeconds } from './format.ts';
import { createProgress } from './progress.ts';
import { renderSeeds, sumUpSeeds } from './sum-up-seeds.ts';
import { renderSummary } from './render-summary.ts';
import { readSeedsRecord, type SeedsRecord, writeSeedsRecord } from './seeds-record.ts';
import { UsageError } from './usage-error.ts';
import { tellDownload } from './tell-download.ts';

/** Runs `dafl distill`. @returns The exit code. */
export async function runDistill(values: FlagValues, context: CommandContext): Promise<number> {
  const { out: _out, resume: _resume, config: _config, force, seeds, ...given } = values;
  const [out, folderToResume, config] = ['out', 'resume', 'config'].map((key) => textOf(values, key));
  const settings: Omit<RunSettings, 'folder'> = { force: force === true, signal: context.signal };
  if (folderToResume !== undefined) {
    rejectTogether({ out, config, force, seeds }, '--resume');
    const folder = folderToResume;
    const record = await readRunRecord(runFolder(folder).record);
    if (record === undefined) {
      const runs = await readSeedsRecord(folder);
      if (runs === undefined)
        throw new UsageError(`Cannot resume '${folder}' as it must hold a run: run.json is missing`);
      return await resumeSeeds(runs, given, { ...settings, folder }, context);
    }
    const options = parseDistillationOptions({ ...record.options, ...given });
    return finish(await distillOnce(options, { ...settings, folder, resume: true }, context));
  }
  const configuration: Configuration = config === undefined ? { options: {} } : await readConfiguration(config);
  const merged = { ...configuration.options, ...given };
  if (given.timeBudgetMs !== undefined && given.steps === undefined) delete merged.steps;
  // Belongs to the length that the file says.
  if (given.timeBudgetMs !== undefined || given.steps !== undefined) delete merged.pace;
  const options = parseDistillationOptions(merged);
  const { teacherSha256 } = given.teacher === undefined ? configuration : { teacherSha256: undefined };
  const folder = out === undefined ? vacantFolder(options) : out;
  if (seeds === undefined) {
    return finish(await distillOnce(options, { ...settings, folder, teacherSha256 }, context));
  }
  if (typeof seeds !== 'number' || !Number.isInteger(seeds) || seeds < 1) {
    throw new UsageError(
      `Cannot distill as 'seeds' must be an integer >= 1: current value is ${JSON.stringify(seeds)}`,
    );
  }
  if (settings.force !== true && (await readSeedsRecord(folder)) !== undefined) {
    throw new UsageError(
      `Cannot write to '${folder}' as it must not hold other runs: current content is 'seeds.json'. Choose another folder, go on with --resume ${folder}, or replace them with --force`,
    );
  }
  const runs: SeedsRecord = {
    format: 'dafl-seeds',
    version: 1,
    seeds,
    options,
    teacherSha256: teacherSha256 ?? null,
  };
  return await distillSeeds(runs, { ...settings, folder, teacherSha256 }, context);
}

/** Where the student's first weights come from, in words; nothing for random ones. */
function describeStart(initialization: StartEvent['initialization']): string {
  return {
    random: '',
    teacher: ", starting from the teacher's strongest channels",
    given: ", starting from the teacher's own convolutions, factorized",
  }[initialization];
}

function finish(result: RunResultEvent | undefined): number {
  return result === undefined ? exitCodes.interrupted : exitCodes.done;
}

/**
 * Runs one distillation and shows it.
 *
 * @returns Undefined if it was interrupted.
 */
export async function distillOnce(
  options: DistillationOptions,
  settings: RunSettings & {
    /** What an interrupted run is told to go on with; default: the run's folder. */
    readonly resumeFolder?: string;
    /** Told when the run's folder is taken. */
    readonly onPrepared?: () => Promise<void>;
  },
  { terminal, isJson }: CommandContext,
): Promise<RunResultEvent | undefined> {
  const progress = createProgress(terminal);
  let evaluation: { step: number; accuracy: number } | undefined;
  let result: RunResultEvent | undefined;
  if (options.timeBudgetMs !== undefined && settings.resume !== true) {
    progress.note(`Measuring how many steps fit ${formatSeconds(options.timeBudgetMs / 1000)}`);
  }
  try {
    for await (const event of runDistillation(options, { onDownload: tellDownload(terminal), ...settings })) {
      if (isJson) terminal.out(`${JSON.stringify(toJsonEvent(event))}\n`);
      switch (event.event) {
        case 'prepared':
          await settings.onPrepared?.();
          progress.note(`Backend: ${event.backend}, ${event.backendReason}`);
          progress.note(`Method: ${event.method}${event.methodReason === null ? '' : `, as ${event.methodReason}`}`);
          if (event.timeBudgetMs !== null) progress.note(`Planned for ${event.steps} steps; the time decides`);
          break;
        case 'start':
          progress.note(
            `${event.teacher.name} -> ${event.student.name}, seed ${event.seed}, ${event.steps} steps` +
              describeStart(event.initialization) +
              (event.resumedAt > 0 ? `, going on after step ${event.resumedAt}` : ''),
          );
          break;
        case 'evaluation':
          if (event.network === 'student') evaluation = event;
          else progress.note(`Teacher on ${options.eval}: ${formatPercent(event.accuracy)} of ${event.count}`);
          break;
        case 'step':
          progress.update({ ...event, evaluation });
          break;
        case 'warning':
          progress.note(`${terminal.style('yellow', 'warning:', 'err')} ${event.message}`);
          break;
        case 'interrupted':
          progress.finish();
          terminal.err(
            `Interrupted after step ${event.step} of ${event.steps}. Go on with\n  dafl distill --resume ${settings.resumeFolder ?? event.folder}\n`,
          );
          break;
        case 'result':
          result = event;
          break;
        case 'pace':
        case 'samples':
        case 'student':
        case 'checkpoint':
          break;
      }
    }
  } finally {
    progress.finish();
  }
  if (result !== undefined && !isJson) terminal.out(await renderSummary(result, options, terminal));
  return result;
}

/** Goes on with runs of several seeds: those that ended, the one that was interrupted, and those that never began. */
async function resumeSeeds(
  record: SeedsRecord,
  given: FlagValues,
  settings: RunSettings,
  context: CommandContext,
): Promise<number> {
  const options = parseDistillationOptions({ ...record.options, ...given });
  const teacherSha256 = record.teacherSha256 ?? undefined;
  return await distillSeeds({ ...record, options }, { ...settings, teacherSha256, resume: true }, context);
}

/** Runs one seed after the other and sums up. */
async function distillSeeds(record: SeedsRecord, settings: RunSettings, context: CommandContext): Promise<number> {
  const { terminal, isJson } = context;
  const { options } = record;
  const results: RunResultEvent[] = [];
  for (let index = 0; index < record.seeds; index++) {
    const seed = options.seed + index;
    const folder = join(settings.folder, `seed-${seed}`);
    const previous = settings.resume === true ? await readRunRecord(runFolder(folder).record) : undefined;
    const ofRun =
      previous === undefined ? { ...options, seed } : { ...previous.options, threads: options.threads, seed };
    const result = await distillOnce(
      ofRun,
      {
        ...settings,
        folder,
        resume: previous !== undefined,
        resumeFolder: settings.folder,
        onPrepared: async () => await writeSeedsRecord(settings.folder, record),
      },
      context,
    );
    if (result === undefined) return exitCodes.interrupted;
    results.push(result);
  }
  const summary = sumUpSeeds(results);
  terminal.out(isJson ? `${JSON.stringify(summary)}\n` : renderSeeds(summary, terminal));
  return exitCodes.done;
}

function rejectTogether(others: Readonly<Record<string, unknown>>, flag: string): void {
  const other = Object.keys(others).find((name) => others[name] !== undefined);
  if (other !== undefined) {
    throw new UsageError(
      `Cannot run 'dafl distill' as ${flag} and --${other} must not be given both: current value is both`,
    );
  }
}

/** A folder in `runs/` that does not exist yet, named after what is distilled. */
function vacantFolder({ teacher, student }: DistillationOptions): string {
  const name = [teacher, String(student)].map((part) => basename(part).replace(/\.\w+$/, '')).join('-');
  for (let number = 1; ; number++) {
    const folder = join('runs', number === 1 ? name : `${name}-${number}`);
    if (!existsSync(folder)) return folder;
  }
}
