import { fail } from './check.ts';
import { DaflError } from './errors.ts';
import type { ImageSet } from './data/image-set.ts';
import { preprocess } from './data/preprocess.ts';
import { inferenceBatchSize } from './inference-batch-size.ts';
import { describeClassifier } from './model/classifier.ts';
import type { Network } from './model/network.ts';
import { argMaxRows, predictLogits } from './predict.ts';
import { createTurn, type Turn } from './turn.ts';

/** How well a classifier does on labelled images. */
export interface Evaluation {
  /** Share of images whose class was found, 0..1. */
  readonly accuracy: number;
  readonly count: number;
  /** `confusion[truth][predicted]`: counts. */
  readonly confusion: readonly (readonly number[])[];
}

/** Options of `evaluate`. */
export interface EvaluateOptions {
  /** Images at a time; default 500, and fewer where the network's feature maps are large. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
  /** Called between batches, so that signals and timers are heard; default: a macrotask. */
  readonly turn?: Turn;
}

/**
 * Accuracy of a classifier on labelled images, preprocessed as its model says.
 *
 * @throws {DaflError} `DATA` if the images have no labels, or labels the classifier does not know.
 */
export async function evaluate(network: Network, images: ImageSet, options: EvaluateOptions = {}): Promise<Evaluation> {
  const { backend, graph } = network;
  const { batchSize = inferenceBatchSize(graph), signal, turn = createTurn() } = options;
  const classifier = describeClassifier(graph);
  const { labels } = images;
  if (labels === undefined)
    throw new DaflError('DATA', 'Cannot evaluate as the images must have labels: current value is none');
  if (images.count < 1) fail({ code: 'DATA', cannot: 'evaluate', as: 'there must be images', value: images.count });
  const confusion = Array.from({ length: classifier.classes }, () => Array<number>(classifier.classes).fill(0));
  let correct = 0;
  for (let begin = 0; begin < images.count; begin += batchSize) {
    await turn();
    signal?.throwIfAborted();
    const indices = Array.from({ length: Math.min(batchSize, images.count - begin) }, (_, offset) => begin + offset);
    const input = backend.tensor(preprocess(images, indices, classifier), [indices.length, ...classifier.inputShape]);
    const logits = await predictLogits(network, input).finally(() => backend.dispose(input));
    const predicted = argMaxRows(logits, classifier.classes);
    indices.forEach((index, position) => {
      const label = labels[index];
      if (label >= classifier.classes) {
        throw new DaflError(
          'DATA',
          `Cannot evaluate as labels must be below ${classifier.classes}: current value at ${index} is ${label}`,
        );
      }
      confusion[label][predicted[position]]++;
      if (label === predicted[position]) correct++;
    });
  }
  return { accuracy: correct / images.count, count: images.count, confusion };
}
