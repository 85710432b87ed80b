import { DaflError } from './errors.ts';
import type { ImageSet } from './data/image-set.ts';
import { preprocess } from './data/preprocess.ts';
import { describeClassifier } from './model/classifier.ts';
import type { Network } from './model/network.ts';
import { argMaxRows, predictLogits } from './predict.ts';

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
  /** Images at a time; default 500. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
}

/**
 * Accuracy of a classifier on labelled images, preprocessed as its model says.
 *
 * @throws {DaflError} `DATA` if the images have no labels, or labels the classifier does not know.
 */
export async function evaluate(network: Network, images: ImageSet, options: EvaluateOptions = {}): Promise<Evaluation> {
  const { batchSize = 500, signal } = options;
  const { backend, graph } = network;
  const classifier = describeClassifier(graph);
  const { labels } = images;
  if (labels === undefined)
    throw new DaflError('DATA', 'Cannot evaluate as the images must have labels: current value is undefined');
  if (images.count < 1)
    throw new DaflError('DATA', `Cannot evaluate as there must be images: current value is ${images.count}`);
  const confusion = Array.from({ length: classifier.classes }, () => Array<number>(classifier.classes).fill(0));
  let correct = 0;
  for (let begin = 0; begin < images.count; begin += batchSize) {
    signal?.throwIfAborted();
    const indices = Array.from({ length: Math.min(batchSize, images.count - begin) }, (_, offset) => begin + offset);
    const input = backend.tensor(preprocess(images, indices, classifier), [indices.length, ...classifier.inputShape]);
    const predicted = argMaxRows(await predictLogits(network, input), classifier.classes);
    backend.dispose(input);
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
