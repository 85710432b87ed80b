import { createNetwork, evaluate, type ImageSet, type Model, sliceImageSet, type TensorBackend } from '@dafl/core';

/** Two batches of an evaluation. */
const TIMED_IMAGES = 1_000;

/** What is evaluated. */
interface TimedEvaluation {
  readonly backend: TensorBackend;
  readonly model: Model;
  readonly evaluation: ImageSet | undefined;
  readonly signal?: AbortSignal;
  /** Images that are timed at most; default: two batches. */
  readonly most?: number;
}

/** Milliseconds that one evaluation takes, measured on some of the images; 0 without data. */
export async function timeEvaluation({
  backend,
  model,
  evaluation,
  signal,
  most = TIMED_IMAGES,
}: TimedEvaluation): Promise<number> {
  if (evaluation === undefined) return 0;
  const images = sliceImageSet(evaluation, 0, Math.min(most, evaluation.count));
  const network = createNetwork(backend, model);
  try {
    // The first time allocates and compiles.
    await evaluate(network, images, { signal });
    const startedMs = performance.now();
    await evaluate(network, images, { signal });
    return ((performance.now() - startedMs) * evaluation.count) / images.count;
  } finally {
    network.dispose();
  }
}
