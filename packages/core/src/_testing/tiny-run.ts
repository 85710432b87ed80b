import type { TensorBackend } from '../backend.ts';
import type { DistillEvent, ResultEvent } from '../distill-event.ts';
import { distill, type DistillOptions, type StudentTraining } from '../distill.ts';
import { dafl, type DaflOptions } from '../methods/dafl.ts';
import type { Model } from '../model/model.ts';
import { tinyGraph } from './tiny-classifier.ts';

/** The shape of the official options, small enough for a second. */
export const tinyDafl: DaflOptions = {
  batchSize: 16,
  generator: { latentSize: 6, widths: [4, 4, 3], batchNormEpsilon: 1e-5, output: { kind: 'normalized' } },
  generatorOptimizer: { kind: 'adam', beta1: 0.5 },
  generatorSchedule: { kind: 'cosine', learningRate: 1e-2 },
  oneHotWeight: 1,
  informationEntropyWeight: 5,
  activationWeight: 0.1,
  batchNormStatisticsWeight: 0,
  adversarialWeight: 0,
  adversarialTemperature: 4,
  schedule: 'alternating',
  replay: null,
};

export const tinyTraining: StudentTraining = {
  optimizer: { kind: 'adam' },
  schedule: { kind: 'cosine', learningRate: 1e-2 },
  temperature: 4,
  initialization: 'random',
};

/** A run of some steps; the rest can be told otherwise. */
export function tinyRun(
  backend: TensorBackend,
  teacher: Model,
  changes: Omit<Partial<DistillOptions>, 'training'> & {
    dafl?: Partial<DaflOptions>;
    training?: Partial<StudentTraining>;
  } = {},
): DistillOptions {
  const { dafl: daflChanges, training, ...others } = changes;
  return {
    backend,
    teacher,
    student: { ...tinyGraph([3, 8]), name: 'tiny-student' },
    method: dafl({ ...tinyDafl, ...daflChanges }),
    training: { ...tinyTraining, ...training },
    steps: 3,
    seed: 1,
    clock: () => 0,
    ...others,
  };
}

export async function collectEvents(options: DistillOptions): Promise<DistillEvent[]> {
  const events: DistillEvent[] = [];
  for await (const event of distill(options)) events.push(event);
  return events;
}

/** Runs to the end and gives the last event. */
export async function runToResult(options: DistillOptions): Promise<ResultEvent> {
  const last = (await collectEvents(options)).at(-1);
  if (last?.event !== 'result') throw new Error(`Expected a result but got ${String(last?.event)}`);
  return last;
}
