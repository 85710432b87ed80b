import { createNetwork, type DistillOptions, evaluate, sliceImageSet } from '@dafl/core';

const TIMED_IMAGES = 1_000;

/** Milliseconds that one evaluation takes, measured on some of the images and the larger network; 0 without data. */
export async function timeEvaluation({
  backend,
  teacher,
  evaluation,
}: Pick<DistillOptions, 'backend' | 'teacher' | 'evaluation'>): Promise<number> {
  if (evaluation === undefined) return 0;
  const images = sliceImageSet(evaluation, 0, Math.min(TIMED_IMAGES, evaluation.count));
  const network = createNetwork(backend, teacher);
  try {
    const startedMs = performance.now();
    await evaluate(network, images);
    return ((performance.now() - startedMs) * evaluation.count) / images.count;
  } finally {
    network.dispose();
  }
}
