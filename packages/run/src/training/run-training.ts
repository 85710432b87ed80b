import { dirname } from 'node:path';
import {
  createRandomStream,
  fail,
  type Graph,
  type ImageSet,
  initializeWeights,
  type OptimizerOptions,
  type Schedule,
} from '@dafl/core';
import { train, type TrainEvent, type TrainOptions } from '@dafl/methods';
import { writeModel } from '@dafl/models';
import { hasTestImages } from '../data/class-folders.ts';
import { type LoadOptions, loadLabelledImages } from '../data/load-images.ts';
import { fitImages } from '../data/fit-images.ts';
import { holdOut } from './hold-out.ts';
import { initializeIdentity } from './initialize-identity.ts';
import { initializeWhitening } from './initialize-whitening.ts';
import { fingerprintFile, loadArchitecture, loadModel } from '../models/load-model.ts';
import { daflVersion, describeMachine, peakMemoryBytes } from '../machine/machine.ts';
import type { DownloadSettings } from '../data/mnist-files.ts';
import type { TrainingRecord } from '../folder/training-record.ts';
import { renderTrainingReport } from '../report/render-training-report.ts';
import { selectBackend } from '../machine/select-backend.ts';
import { sgdDefaults, type TrainingOptions } from '../options/training-options.ts';
import { tryFile } from '../folder/try-file.ts';
import { createFolder, removeTemporaryFiles, writeFileAtomically } from '../folder/write-file-atomically.ts';

/** Where a training goes. */
export interface TrainingSettings extends DownloadSettings {
  /** The model file. Beside it lie its record (`.json`) and its measurements (`.metrics.jsonl`). */
  readonly file: string;
  /** Replaces files that are there. */
  readonly force?: boolean;
  /** How the record says that the training is repeated. */
  readonly command: string;
}

/** Everything is read and chosen. The first event. */
export interface TrainingPreparedEvent {
  readonly event: 'prepared';
  readonly backend: string;
  readonly backendReason: string;
  readonly name: string;
  readonly trainingImages: number;
  readonly evaluationImages: number;
  /** What is reported on. */
  readonly evaluation: 'validation' | 'test';
  /** What of the images is lost on the network; null where nothing is. */
  readonly note: string | null;
}

/** The network is trained and written. The last event. */
export type TrainingResultEvent = Extract<TrainEvent, { event: 'result' }> & {
  readonly modelSha256: string;
  readonly peakMemoryBytes: number;
  readonly evaluation: 'validation' | 'test';
  readonly files: TrainingFiles;
  /** Why there is no report, where there is none. */
  readonly reportFailure?: string;
};

/** The files of a training. */
export interface TrainingFiles {
  readonly model: string;
  readonly record: string;
  readonly metrics: string;
  /** One page about it. */
  readonly report: string;
}

/** What `runTraining` tells, in the order of its happening. */
export type TrainingEvent = TrainingPreparedEvent | Exclude<TrainEvent, { event: 'result' }> | TrainingResultEvent;

/** The files that a training into `file` writes. */
export function trainingFiles(file: string): TrainingFiles {
  const stem = file.replace(/\.safetensors$/, '');
  return { model: file, record: `${stem}.json`, metrics: `${stem}.metrics.jsonl`, report: `${stem}.report.html` };
}

/**
 * Trains a network on labelled images and writes it with its record. Nothing is written before the end, so that an
 * interrupted training leaves nothing behind.
 *
 * @throws {DaflError} `USAGE` if a file is there already; `MODEL` or `DATA` for what is read; `STORAGE` for what cannot be
 * written; and what `train` throws. `AbortError` if the signal is aborted.
 */
export async function* runTraining(
  given: TrainingOptions,
  settings: TrainingSettings,
): AsyncGenerator<TrainingEvent, void, undefined> {
  const files = trainingFiles(settings.file);
  if (!settings.file.endsWith('.safetensors')) {
    fail({
      cannot: `write '${settings.file}'`,
      as: 'the file of a trained model must be named .safetensors (dafl convert makes other formats of it)',
      value: `'${settings.file}'`,
    });
  }
  assertEffectiveOptions(given);
  for (const path of Object.values(files) as string[]) await tryFile(path, settings);
  const [height, width] = (await loadArchitecture(given.architecture)).inputShape;
  const loaded = await loadData(given, { ...settings, pictureSize: [height, width] });
  const { on } = loaded;
  // Of few images a batch is all.
  const batchSize = Math.min(given.batchSize, loaded.data.count);
  const epochs = given.epochs ?? usualEpochs(loaded.data.count, batchSize);
  const options = { ...given, batchSize, epochs, validationSplit: on === 'validation' ? loaded.evaluation.count : 0 };
  const { labels = new Uint32Array(), classNames } = loaded.data;
  const classes = classNames?.length ?? 1 + labels.reduce((most, label) => Math.max(most, label), 0);
  const architecture = await loadArchitecture(options.architecture, { classes: Math.max(2, classes) });
  const graph = classes < 2 ? architecture : { ...architecture, classNames };
  const [data, evaluation] = [loaded.data, loaded.evaluation].map((images) => fitImages(images, graph));
  const { backend, reason } = await selectBackend({ ...options, networks: [graph] });
  const lines: string[] = [];
  const losses: [step: number, loss: number][] = [];
  let confusion: readonly (readonly number[])[] | null = null;
  const evaluations: { epoch: number; step: number; accuracy: number }[] = [];
  try {
    yield {
      event: 'prepared',
      backend: backend.description,
      backendReason: reason,
      name: graph.name,
      trainingImages: data.count,
      evaluationImages: evaluation.count,
      evaluation: on,
      note: noteOfColours(loaded.data, graph),
    };
    for await (const event of train({
      backend,
      graph,
      data,
      evaluation,
      optimizer: optimizerOf(options),
      schedule: scheduleOf(options),
      epochs,
      batchSize: options.batchSize,
      ...(await initialWeightsOf(options, graph, data)),
      labelSmoothing: options.labelSmoothing,
      augmentation: { shift: options.shift, horizontalFlip: options.horizontalFlip },
      seed: options.seed,
      signal: settings.signal,
    })) {
      if (event.event === 'result') {
        yield await writeResult(event);
        return;
      }
      if (event.event === 'step') {
        lines.push(JSON.stringify({ event: 'step', step: event.step, epoch: event.epoch, losses: event.losses }));
        losses.push([event.step, Object.values(event.losses)[0]]);
      } else {
        const { epoch, step, accuracy, count } = event;
        lines.push(JSON.stringify({ event: 'evaluation', step, epoch, accuracy, count }));
        evaluations.push({ epoch, step, accuracy });
        ({ confusion } = event);
      }
      yield event;
    }
  } finally {
    await backend.close();
  }

  async function writeResult(event: Extract<TrainEvent, { event: 'result' }>): Promise<TrainingResultEvent> {
    const bytes = writeModel(event.model);
    const file = fingerprintFile(bytes);
    const record: TrainingRecord = {
      format: 'dafl-training',
      version: 1,
      command: settings.command,
      options,
      seed: options.seed,
      accuracy: event.accuracy ?? null,
      evaluation: { on, count: evaluation.count },
      evaluations,
      steps: event.steps,
      seconds: event.seconds,
      backend: backend.description,
      peakMemoryBytes: peakMemoryBytes(),
      machine: describeMachine(),
      versions: { dafl: daflVersion(), node: process.versions.node },
      ...file,
    };
    await createFolder(dirname(files.model));
    await removeTemporaryFiles(dirname(files.model));
    await writeFileAtomically(files.metrics, `${lines.join('\n')}\n`);
    await writeFileAtomically(files.record, `${JSON.stringify(record, null, 2)}\n`);
    await writeFileAtomically(files.model, bytes);
    // Last, and for itself: no report is worth the model.
    let reportFailure: string | undefined;
    try {
      const report = renderTrainingReport({ record, model: event.model, file: bytes, losses, confusion });
      await writeFileAtomically(files.report, report);
    } catch (error) {
      reportFailure = `Cannot write the report, and goes on without: ${error instanceof Error ? error.message : String(error)}`;
    }
    return {
      ...event,
      ...(reportFailure === undefined ? {} : { reportFailure }),
      modelSha256: file.sha256,
      peakMemoryBytes: record.peakMemoryBytes,
      evaluation: on,
      files,
    };
  }
}

async function loadData(
  options: TrainingOptions,
  { signal, onDownload, pictureSize }: DownloadSettings & Pick<LoadOptions, 'pictureSize'>,
): Promise<{ data: ImageSet; evaluation: ImageSet; on: 'validation' | 'test' }> {
  const { data: source, validationSplit: asked, seed } = options;
  const hasTests = asked === undefined || asked === 0 ? await hasTestImages(source) : true;
  if (asked === 0 && !hasTests) {
    fail({
      cannot: 'train',
      as: "'validationSplit' must be >= 1 where there are no test images",
      value: `0, and '${source}' has no folders 'train' and 'test'`,
    });
  }
  const all = await loadLabelledImages(source, { split: 'train', signal, onDownload, pictureSize });
  assertEachClass(all, source);
  const held = asked ?? (hasTests ? 0 : Math.ceil(all.count / 10));
  if (held === 0) {
    return {
      data: all,
      evaluation: await loadLabelledImages(source, { split: 'test', signal, onDownload, pictureSize }),
      on: 'test',
    };
  }
  if (held >= all.count) {
    fail({ cannot: 'train', as: `'validationSplit' must be below the ${all.count} training images`, value: held });
  }
  const { kept, heldOut } = holdOut(all, held, createRandomStream(seed, 'validation'));
  return { data: kept, evaluation: heldOut, on: 'validation' };
}

/** Colours that a network of grey pictures does not see may be what tells the classes apart. */
function noteOfColours({ channels }: ImageSet, { name, inputShape }: Graph): string | null {
  if (channels !== 3 || inputShape[2] !== 1) return null;
  return `The images are in colour, and ${name} reads grey: resnet20 and others read colours`;
}

/** A class without an image is a folder that was forgotten: no network learns it. */
function assertEachClass({ labels, classNames = [] }: ImageSet, source: string): void {
  if (classNames.length === 1) {
    fail({
      code: 'DATA',
      cannot: `train on '${source}'`,
      as: 'there must be 2 classes or more',
      value: `only '${classNames[0]}'`,
    });
  }
  const present = new Set(labels);
  const missing = classNames.filter((_, label) => !present.has(label));
  if (missing.length === 0) return;
  fail({
    code: 'DATA',
    cannot: `train on '${source}'`,
    as: 'each class must have training images',
    value: `none of ${missing.map((name) => `'${name}'`).join(', ')}`,
  });
}

/** Passes over the images that a small network needs at least, and the steps that it needs beside, where these are few. */
const USUAL_EPOCHS = 12;
const LEAST_STEPS = 400;

function usualEpochs(images: number, batchSize: number): number {
  return Math.max(USUAL_EPOCHS, Math.ceil(LEAST_STEPS / Math.ceil(images / batchSize)));
}

/** An option that has no effect was meant to have one. */
function assertEffectiveOptions({ optimizer, ...options }: TrainingOptions): void {
  if (options.startFrom !== undefined && options.initialization !== undefined) {
    fail({
      cannot: `train from '${options.startFrom}'`,
      as: "'initialization' must not be given (the first weights are those of the file)",
      value: `'${options.initialization}'`,
    });
  }
  if (options.nesterov === true && options.momentum === 0)
    fail({ cannot: 'train', as: "'nesterov' must not be given where 'momentum' is 0", value: 'true' });
  if (optimizer === 'sgd') return;
  for (const name of Object.keys(sgdDefaults)) {
    const value = options[name as keyof typeof sgdDefaults];
    if (value === undefined) continue;
    fail({
      cannot: `train with the optimizer '${optimizer}'`,
      as: `'${name}' must not be given (it is an option of sgd)`,
      value: String(value),
    });
  }
}

function optimizerOf({ optimizer: kind, ...options }: TrainingOptions): OptimizerOptions {
  if (kind === 'adam') return { kind };
  const {
    momentum = sgdDefaults.momentum,
    nesterov = sgdDefaults.nesterov,
    weightDecay = sgdDefaults.weightDecay,
    biasLearningRateFactor = sgdDefaults.biasLearningRateFactor,
  } = options;
  return { kind, momentum, nesterov, weightDecay, biasLearningRateFactor };
}

async function initialWeightsOf(
  { seed, initialization = 'uniform', whitening, startFrom }: TrainingOptions,
  graph: Graph,
  data: ImageSet,
): Promise<Pick<TrainOptions, 'initialWeights' | 'frozen'>> {
  if (initialization === 'uniform' && !whitening && startFrom === undefined) return {};
  const drawn =
    startFrom === undefined
      ? initializeWeights(graph, createRandomStream(seed, 'weights'))
      : { graph, weights: (await loadModel(startFrom)).model.weights };
  const initial = initialization === 'identity' ? initializeIdentity(drawn) : drawn;
  if (!whitening) return { initialWeights: initial.weights };
  const { model, node } = initializeWhitening(initial, data);
  return { initialWeights: model.weights, frozen: [node] };
}

function scheduleOf({ learningRateSchedule: kind, learningRate, warmupSteps }: TrainingOptions): Schedule {
  return { kind, learningRate, warmupSteps };
}
