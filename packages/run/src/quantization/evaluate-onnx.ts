import {
  argMaxRows,
  createTurn,
  describeClassifier,
  type Graph,
  type ImageSet,
  inferenceBatchSize,
  preprocess,
} from '@dafl/core';
import type { OnnxRuntime } from '../answers/load-onnx-runtime.ts';

/**
 * Accuracy of an ONNX file that dafl wrote, channels first, on labelled images, run by ONNX Runtime.
 *
 * @param graph The model's, for the classes and the preprocessing.
 * @returns Share of the images whose class was found, 0..1.
 */
export async function evaluateOnnx(
  bytes: Uint8Array,
  graph: Graph,
  images: ImageSet,
  { runtime, signal }: { readonly runtime: OnnxRuntime; readonly signal?: AbortSignal },
): Promise<number> {
  const classifier = describeClassifier(graph);
  const { inputShape, classes } = classifier;
  const [height, width, channels] = inputShape;
  const batch = inferenceBatchSize(graph);
  const turn = createTurn();
  const session = await runtime.InferenceSession.create(bytes);
  let correct = 0;
  try {
    for (let begin = 0; begin < images.count; begin += batch) {
      await turn();
      signal?.throwIfAborted();
      const indices = Array.from({ length: Math.min(batch, images.count - begin) }, (_, index) => begin + index);
      const input = toChannelsFirst(preprocess(images, indices, classifier), height * width, channels);
      const shape = [indices.length, channels, height, width];
      const { logits } = await session.run({ input: new runtime.Tensor('float32', input, shape) });
      argMaxRows(logits.data, classes).forEach((label, row) => {
        if (label === images.labels?.[begin + row]) correct++;
      });
    }
  } finally {
    await session.release();
  }
  return correct / images.count;
}

function toChannelsFirst(values: Float32Array, area: number, channels: number): Float32Array {
  if (channels === 1) return values;
  const output = new Float32Array(values.length);
  for (let begin = 0, at = 0; begin < values.length; begin += area * channels) {
    for (let channel = 0; channel < channels; channel++) {
      for (let pixel = 0; pixel < area; pixel++, at++) output[at] = values[begin + pixel * channels + channel];
    }
  }
  return output;
}
