import {
  createNetwork,
  createRandomStream,
  createTurn,
  DaflError,
  describeClassifier,
  drawSamples,
  type HostTensor,
  initializeWeights,
  Pace,
  pickSamples,
  type SamplesEvent,
} from '@dafl/core';
import { CheckpointStore } from '../folder/checkpoint-store.ts';
import { loadStudent, loadTeacher } from '../models/load-model.ts';
import { resolveRecipe } from '../recipe/resolve-recipe.ts';
import { runFolder } from '../folder/run-folder.ts';
import { readRunRecord } from '../folder/run-record.ts';
import { selectBackend } from '../machine/select-backend.ts';

/** What to draw. */
export interface SampleRunOptions {
  /** Of the latents; the same seed gives the same images. */
  readonly seed: number;
  /** Images of each class, at most; default 8. */
  readonly perClass?: number;
  readonly signal?: AbortSignal;
  /** Told what computes, and why that. */
  readonly onBackend?: (description: string, reason: string) => void;
}

const STATE_PREFIX = 'method/';

/**
 * Generates new images with what a run's last checkpoint knows, and asks the teacher what they are.
 *
 * @param path The run's folder.
 * @throws {DaflError} `USAGE` if the folder holds no run; `CHECKPOINT` if it has no whole checkpoint.
 */
export async function sampleRun(path: string, options: SampleRunOptions): Promise<SamplesEvent> {
  const { seed, perClass, signal, onBackend } = options;
  const folder = runFolder(path);
  const record = await readRunRecord(folder.record);
  if (record === undefined)
    throw new DaflError('USAGE', `Cannot draw samples of '${path}' as it must hold a run: run.json is missing`);
  const checkpoint = await new CheckpointStore(folder.checkpoints).loadWeights();
  if (checkpoint === undefined) {
    throw new DaflError(
      'CHECKPOINT',
      `Cannot draw samples of '${path}' as it must hold a whole checkpoint: none found. A run has one after its first checkpoint, and at its end`,
    );
  }
  const teacher = await loadTeacher(record.options, { signal });
  const { readStructure } = teacher;
  const student = await loadStudent(record.options.student, teacher.model, { readStructure, signal });
  const classifier = describeClassifier(teacher.model.graph);
  const { backend, reason } = await selectBackend({
    ...record.options,
    networks: [teacher.model.graph, student.graph],
  });
  onBackend?.(backend.description, reason);
  const networks = [teacher.model, initializeWeights(student.graph, createRandomStream(0, 'unused'))].map((model) =>
    createNetwork(backend, model),
  );
  const method = await resolveRecipe(record.options).createMethod(teacher, { signal });
  const { steps = 1, pace: changes = [] } = record.options;
  const pace = new Pace(
    steps,
    changes.map(([step, end]) => ({ step, end })),
  );
  const turn = createTurn();
  const heard = async (): Promise<void> => {
    await turn();
    signal?.throwIfAborted();
  };
  const session = method.start({
    backend,
    teacher: networks[0],
    student: networks[1],
    steps,
    positionAt: (step) => pace.positionAt(step),
    createRandom: (purpose) => createRandomStream(seed, purpose),
    turn: heard,
  });
  try {
    await session.restore({
      counters: under(Object.entries(checkpoint.counters), STATE_PREFIX, (entries) => Object.fromEntries(entries)),
      tensors: under([...checkpoint.tensors], STATE_PREFIX, (entries) => new Map<string, HostTensor>(entries)),
      parts: [],
    });
    const random = createRandomStream(seed, 'samples');
    const drawn = await drawSamples(session, { teacher: networks[0], random, turn, signal });
    return pickSamples(drawn, classifier, { step: checkpoint.step, perClass });
  } finally {
    session.dispose();
    for (const network of networks) network.dispose();
    await backend.close();
  }
}

function under<Value, Result>(
  entries: readonly [string, Value][],
  prefix: string,
  collect: (entries: [string, Value][]) => Result,
): Result {
  return collect(
    entries.filter(([name]) => name.startsWith(prefix)).map(([name, value]) => [name.slice(prefix.length), value]),
  );
}
