import { isAbsolute, relative, resolve } from 'node:path';
import {
  createRandomStream,
  DaflError,
  distill,
  fail,
  type DistillOptions,
  initializeWeights,
  type SamplesEvent,
  sliceImageSet,
} from '@dafl/core';
import { CheckpointStore, type LoadedCheckpoint } from '../folder/checkpoint-store.ts';
import { hasTestImages } from '../data/class-folders.ts';
import { hyperParameters } from '../options/hyper-parameters.ts';
import type { DistillationOptions, SettledOptions } from '../options/distillation-options.ts';
import { isAddress } from '../options/is-address.ts';
import { fitSteps } from './fit-steps.ts';
import { openRun } from './open-run.ts';
import { forecastRun } from './forecast-run.ts';
import type { FactorizationSettings } from '../models/factorize-convolutions.ts';
import { type LoadedModel, loadModel, loadTeacher, type TeacherAccess } from '../models/load-model.ts';
import { collectExamples } from '../report/collect-examples.ts';
import { projectFeatures } from '../report/project-features.ts';
import type { DownloadSettings } from '../data/mnist-files.ts';
import { judgementInterval, type Recipe, resolveRecipe, settleOptions } from '../recipe/resolve-recipe.ts';
import type { RunEvent, RunResultEvent } from './run-event.ts';
import {
  assertReplaceable,
  assertVacant,
  clearRun,
  removeIfEmpty,
  removeLeftovers,
  type RunFolder,
  runFolder,
} from '../folder/run-folder.ts';
import { acquireRunLock, type RunLock } from '../folder/run-lock.ts';
import { readRunRecord, type RunRecord } from '../folder/run-record.ts';
import { blankSamples, resultFiles, RunSession } from './_run-session.ts';
import { quantizeToOnnx } from '../quantization/quantize-to-onnx.ts';
import { createFolder } from '../folder/write-file-atomically.ts';
import { timeEvaluation } from './time-evaluation.ts';
import { timeImage } from './time-image.ts';
import { TimeKeeper } from './time-keeper.ts';

/** Where a run lies and how it meets what is there. */
export interface RunSettings extends DownloadSettings, TeacherAccess, FactorizationSettings {
  /** Folder of the run; created if need be. */
  readonly folder: string;
  /** Goes on with the unfinished run in the folder. */
  readonly resume?: boolean;
  /** Replaces another run in the folder. */
  readonly force?: boolean;
  /** Stops the run after the step under way, with a checkpoint. */
  readonly signal?: AbortSignal;
  /** Written into a new run's record: a demo may replace an earlier demo, and nothing else. */
  readonly isDemo?: boolean;
  /** Tells what a new run will take before it begins, from a few steps that are thrown away: see `PreparedEvent`. */
  readonly forecasts?: boolean;
  /** Told before steps are measured to fit a time budget, once all options are known to be right. */
  readonly onFitting?: (timeBudgetMs: number) => void;
  /** The teacher's file must have this SHA-256: for repeating a recorded run. */
  readonly teacherSha256?: string;
}

/** What is told and written of a run beside its student. */
const SHOWN_OPTIONS: readonly (keyof DistillationOptions)[] = [
  'eval',
  'compare',
  'evaluateEvery',
  'sampleEvery',
  'tensorboard',
  'export',
  'quantize',
];
/** Options that may change when a run goes on: the student does not depend on them, or, of the teacher, on where it lies. */
const CHANGEABLE_OPTIONS: readonly string[] = [
  ...SHOWN_OPTIONS,
  'threads',
  'checkpointEvery',
  'timeBudgetMs',
  'teacher',
];

/**
 * Runs a distillation and keeps its folder: the student, the record, the measurements, checkpoints, pictures, a report.
 *
 * All options, files and networks are checked before anything is written. Iterating drives the run; each event is told
 * when what it speaks of is on the disk. A run that is killed at any moment goes on with `resume` from its last
 * checkpoint, to the same student.
 *
 * @throws {DaflError} `USAGE` if options contradict each other, the folder holds another run or another process works in
 * it; `MODEL` or `DATA` for what is read; `STORAGE` for what cannot be written; and what `distill` throws.
 * @example
 * ```ts
 * const options = parseDistillationOptions({ teacher: 'lenet5-mnist', eval: 'mnist' });
 * for await (const event of runDistillation(options, { folder: 'student' })) console.log(toJsonEvent(event));
 * ```
 */
export async function* runDistillation(
  options: DistillationOptions,
  settings: RunSettings,
): AsyncGenerator<RunEvent, void, undefined> {
  const folder = runFolder(settings.folder);
  const startedMs = performance.now();
  const { signal } = settings;
  // Options that contradict each other are told before anything is read.
  resolveRecipe(options);
  const previous = settings.resume === true ? await readPrevious(folder, options) : undefined;
  if (previous === undefined) await (settings.force === true ? assertReplaceable : assertVacant)(folder);
  await assertOutsideClasses(folder, options);
  const found = await loadTeacher(options, settings);
  assertSameTeacher(options.teacher, found, settings.teacherSha256 ?? previous?.teacher.sha256);
  const teacher = previous === undefined ? found : withName(found, previous.teacher.name);
  if (previous?.state === 'finished') {
    yield await repeatResult(folder, previous);
    return;
  }
  const opened = await openRun(asBegun(options, previous), teacher, {
    ...settings,
    backend: previous?.options.backend ?? options.backend,
    folder,
  });
  const { student, recipe, method, evaluation, compared, selected } = opened;
  const { seed, timeBudgetMs } = options;
  const { backend } = selected;
  const { training } = recipe;
  const place = new RunPlace(folder);
  let session: RunSession | undefined;
  let samples: SamplesEvent | undefined;
  try {
    const common = {
      backend,
      teacher: teacher.model,
      student: student.graph,
      studentWeights: student.weights,
      method,
      training,
      seed,
      evaluation,
      signal,
    };
    const recorded = previous?.options ?? options;
    const pace = recorded.pace?.map(([step, end]) => ({ step, end }));
    let steps = recorded.steps ?? recipe.steps;
    let keeper: TimeKeeper | undefined;
    if (previous === undefined && timeBudgetMs !== undefined) {
      settings.onFitting?.(timeBudgetMs);
      const deadlineMs = startedMs + timeBudgetMs * (1 - RESERVE);
      const fitted = await fitToTime({ common, recipe, deadlineMs });
      steps = fitted.steps;
      keeper = new TimeKeeper({ deadlineMs, tailMs: fitted.tailMs, clock });
    }
    const settled: SettledOptions = {
      ...settleOptions(recipe, { steps, backend: selected.name }),
      // Of a run that held a time: what goes on once more rests on it too.
      ...(recorded.pace === undefined ? {} : { pace: recorded.pace }),
    };
    const store = new CheckpointStore(folder.checkpoints);
    let loaded: LoadedCheckpoint = { checkpoint: undefined, damaged: [] };
    if (previous !== undefined) {
      await place.takeBack();
      loaded = await store.load();
    }
    const { evaluateEvery = 0, sampleEvery, checkpointEvery } = settled;
    // Each answer of an endpoint may cost something.
    const isForecast =
      settings.forecasts === true &&
      previous === undefined &&
      keeper === undefined &&
      steps >= LEAST_FORECAST_STEPS &&
      !isAddress(options.teacher);
    const evaluations = evaluateEvery === 0 ? 1 : Math.ceil(steps / evaluateEvery);
    const forecast = isForecast ? await forecastRun({ ...common, pace, steps }, { evaluations }) : null;
    const resume = loaded.checkpoint;
    // Small and now, as it else runs at the end only.
    const showsFeatures = evaluation !== undefined && teacher.model.answer === undefined;
    if (showsFeatures) {
      const few = sliceImageSet(evaluation, 0, Math.min(2, evaluation.count));
      await projectFeatures(backend, teacher.model, few, blankSamples(teacher.model.graph));
      const { model } = teacher;
      await collectExamples(backend, { teacher: model, student: model, images: few, deadlineMs: 0, signal });
    }
    const checkpointEveryMs = checkpointEvery === 0 ? undefined : CHECKPOINT_MS;
    const reporting = { evaluateEvery, sampleEvery, checkpointEvery, checkpointEveryMs };
    const pacing = { pace, replan: keeper?.replan };
    const judging = { judges: true, judgeEvery: judgementInterval(settled), keeps: settled.keep };
    const events = distill({ ...common, ...reporting, ...pacing, ...judging, steps, resume });
    try {
      const proceed = () => {
        keeper?.begin();
        return events.next();
      };
      // Core checks networks and options before its first event: for a run that cannot be, nothing is written.
      const first = await events.next();
      if (previous === undefined) await place.take(settings.force === true);
      session = await RunSession.start({
        folder,
        store,
        options: settled,
        methodReason: recipe.methodReason,
        teacher,
        student: student.graph,
        compared,
        backend: { description: backend.description, reason: selected.reason },
        quantize: async (trained) => (await quantizeToOnnx(trained, { backend, signal })).bytes,
        isDemo: previous?.isDemo ?? settings.isDemo === true,
        timeBudgetMs: timeBudgetMs ?? previous?.timings.timeBudgetMs ?? null,
        previous,
        step: resume?.step ?? 0,
      });
      yield {
        event: 'prepared',
        folder: folder.path,
        backend: backend.description,
        backendReason: selected.reason,
        method: settled.method,
        methodReason: recipe.methodReason,
        seed,
        steps,
        timeBudgetMs: timeBudgetMs ?? null,
        eval: options.eval ?? null,
        forecast,
      };
      for (const warning of opened.warnings) yield { event: 'warning', step: resume?.step ?? 0, ...warning };
      for (const message of loaded.damaged) {
        yield { event: 'warning', code: 'DAMAGED_CHECKPOINT', step: resume?.step ?? 0, message };
      }
      for (let next = first; next.done !== true; next = await proceed()) {
        const event = next.value;
        if (event.event === 'samples') samples = event;
        if (event.event === 'result') {
          const { student: trained } = event;
          const generated = samples;
          yield* await session.look({
            ...(showsFeatures && generated !== undefined
              ? { features: async () => await projectFeatures(backend, teacher.model, evaluation, generated) }
              : {}),
            ...(evaluation === undefined
              ? {}
              : {
                  examples: async () =>
                    await collectExamples(backend, {
                      teacher: teacher.model,
                      student: trained,
                      images: evaluation,
                      deadlineMs: clock() + EXAMPLES_MS,
                      signal,
                    }),
                }),
            millisecondsPerImage: async () => ({
              teacher: teacher.model.answer === undefined ? await timeImage(backend, teacher.model) : null,
              student: await timeImage(backend, trained),
            }),
          });
        }
        yield* await session.take(event);
      }
    } finally {
      await events.return();
    }
  } catch (error) {
    if (session === undefined) await place.leave();
    else await session.fail(error);
    throw error;
  } finally {
    session?.close();
    await place.release();
    await backend.close();
  }
}

/** A run in a folder of class folders would be one more class there. */
async function assertOutsideClasses({ path }: RunFolder, options: DistillationOptions): Promise<void> {
  for (const name of ['eval', 'data'] as const) {
    const source = options[name];
    if (source === undefined || (await hasTestImages(source))) continue;
    const way = relative(resolve(source), resolve(path));
    if (way.startsWith('..') || isAbsolute(way)) continue;
    fail({ cannot: `write to '${path}'`, as: `'${name}' must not hold it, as its folders are classes`, value: source });
  }
}

/** A run's folder while a process works in it. */
class RunPlace {
  readonly #folder: RunFolder;
  #lock: RunLock | undefined;
  #isCreated = false;

  constructor(folder: RunFolder) {
    this.#folder = folder;
  }

  /** For a new run: creates the folder and makes sure, or with `isForced` sees to it, that no other run is in it. */
  async take(isForced: boolean): Promise<void> {
    const { path } = this.#folder;
    this.#isCreated = await createFolder(path);
    this.#lock = await acquireRunLock(path);
    if (isForced) {
      await assertReplaceable(this.#folder);
      await clearRun(this.#folder);
    } else {
      await assertVacant(this.#folder);
    }
    await removeLeftovers(this.#folder);
  }

  /** For a run that goes on. */
  async takeBack(): Promise<void> {
    this.#lock = await acquireRunLock(this.#folder.path);
    await removeLeftovers(this.#folder);
  }

  /** Undoes `take` where nothing was written. */
  async leave(): Promise<void> {
    await this.release();
    if (this.#isCreated) await removeIfEmpty(this.#folder.path);
  }

  async release(): Promise<void> {
    await this.#lock?.release();
    this.#lock = undefined;
  }
}

/** Of a run of fewer, the steps of a forecast would be too large a share. */
const LEAST_FORECAST_STEPS = 20;
/** Most work that a process which is killed, or must end in the middle of a long step, loses. */
const CHECKPOINT_MS = 30_000;

/** Of a time budget, for the last step and for what can't be foreseen. */
const RESERVE = 0.02;
/** The last report. */
const REPORT_MS = 1_000;
/** Of it, looking for the student's mistakes. */
const EXAMPLES_MS = 250;
/** Of the time that is left, which reports may take: the rest belongs to the steps, whatever is asked for. */
const MOST_TAIL_SHARE = 0.5;

const clock = (): number => performance.now();

/** What decides how many steps a run is planned for. */
interface FittedRun {
  readonly common: Omit<DistillOptions, 'steps'>;
  readonly recipe: Recipe;
  /** By `performance.now`. */
  readonly deadlineMs: number;
}

/** About how many steps of a new run fit the time beside its evaluations, and what comes after the last one. */
async function fitToTime({
  common,
  recipe,
  deadlineMs,
}: FittedRun): Promise<{ readonly steps: number; readonly tailMs: number }> {
  const { backend, teacher, student: graph, studentWeights, evaluation, signal } = common;
  const weights = studentWeights ?? initializeWeights(graph, createRandomStream(0, 'time')).weights;
  const [teacherMs, studentMs] = [
    await timeEvaluation({ backend, model: teacher, evaluation, signal }),
    await timeEvaluation({ backend, model: { graph, weights }, evaluation, signal }),
  ];
  const steps = await fitSteps(
    { ...common, steps: recipe.steps },
    {
      timeBudgetMs: Math.max(1, deadlineMs - clock()),
      besides(count) {
        const { evaluateEvery = 0 } = settleOptions(recipe, { steps: count, backend: 'cpu' });
        const evaluations = evaluateEvery === 0 ? 1 : Math.ceil(count / evaluateEvery);
        return teacherMs + evaluations * studentMs + REPORT_MS;
      },
    },
  );
  return { steps, tailMs: Math.min(studentMs + REPORT_MS, Math.max(0, deadlineMs - clock()) * MOST_TAIL_SHARE) };
}

/** Options that `'auto'` leaves to the machine and the networks, whose choice the record holds. */
const LEFT_OPEN: readonly string[] = ['backend', 'method', 'initialization'];

/** The record of the run to go on with, which the options must be those of. */
async function readPrevious(folder: RunFolder, given: DistillationOptions): Promise<RunRecord> {
  const previous = await readRunRecord(folder.record);
  if (previous === undefined) {
    throw new DaflError('USAGE', `Cannot resume '${folder.path}' as it must hold a run: run.json is missing`);
  }
  const recorded = previous.options as unknown as Readonly<Record<string, unknown>>;
  // What is left open is decided as it was then: by the networks, and by the record where a time decided it.
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || CHANGEABLE_OPTIONS.includes(name) || (LEFT_OPEN.includes(name) && value === 'auto'))
      continue;
    if (JSON.stringify(value) === JSON.stringify(recorded[name])) continue;
    // An option that the run's version did not have. Its checkpoint tells whether the run is the same.
    if ((name in hyperParameters || name === 'keep') && !(name in recorded)) continue;
    throw new DaflError(
      'USAGE',
      `Cannot resume '${folder.path}' as '${name}' must be ${JSON.stringify(recorded[name])}, as the run was started with: current value is ${JSON.stringify(value)}`,
    );
  }
  if (previous.state === 'finished') assertShown(folder, given, recorded);
  return previous;
}

/** The options with what the run was begun with, where later rules would decide it otherwise. */
function asBegun(options: DistillationOptions, previous: RunRecord | undefined): DistillationOptions {
  if (previous === undefined) return options;
  const { studentNorms, usesPerBatch } = previous.options;
  return {
    ...options,
    studentNorms: options.studentNorms ?? studentNorms,
    usesPerBatch: options.usesPerBatch ?? usesPerBatch,
  };
}

/** Nothing more is told or written of a run that has ended: whoever asks for it is not to believe that it was. */
function assertShown(
  { path }: RunFolder,
  given: DistillationOptions,
  recorded: Readonly<Record<string, unknown>>,
): void {
  for (const name of SHOWN_OPTIONS) {
    const value = given[name];
    if (value === undefined || JSON.stringify(value) === JSON.stringify(recorded[name])) continue;
    const rule = recorded[name] === undefined ? 'left out' : JSON.stringify(recorded[name]);
    fail({
      cannot: `resume '${path}'`,
      as: `'${name}' must be ${rule} where the run has ended`,
      value: `${JSON.stringify(value)}. 'dafl evaluate', 'dafl convert' and 'dafl quantize' work on its student`,
    });
  }
}

function assertSameTeacher(name: string, teacher: LoadedModel, sha256: string | null | undefined): void {
  if (sha256 === undefined || sha256 === null || sha256 === teacher.sha256) return;
  throw new DaflError(
    'MODEL',
    `Cannot repeat the run with teacher '${name}' as its SHA-256 must be ${sha256}: current value is ${teacher.sha256}`,
  );
}

/** The same under the name that it had: its file may have been moved since. */
function withName(teacher: LoadedModel, name: string): LoadedModel {
  const { model } = teacher;
  return { ...teacher, model: { ...model, graph: { ...model.graph, name } } };
}

/** The result of a run that ended before, as it told it then. */
async function repeatResult(folder: RunFolder, record: RunRecord): Promise<RunResultEvent> {
  const { model, sha256 } = await loadModel(folder.student);
  return {
    event: 'result',
    step: record.step,
    steps: record.step,
    seconds: record.timings.seconds,
    backend: record.backend.description,
    seed: record.options.seed,
    student: model,
    keptStep: record.keptStep ?? record.step,
    agreement: record.agreement ?? undefined,
    verdict: record.verdict ?? undefined,
    accuracy: record.accuracy ?? undefined,
    teacherAccuracy: record.teacherAccuracy ?? undefined,
    studentSha256: sha256,
    peakMemoryBytes: record.peakMemoryBytes,
    isRepeated: true,
    folder: folder.path,
    files: resultFiles(folder, record.options),
  };
}
