import { toPixels } from './data/preprocess.ts';
import type { SamplesEvent } from './distill-event.ts';
import type { DrawnSamples } from './draw-samples.ts';
import type { Classifier } from './model/classifier.ts';
import { argMaxRows, softmaxRows } from './predict.ts';

/** Picks the first images of each class, as a picture of samples shows them: one that a method gave twice only where others are too few. */
export function pickSamples(
  { images, logits }: Pick<DrawnSamples, 'images' | 'logits'>,
  classifier: Classifier,
  { step, perClass = 8 }: { readonly step: number; readonly perClass?: number },
): SamplesEvent {
  const { inputShape, classes } = classifier;
  const [height, width, channels] = inputShape;
  const labels = argMaxRows(logits, classes);
  const probabilities = softmaxRows(logits, classes);
  const ofClass = Array.from({ length: classes }, (): number[] => []);
  labels.forEach((label, index) => ofClass[label].push(index));
  const size = height * width * channels;
  const imageAt = (index: number): Float32Array => images.subarray(index * size, (index + 1) * size);
  const chosen = ofClass.flatMap((indices) => {
    const fresh: number[] = [];
    const known: number[] = [];
    for (const index of indices) {
      if (fresh.length === perClass) break;
      (fresh.some((other) => isSame(imageAt(other), imageAt(index))) ? known : fresh).push(index);
    }
    return [...fresh, ...known].slice(0, perClass);
  });
  const normalised = new Float32Array(chosen.length * size);
  chosen.forEach((index, position) => normalised.set(imageAt(index), position * size));
  return {
    event: 'samples',
    step,
    height,
    width,
    channels,
    images: toPixels(normalised, classifier),
    labels: Uint32Array.from(chosen, (index) => labels[index]),
    confidences: Float32Array.from(chosen, (index) => probabilities[index * classes + labels[index]]),
    classes,
    classCounts: ofClass.map(({ length }) => length),
    perClass,
  };
}

function isSame(one: Float32Array, other: Float32Array): boolean {
  return one.every((value, index) => value === other[index]);
}
