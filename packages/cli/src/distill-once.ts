import { existsSync } from 'node:fs';
import { DaflError, type StartEvent, type Verdict } from '@dafl/core';
import {
  type DistillationOptions,
  runDistillation,
  type RunResultEvent,
  runFolder,
  type RunSettings,
  toJsonEvent,
} from '@dafl/run';
import { writeCommand } from '@dafl/run/options';
import type { CommandContext } from './command.ts';
import { formatPercent, formatSeconds, formatSteps } from './format.ts';
import { createProgress } from './progress.ts';
import { renderPictures } from './render-pictures.ts';
import { renderOutcome, renderSummary } from './render-summary.ts';
import { tellForecast } from './tell-forecast.ts';
import { tellDownload } from './tell-download.ts';
import { tellWaiting } from './tell-waiting.ts';

interface ResumableSettings extends RunSettings {
  /** What a run that was interrupted is told to go on with; default: the run's folder. */
  readonly resumeFolder?: string;
}

/**
 * Runs one distillation and shows it.
 *
 * @returns Undefined if it was interrupted.
 */
export async function distillOnce(
  options: DistillationOptions,
  settings: ResumableSettings & {
    /** Told when the run's folder is taken. */
    readonly onPrepared?: () => Promise<void>;
    /** How many such runs are asked for; default: 1. */
    readonly runs?: number;
  },
  context: CommandContext,
): Promise<RunResultEvent | undefined> {
  const { terminal, isJson, isQuiet } = context;
  const progress = createProgress(terminal);
  const form = context.showsImages ? await terminal.pictureForm() : undefined;
  let evaluation: { step: number; accuracy: number } | undefined;
  let verdict: Verdict | undefined;
  let result: RunResultEvent | undefined;
  try {
    for await (const event of runDistillation(options, {
      onDownload: tellDownload(terminal),
      ...tellWaiting(terminal, options.teacher, (line) => progress.note(line)),
      forecasts: true,
      onFitting: (timeBudgetMs) => progress.note(`Measuring how many steps fit ${formatSeconds(timeBudgetMs / 1000)}`),
      ...settings,
    })) {
      if (isJson) terminal.out(`${JSON.stringify(toJsonEvent(event))}\n`);
      switch (event.event) {
        case 'prepared':
          await settings.onPrepared?.();
          progress.note(`Backend: ${event.backend}, ${event.backendReason}`);
          progress.note(`Method: ${event.method}${event.methodReason === null ? '' : `, as ${event.methodReason}`}`);
          if (event.timeBudgetMs !== null) progress.note(`Planned for ${formatSteps(event.steps)}; the time decides`);
          for (const line of tellForecast(event, options, settings.runs)) progress.note(line);
          break;
        case 'start':
          progress.note(
            `${event.teacher.name} -> ${event.student.name}, seed ${event.seed}, ${formatSteps(event.steps)}` +
              describeStart(event) +
              (event.resumedAt > 0 ? `, going on after step ${event.resumedAt}` : ''),
          );
          break;
        case 'evaluation':
          if (event.network === 'student') evaluation = event;
          else progress.note(`Teacher on ${options.eval}: ${formatPercent(event.accuracy)} of ${event.count}`);
          break;
        case 'step':
          progress.update({ ...event, evaluation, verdict });
          break;
        case 'warning':
          progress.note(`${terminal.style('yellow', 'warning:', 'err')} ${event.message}`);
          break;
        case 'interrupted':
          progress.finish();
          terminal.alert(
            `Interrupted after step ${event.step} of ${event.steps}. Go on with\n  ${writeCommand(['dafl', 'distill'], [['--resume', settings.resumeFolder ?? event.folder]])}\n`,
          );
          break;
        case 'result':
          result = event;
          break;
        case 'samples':
          if (form !== undefined) progress.picture(await renderPictures(event, { form, columns: terminal.columns }));
          break;
        case 'verdict':
          verdict = event.verdict;
          break;
        case 'pace':
        case 'student':
        case 'checkpoint':
          break;
      }
    }
  } catch (error) {
    throw adviseResuming(error, settings);
  } finally {
    progress.finish();
  }
  if (result !== undefined && !isJson) {
    terminal.out(isQuiet ? renderOutcome(result, options) : await renderSummary(result, options, terminal));
  }
  return result;
}

/** What the disk did not take, a run goes on after. */
function adviseResuming(error: unknown, { folder, resumeFolder = folder }: ResumableSettings): unknown {
  const isOfDisk =
    error instanceof DaflError && error.code === 'STORAGE' && error.message.includes(' as the disk must ');
  if (!isOfDisk || !existsSync(runFolder(folder).record)) return error;
  const how = writeCommand([], [['--resume', resumeFolder]]);
  return new DaflError('STORAGE', `${error.message}, then go on with ${how}`, { cause: error });
}

/** Where the student's first weights come from, in words; nothing for random ones. */
function describeStart({ initialization, isFitted }: StartEvent): string {
  return {
    random: '',
    teacher: `, starting from the teacher's strongest channels${isFitted ? ', fitted to its layers' : ''}`,
    given: ", starting from the teacher's own convolutions, factorized",
  }[initialization];
}
