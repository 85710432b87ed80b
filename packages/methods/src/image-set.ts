import {
  type AnsweredBatch,
  check,
  DaflError,
  describeClassifier,
  type ImageSet,
  type Method,
  type MethodContext,
  type MethodSession,
  preprocess,
} from '@dafl/core';
import { answerBatch } from './_answer-batch.ts';
import { augment, type AugmentationOptions } from './augment.ts';

/** Options of `imageSet`. */
export interface ImageSetMethodOptions {
  /** As records name it: the images are the teacher's own training images, or others. */
  readonly name: 'original-data' | 'alternative-data';
  /** At least one. Labels are not read. */
  readonly images: ImageSet;
  /** What tells these images from others in a checkpoint, for example a hash. */
  readonly fingerprint: string;
  /** Images of one step, >= 1. */
  readonly batchSize: number;
  /** Changes to the images before the teacher sees them. */
  readonly augmentation: AugmentationOptions;
}

/**
 * Distillation on given images: in a new order each epoch, the student learns what the teacher says of them.
 *
 * Source: Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015, without the term of the true
 * labels; with other images, the "alternative data" of Chen et al., ICCV 2019, section 4.1.
 *
 * @throws {DaflError} `USAGE` if an option is out of range; `DATA` if there is no image.
 */
export function imageSet(options: ImageSetMethodOptions): Method {
  const { name, images, fingerprint, batchSize, augmentation } = options;
  check(Number.isInteger(batchSize) && batchSize >= 1, {
    cannot: `use method '${name}'`,
    as: "'batchSize' must be an integer >= 1",
    value: batchSize,
  });
  if (images.count < 1) throw new DaflError('DATA', `Cannot use method '${name}' as there must be images: found none`);
  return {
    name,
    options: { batchSize, augmentation, images: images.count, fingerprint },
    collapseAdvice: {
      alikeImages: 'Give images that differ more',
      missingClasses: 'Give images of more kinds',
    },
    start: (context) => startImageSet(options, context),
  };
}

function startImageSet(
  { images, batchSize, augmentation }: ImageSetMethodOptions,
  { backend, teacher, createRandom }: MethodContext,
): MethodSession {
  const classifier = describeClassifier(teacher.graph);
  const isChanged = augmentation.shift > 0 || augmentation.horizontalFlip;
  const changes = createRandom('augmentation');
  const size = Math.min(batchSize, images.count);
  const stepsPerEpoch = Math.floor(images.count / size);
  let epoch = -1;
  let order: Uint32Array = new Uint32Array();
  let batch: AnsweredBatch | undefined;
  const take = (indices: Uint32Array, isAugmented: boolean): AnsweredBatch => {
    const inputs = preprocess(images, indices, classifier);
    const changed = isAugmented ? augment(inputs, classifier, augmentation, changes) : inputs;
    return answerBatch(teacher, backend.tensor(changed, [indices.length, ...classifier.inputShape]));
  };
  const free = (): void => {
    if (batch === undefined) return;
    backend.dispose(batch.images);
    backend.dispose(batch.teacherLogits);
    batch = undefined;
  };
  return {
    step(step) {
      const current = Math.floor(step / stepsPerEpoch);
      if (current !== epoch) {
        epoch = current;
        // A stream of its own for each epoch: the order follows from the step alone.
        order = createRandom(`order ${epoch}`).permutation(images.count);
      }
      const position = (step % stepsPerEpoch) * size;
      free();
      batch = take(order.subarray(position, position + size), isChanged);
      return { batches: [batch], losses: {} };
    },
    sample: (random) => take(random.integers(size, images.count), false),
    async state() {
      return { counters: { augmentation: changes.state().counter }, tensors: new Map(), parts: [] };
    },
    async restore({ counters }) {
      changes.restore({ counter: counters.augmentation });
    },
    dispose: free,
  };
}
