import {
  createNetwork,
  dafl,
  distill,
  evaluate,
  presets,
  type ResultEvent,
  shrink,
  type TensorBackend,
} from '@dafl/core';
import { readModel, writeModel } from '@dafl/models';
import { tinyImages, tinyTeacher } from '../test-fixtures/tiny-teacher.ts';

/** What a short distillation ends with. */
export interface TinyDistillation {
  /** What the backend says of itself. */
  readonly backend: string;
  /** SHA-256 of the student's file, hexadecimal. */
  readonly student: string;
  /** Of the student that was saved and loaded, on images with random labels, 0..1. */
  readonly accuracy: number;
  /** Share of fresh synthetic images that the student sees as its teacher, 0..1. */
  readonly agreement: number;
  /** Tensors that are left on the backend; 0 where nothing leaks. */
  readonly liveTensors: number;
}

/**
 * Distils the tiny teacher for six steps, saves the student, loads it and evaluates it, as a program outside of the
 * repository does. Runs in every runtime, from what the packages export.
 *
 * @param backend Closed at the end.
 * @param roundTrip Saves bytes and loads them again; default: in memory.
 */
export async function distilTiny(
  backend: TensorBackend,
  roundTrip: (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array> = async (bytes) => bytes,
): Promise<TinyDistillation> {
  const { fast } = presets;
  const teacher = readModel(writeModel(tinyTeacher()));
  const method = dafl({ ...fast.dafl, batchSize: 32, replay: { batches: 4, studentSteps: 2 } });
  const options = { backend, teacher, student: shrink(teacher.graph, 0.5), method, training: fast.training };
  let result: ResultEvent | undefined;
  for await (const event of distill({ ...options, steps: 6, seed: 0 })) {
    if (event.event === 'result') result = event;
  }
  if (result === undefined) throw new Error('Cannot go on as the distillation must end with a result: it has none');

  const bytes = new Uint8Array(writeModel(result.student));
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  const network = createNetwork(backend, readModel(await roundTrip(bytes)));
  const { accuracy } = await evaluate(network, tinyImages());
  network.dispose();
  const liveTensors = backend.memory().tensors;
  await backend.close();
  return {
    backend: backend.description,
    student: Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join(''),
    accuracy,
    agreement: result.agreement ?? Number.NaN,
    liveTensors,
  };
}
