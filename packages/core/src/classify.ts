import type { ImageSet } from './data/image-set.ts';
import { preprocess } from './data/preprocess.ts';
import type { EvaluateOptions } from './evaluate.ts';
import { inferenceBatchSize } from './inference-batch-size.ts';
import { describeClassifier } from './model/classifier.ts';
import type { Network } from './model/network.ts';
import { argMaxRows, predictLogits, softmaxRows } from './predict.ts';
import { createTurn } from './turn.ts';

/** What a classifier says of one image. */
export interface Classification {
  /** The most probable class, from 0 on. */
  readonly label: number;
  /** Its name, where the model knows one. */
  readonly className?: string;
  /** Of each class, 0..1; they sum to 1. */
  readonly probabilities: Float32Array;
}

/**
 * Classes and probabilities of images, preprocessed as the model says.
 *
 * @param images Labels are not read.
 * @returns One for each image, in their order.
 * @example
 * ```ts
 * const [{ className, label, probabilities }] = await classify(createNetwork(backend, model), images);
 * console.log(className ?? label, probabilities[label]);
 * ```
 */
export async function classify(
  network: Network,
  images: ImageSet,
  options: EvaluateOptions = {},
): Promise<Classification[]> {
  const { backend, graph } = network;
  const { batchSize = inferenceBatchSize(graph), signal, turn = createTurn() } = options;
  const classifier = describeClassifier(graph);
  const { classes } = classifier;
  const found: Classification[] = [];
  for (let begin = 0; begin < images.count; begin += batchSize) {
    await turn();
    signal?.throwIfAborted();
    const indices = Array.from({ length: Math.min(batchSize, images.count - begin) }, (_, offset) => begin + offset);
    const input = backend.tensor(preprocess(images, indices, classifier), [indices.length, ...classifier.inputShape]);
    const logits = await predictLogits(network, input).finally(() => backend.dispose(input));
    const probabilities = softmaxRows(logits, classes);
    argMaxRows(logits, classes).forEach((label, row) => {
      found.push({
        label,
        ...(graph.classNames !== undefined && { className: graph.classNames[label] }),
        probabilities: probabilities.slice(row * classes, (row + 1) * classes),
      });
    });
  }
  return found;
}
