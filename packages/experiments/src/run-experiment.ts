import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import {
  createNetwork,
  createRandomStream,
  DaflError,
  describeModel,
  evaluate,
  fail,
  foldBatchNorms,
  type ImageSet,
  inheritWeights,
  initializeWeights,
  type Model,
  scaleLogits,
} from '@dafl/core';
import { writeIdx } from '@dafl/data';
import { writeModel } from '@dafl/models';
import {
  createFolder,
  daflVersion,
  describeMachine,
  loadImagesFor,
  loadLabelledImages,
  parseDistillationOptions,
  parseTrainingOptions,
  readRunRecord,
  recordTeacherMetadata,
  runDistillation,
  runFolder,
  runTraining,
  selectBackend,
  writeFileAtomically,
} from '@dafl/run';
import { loadModel, loadStudent } from '@dafl/run/load-model';
import type { BackendName } from '@dafl/run/options';
import { changeImages } from './change-images.ts';
import type { DataName, Experiment, ExperimentRow, Task } from './experiment.ts';
import { type ExperimentRecord, readExperimentRecord, recordFile } from './experiment-record.ts';
import { gauntletGraph } from './gauntlet-networks.ts';
import { decidedByNetworks, hyperParametersOf, isRecordCurrent } from './is-record-current.ts';
import { joinImages } from './join-images.ts';

/** How an experiment is run. */
export interface ExperimentSettings {
  /** Folder for what the runs make. */
  readonly folder: string;
  /** Folder for the records; default: `folder`. */
  readonly records?: string;
  /** Folders of data by name. MNIST needs none. */
  readonly data: Readonly<Partial<Record<DataName, string>>>;
  /** Model files by name, for rows whose teacher is given: `fixture:name`. */
  readonly fixtures?: Readonly<Record<string, string>>;
  readonly backend: 'auto' | BackendName;
  /** Rows that are run; default: all. */
  readonly only?: readonly string[];
  /** In place of the rows' own. */
  readonly seeds?: readonly number[];
  /** Tells what would be run. */
  readonly isDryRun?: boolean;
  readonly signal?: AbortSignal;
}

/** What `runExperiment` tells, for each row and seed in order. */
export type ExperimentEvent =
  | { readonly event: 'planned' | 'started'; readonly row: ExperimentRow; readonly seed: number; readonly task: Task }
  | {
      readonly event: 'step';
      readonly row: ExperimentRow;
      readonly seed: number;
      readonly step: number;
      readonly steps: number;
      readonly secondsLeft: number;
    }
  | {
      readonly event: 'finished';
      readonly row: ExperimentRow;
      readonly seed: number;
      readonly record: ExperimentRecord;
      readonly isStored: boolean;
    }
  | {
      readonly event: 'skipped' | 'failed';
      readonly row: ExperimentRow;
      readonly seed: number;
      readonly reason: string;
    };

/**
 * Runs an experiment, row by row and seed by seed. What has a record of the same task is not run again; a run that was
 * interrupted goes on from its checkpoint. A row that fails does not stop the others.
 *
 * @throws {DaflError} `USAGE` if `only` names no row. `AbortError` if the signal is aborted.
 */
export async function* runExperiment(
  experiment: Experiment,
  settings: ExperimentSettings,
): AsyncGenerator<ExperimentEvent, void, undefined> {
  const { only, records = settings.folder, signal } = settings;
  const ids = experiment.rows.map(({ id }) => id);
  const unknown = only?.find((id) => !ids.includes(id));
  if (unknown !== undefined) {
    fail({
      cannot: `run experiment '${experiment.name}'`,
      as: `'only' must name rows of [${ids.join(', ')}]`,
      value: `'${unknown}'`,
    });
  }
  for (const row of experiment.rows) {
    if (only !== undefined && !only.includes(row.id)) continue;
    const seeds = SEEDLESS.has(row.task.kind) ? row.seeds : (settings.seeds ?? row.seeds);
    for (const seed of seeds) {
      signal?.throwIfAborted();
      const { task, missing } = resolveTask(row.task, experiment, settings);
      if (missing !== undefined) {
        yield { event: 'skipped', row, seed, reason: missing };
        continue;
      }
      const file = recordFile(records, experiment.name, row.id, seed);
      const stored = await readExperimentRecord(file);
      const place = join(settings.folder, experiment.name, `${row.id}-seed-${seed}`);
      const isMade = !MAKERS.has(task.kind) || existsSync(outputOf(task, place));
      if (stored !== undefined && isMade && isRecordCurrent(stored, row.task)) {
        yield { event: 'finished', row, seed, record: stored, isStored: true };
        continue;
      }
      if (settings.isDryRun === true) {
        yield { event: 'planned', row, seed, task };
        continue;
      }
      yield { event: 'started', row, seed, task };
      try {
        const measured = yield* runTask(row, task, seed, place, settings);
        const record: ExperimentRecord = {
          format: 'dafl-experiment-run',
          version: 1,
          experiment: experiment.name,
          row: row.id,
          seed,
          task: row.task,
          hyperParameters: hyperParametersOf(row.task),
          ...measured,
          commit: await currentCommit(),
          machine: describeMachine(),
          versions: { dafl: daflVersion(), node: process.versions.node },
          measuredAt: new Date().toISOString(),
        };
        await createFolder(dirname(file));
        await writeFileAtomically(file, `${JSON.stringify(record, null, 2)}\n`);
        yield { event: 'finished', row, seed, record, isStored: false };
      } catch (error) {
        if (signal?.aborted === true) throw error;
        yield { event: 'failed', row, seed, reason: (error as Error).message };
      }
    }
  }
}

/** Tasks whose runs of any seed are the same. */
const SEEDLESS: ReadonlySet<Task['kind']> = new Set(['evaluate', 'record', 'derive', 'alter']);

/** Tasks whose records are of no use without what they make. */
const MAKERS: ReadonlySet<Task['kind']> = new Set(['record', 'derive', 'alter']);

type Measured = Omit<
  ExperimentRecord,
  | 'format'
  | 'version'
  | 'experiment'
  | 'row'
  | 'seed'
  | 'task'
  | 'hyperParameters'
  | 'commit'
  | 'machine'
  | 'versions'
  | 'measuredAt'
>;

const NOTHING: Omit<Measured, 'seconds' | 'processorSeconds'> = {
  accuracy: null,
  teacherAccuracy: null,
  agreement: null,
  steps: null,
  evaluations: [],
  classCounts: null,
  parameters: null,
  multiplyAccumulates: null,
  backend: null,
};

async function* runTask(
  row: ExperimentRow,
  task: Task,
  seed: number,
  place: string,
  { backend, signal }: ExperimentSettings,
): AsyncGenerator<ExperimentEvent, Measured, undefined> {
  const startedMs = performance.now();
  const processorStart = process.cpuUsage();
  const times = (): Pick<Measured, 'seconds' | 'processorSeconds'> => {
    const { user, system } = process.cpuUsage(processorStart);
    return { seconds: (performance.now() - startedMs) / 1000, processorSeconds: (user + system) / 1e6 };
  };
  switch (task.kind) {
    case 'evaluate': {
      const loaded = await loadModel(task.model);
      const model = task.student === undefined ? loaded.model : await loadFirstStudent(task.student, loaded.model);
      const images = await loadImagesFor(model.graph, task.data, { signal });
      const selected = await selectBackend({ backend, networks: [model.graph] });
      try {
        const network = createNetwork(selected.backend, model);
        const { accuracy } = await evaluate(network, images, { signal });
        network.dispose();
        const { parameters, multiplyAccumulates } = describeModel(model.graph);
        const { description } = selected.backend;
        return { ...NOTHING, accuracy, parameters, multiplyAccumulates, backend: description, ...times() };
      } finally {
        await selected.backend.close();
      }
    }
    case 'derive': {
      const { sources, change } = task;
      for (const [split, prefix] of [
        ['train', 'train'],
        ['test', 't10k'],
      ] as const) {
        const sets: ImageSet[] = [];
        for (const source of sources) sets.push(await loadLabelledImages(source, { split, signal }));
        await writeImages(outputOf(task, place), prefix, changeImages(joinImages(sets), change, split));
      }
      return { ...NOTHING, ...times() };
    }
    case 'alter': {
      const { model } = await loadModel(task.model);
      const altered = scaleLogits(task.folds === true ? foldBatchNorms(model) : model, task.logitFactor ?? 1);
      await createFolder(place);
      await writeFileAtomically(outputOf(task, place), writeModel(altered));
      return { ...NOTHING, ...times() };
    }
    case 'record': {
      const { teacher, data } = task;
      await recordTeacherMetadata({ teacher, data, file: outputOf(task, place), backend, force: true, signal });
      return { ...NOTHING, ...times() };
    }
    case 'train': {
      const options = parseTrainingOptions({ ...task.options, ...(await placeNetwork(task, place)), backend, seed });
      const evaluations: { step: number; accuracy: number }[] = [];
      const command = `dafl experiment: ${row.id}`;
      for await (const event of runTraining(options, { file: outputOf(task, place), force: true, command, signal })) {
        if (event.event === 'step') {
          const { step, steps, secondsLeft } = event;
          yield { event: 'step', row, seed, step, steps, secondsLeft };
        } else if (event.event === 'evaluation') {
          evaluations.push({ step: event.step, accuracy: event.accuracy });
        } else if (event.event === 'result') {
          const { parameters, multiplyAccumulates } = describeModel(event.model.graph);
          return {
            ...NOTHING,
            accuracy: event.accuracy ?? null,
            steps: event.steps,
            evaluations,
            parameters,
            multiplyAccumulates,
            backend: event.backend,
            ...times(),
          };
        }
      }
      break;
    }
    case 'distill': {
      // Tables compare what the last steps come to, which no verdict chooses.
      const options = parseDistillationOptions({ keep: 'last', ...task.options, backend, seed });
      const previous = await readRunRecord(runFolder(place).record);
      const resume = previous?.state === 'interrupted' || previous?.state === 'running';
      const secondsBefore = previous?.timings.seconds ?? 0;
      let classCounts: readonly number[] | null = null;
      for await (const event of runDistillation(options, { folder: place, resume, force: !resume, signal })) {
        if (event.event === 'step') {
          const { step, steps, secondsLeft } = event;
          yield { event: 'step', row, seed, step, steps, secondsLeft };
        } else if (event.event === 'samples') {
          classCounts = event.classCounts;
        } else if (event.event === 'interrupted') {
          signal?.throwIfAborted();
        } else if (event.event === 'result') {
          const { accuracy = null, teacherAccuracy = null, agreement = null, verdict = null, steps } = event;
          const record = await readRunRecord(runFolder(place).record);
          return {
            accuracy,
            teacherAccuracy,
            agreement,
            verdict,
            method: record?.options.method ?? null,
            fitted: record === undefined ? {} : decidedByNetworks(task, record.options),
            steps,
            evaluations: (record?.evaluations ?? []).map((evaluation) => ({
              step: evaluation.step,
              accuracy: evaluation.accuracy,
            })),
            classCounts,
            parameters: record?.student.parameters ?? null,
            multiplyAccumulates: record?.student.multiplyAccumulates ?? null,
            backend: event.backend,
            ...(resume ? { seconds: secondsBefore + times().seconds, processorSeconds: null } : times()),
          };
        }
      }
      break;
    }
  }
  throw new DaflError('USAGE', `Cannot record '${row.id}' as its run must end with a result: it has none`);
}

/** Writes the network of a training that names no architecture. */
async function placeNetwork(
  { network }: Extract<Task, { kind: 'train' }>,
  place: string,
): Promise<{ readonly architecture?: string }> {
  if (network === undefined) return {};
  const architecture = join(place, 'network.safetensors');
  await createFolder(place);
  const model = initializeWeights(gauntletGraph(network), createRandomStream(0, 'weights'));
  await writeFileAtomically(architecture, writeModel(model));
  return { architecture };
}

/** Writes one half of a data set as IDX files. */
async function writeImages(folder: string, prefix: string, images: ImageSet): Promise<void> {
  const { count, height, width, channels, pixels, labels } = images;
  const shape = channels === 1 ? [count, height, width] : [count, height, width, channels];
  await createFolder(folder);
  const imagesFile = join(folder, `${prefix}-images-idx${shape.length}-ubyte`);
  await writeFileAtomically(imagesFile, writeIdx({ shape, data: pixels }));
  const labelsFile = join(folder, `${prefix}-labels-idx1-ubyte`);
  await writeFileAtomically(labelsFile, writeIdx({ shape: [count], data: Uint8Array.from(labels!) }));
}

/** A student that starts from its teacher, before its first step. */
async function loadFirstStudent(student: string, teacher: Model): Promise<Model> {
  const { graph, weights } = await loadStudent(student, teacher);
  return weights === undefined ? inheritWeights(teacher, graph) : { graph, weights };
}

/** The file that others read of a run. */
function outputOf(task: Task, place: string): string {
  if (task.kind === 'distill') return runFolder(place).student;
  if (task.kind === 'derive') return join(place, 'data');
  return join(place, task.kind === 'record' ? 'metadata.safetensors' : 'model.safetensors');
}

/** Puts references in place, or says what is missing. */
function resolveTask(
  task: Task,
  experiment: Experiment,
  settings: ExperimentSettings,
): { readonly task: Task; readonly missing?: string } {
  let missing: string | undefined;
  const resolve = (value: unknown): unknown => {
    const match = typeof value === 'string' ? /^(data|row|fixture):(.+)$/.exec(value) : null;
    if (match === null) return value;
    const [, kind, name] = match;
    if (kind === 'data') {
      const folder = settings.data[name as DataName];
      if (folder === undefined) missing = `its data is not given: --${name} FOLDER`;
      return folder ?? '';
    }
    if (kind === 'fixture') {
      const file = settings.fixtures?.[name];
      if (file === undefined || !existsSync(file)) missing = `its teacher is not given: ${name}`;
      return file ?? '';
    }
    const row = experiment.rows.find(({ id }) => id === name)!;
    const place = join(settings.folder, experiment.name, `${row.id}-seed-${row.seeds[0]}`);
    const file = outputOf(row.task, place);
    if (!existsSync(file) && settings.isDryRun !== true) missing = `it needs what '${name}' makes, which was not run`;
    return file;
  };
  const resolved = JSON.parse(JSON.stringify(task), (_, value: unknown) => resolve(value)) as Task;
  return { task: resolved, missing };
}

/** Of the repository that the process runs in; null outside of one. */
async function currentCommit(): Promise<string | null> {
  try {
    return (await promisify(execFile)('git', ['rev-parse', 'HEAD'])).stdout.trim();
  } catch {
    return null;
  }
}
