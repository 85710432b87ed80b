import { createCpuBackend } from '@dafl/backend-cpu';
import { createNetwork, type Model, predictLogits } from '@dafl/core';

/** The numbers that the generators of the fixtures make (`inputs` in `_store.py`): 0..1. */
export function drawInputs(size: number): Float32Array {
  let state = 7n;
  return Float32Array.from({ length: size }, () => {
    state = (1103515245n * state + 12345n) % 2n ** 31n;
    return Number(state) / 2 ** 31;
  });
}

/**
 * What a model computes.
 *
 * @param values Pixels in 0..1, in the order that the file's owner takes.
 * @param shape `[batch, channels, height, width]`, or with the channels last.
 */
export async function runModel(model: Model, values: Float32Array, shape: readonly number[]): Promise<number[]> {
  const { inputShape, preprocessing } = model.graph;
  const isChannelsLast = inputShape.every((size, axis) => size === shape[axis + 1]);
  const pixels = isChannelsLast ? values : channelsLast(values, shape);
  const channels = inputShape[2];
  const prepared = pixels.map((pixel, index) => {
    const channel = index % channels;
    return preprocessing === undefined
      ? pixel
      : (pixel - preprocessing.mean[channel]) / preprocessing.standardDeviation[channel];
  });
  const backend = createCpuBackend({ precision: 'float64' });
  const network = createNetwork(backend, model);
  return [...(await predictLogits(network, backend.tensor(prepared, [shape[0], ...inputShape])))];
}

function channelsLast(values: Float32Array, [batch, channels, height, width]: readonly number[]): Float32Array {
  const output = new Float32Array(values.length);
  const area = height * width;
  for (let example = 0; example < batch; example++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let pixel = 0; pixel < area; pixel++)
        output[(example * area + pixel) * channels + channel] = values[(example * channels + channel) * area + pixel];
    }
  }
  return output;
}
