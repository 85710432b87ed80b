import {
  check,
  createNetwork,
  createRandomStream,
  createTurn,
  DaflError,
  describeClassifier,
  initializeWeights,
  pickSamples,
  type SamplesEvent,
} from '@dafl/core';
import { deepInversion, nayer, pool } from '@dafl/methods';
import { parseDistillationOptions } from '../options/distillation-options.ts';
import { loadTeacher, type ModelOptions } from '../models/load-model.ts';
import { resolveRecipe } from '../recipe/resolve-recipe.ts';
import type { SampleRunOptions } from './sample-run.ts';
import { selectBackend } from '../machine/select-backend.ts';

/** What to draw of a model. */
export interface SampleModelOptions extends SampleRunOptions, ModelOptions {
  /** How the images are made: of the methods that need nothing but a teacher to make a batch of given classes. */
  readonly method: string;
  /** Updates in which the images are made; default: the method's. */
  readonly synthesisSteps?: number;
  /** Told what was found or assumed as the model was read. */
  readonly onNotes?: (notes: readonly string[]) => void;
}

/** Images of one batch at most. */
const MOST_IMAGES = 256;
const able: readonly string[] = ['deep-inversion', 'pool', 'nayer'];

/**
 * Makes images of a classifier's classes, to look at what it knows: without a run and without a student.
 *
 * @param teacher A built-in name or a model file.
 * @throws {DaflError} `USAGE` for a method that cannot; `MODEL` if there is no such model, or it only answers.
 */
export async function sampleModel(teacher: string, options: SampleModelOptions): Promise<SamplesEvent> {
  const { method: name, perClass = 8, signal, onBackend, onNotes, ...given } = options;
  check(able.includes(name), {
    cannot: `draw samples of '${teacher}'`,
    as: "'method' must be 'deep-inversion', 'pool' or 'nayer'",
    value: `'${name}'`,
  });
  const recipe = resolveRecipe(parseDistillationOptions({ teacher, method: name, ...given }));
  const settled = recipe.options;
  const { seed } = settled;
  const loaded = await loadTeacher(settled, { signal });
  onNotes?.(loaded.notes);
  const { graph, answer } = loaded.model;
  if (answer !== undefined) {
    throw new DaflError(
      'MODEL',
      `Cannot draw samples of '${teacher}' as it must be a model that dafl computes: current model only answers`,
    );
  }
  const classifier = describeClassifier(graph);
  const { name: methodName, options: own } = await recipe.createMethod(loaded, { signal });
  const synthesisSize = Math.max(2, Math.min(MOST_IMAGES, Number(own.synthesisSize), perClass * classifier.classes));
  const method = remake(methodName, { ...own, synthesisSize });
  const { backend, reason } = await selectBackend({ ...settled, networks: [graph] });
  onBackend?.(backend.description, reason);
  // What is drawn before any training looks at no student.
  const networks = [loaded.model, initializeWeights(graph, createRandomStream(0, 'unused'))].map((model) =>
    createNetwork(backend, model),
  );
  const turn = createTurn();
  const session = method.start({
    backend,
    teacher: networks[0],
    student: networks[1],
    steps: 1,
    createRandom: (purpose) => createRandomStream(seed, purpose),
    async turn() {
      signal?.throwIfAborted();
      await turn();
    },
  });
  try {
    const { images, teacherLogits } = await session.sample(createRandomStream(seed, 'samples'));
    const drawn = {
      images: Float32Array.from(await backend.read(images)),
      logits: Float32Array.from(await backend.read(teacherLogits)),
    };
    for (const tensor of [images, teacherLogits]) backend.dispose(tensor);
    return pickSamples(drawn, classifier, { step: 0, perClass });
  } finally {
    session.dispose();
    for (const network of networks) network.dispose();
    await backend.close();
  }
}

/** The same method with other options. */
function remake(name: string, options: Readonly<Record<string, unknown>>): ReturnType<typeof pool> {
  const makers = { 'deep-inversion': deepInversion, pool, nayer } as Record<
    string,
    (options: never) => ReturnType<typeof pool>
  >;
  return makers[name](options as never);
}
