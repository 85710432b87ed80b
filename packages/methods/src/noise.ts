import { type AnsweredBatch, check, type Method, type MethodContext, type MethodSession } from '@dafl/core';
import { answerBatch } from './_answer-batch.ts';

/** Options of `noise`. */
export interface NoiseOptions {
  /** Images of one step, >= 1. */
  readonly batchSize: number;
}

/**
 * Distillation on normal noise: every value of an image is drawn from the standard normal distribution, in the teacher's
 * normalised input space. No images and no generator: the least that a data-free method must beat.
 *
 * Source: Chen et al., ICCV 2019, section 4.1, "Normal distribution".
 *
 * @throws {DaflError} `USAGE` if an option is out of range.
 */
export function noise(options: NoiseOptions): Method {
  const { batchSize } = options;
  check(Number.isInteger(batchSize) && batchSize >= 1, {
    cannot: "use method 'noise'",
    as: "'batchSize' must be an integer >= 1",
    value: batchSize,
  });
  return {
    name: 'noise',
    options: { ...options },
    collapseAdvice: { missingClasses: 'No option changes what noise shows: take another method' },
    start: (context) => startNoise(batchSize, context),
  };
}

function startNoise(batchSize: number, { backend, teacher, createRandom }: MethodContext): MethodSession {
  const size = teacher.graph.inputShape.reduce((product, length) => product * length, 1);
  const stream = createRandom('noise');
  const draw = (count: number, random = stream): AnsweredBatch =>
    answerBatch(teacher, backend.tensor(random.normal(count * size), [count, ...teacher.graph.inputShape]));
  let batch: AnsweredBatch | undefined;
  const free = (): void => {
    if (batch === undefined) return;
    backend.dispose(batch.images);
    backend.dispose(batch.teacherLogits);
    batch = undefined;
  };
  return {
    step() {
      free();
      batch = draw(batchSize);
      return { batches: [batch], losses: {} };
    },
    sample: (random) => draw(batchSize, random),
    async state() {
      return { counters: { noise: stream.state().counter }, tensors: new Map(), parts: [] };
    },
    async restore({ counters }) {
      stream.restore({ counter: counters.noise });
    },
    dispose: free,
  };
}
