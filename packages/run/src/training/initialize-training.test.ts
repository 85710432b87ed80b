import { createRandomStream, type ImageSet, initializeWeights } from '@dafl/core';
import { createArchitecture } from '@dafl/models';
import { expect, test } from 'vitest';
import { initializeIdentity } from './initialize-identity.ts';
import { initializeWhitening } from './initialize-whitening.ts';

const graph = createArchitecture('airbench-0.5');
const drawn = initializeWeights(graph, createRandomStream(1, 'weights'));

test('identity: the first filters pass their channels on, the others and the first layer stay as they were', () => {
  const { weights } = initializeIdentity(drawn);
  const before = drawn.weights.get('block1/conv1.kernel')!;
  const { data, shape } = weights.get('block1/conv1.kernel')!;
  const [, , inputs, outputs] = shape;
  const at = (tap: number, input: number, output: number) => (tap * inputs + input) * outputs + output;
  for (let tap = 0; tap < 9; tap++) {
    for (let channel = 0; channel < inputs; channel++) {
      expect(data[at(tap, channel, channel)]).toBe(tap === 4 ? 1 : 0);
      expect(data[at(tap, channel, (channel + 1) % inputs)]).toBe(0);
      expect(data[at(tap, channel, inputs)]).toBe(before.data[at(tap, channel, inputs)]);
    }
  }
  expect(weights.get('patches.kernel')).toBe(drawn.weights.get('patches.kernel'));
});

const random = createRandomStream(2, 'images');
const count = 40;
const images: ImageSet = {
  height: 32,
  width: 32,
  channels: 3,
  count,
  pixels: Uint8Array.from(random.normal(count * 3072), (value) => Math.max(0, Math.min(255, 120 + 40 * value))),
};

test('whitening: what the first layer gives has variance 1 in each filter, and both signs', () => {
  const { model, node } = initializeWhitening(drawn, images);
  expect(node).toBe('patches');
  const { data, shape } = model.weights.get('patches.kernel')!;
  const size = shape[0] * shape[1] * shape[2];
  expect(shape[3]).toBe(2 * size);
  const { mean, standardDeviation } = graph.preprocessing!;
  let squares = 0;
  let patches = 0;
  for (let image = 0; image < count; image++) {
    for (let row = 0; row < 31; row++) {
      for (let column = 0; column < 31; column++) {
        let value = 0;
        for (let position = 0; position < size; position++) {
          const channel = position % 3;
          const x = column + (Math.floor(position / 3) % 2);
          const y = row + Math.floor(position / 6);
          const pixel = images.pixels[((image * 32 + y) * 32 + x) * 3 + channel] / 255;
          value += ((pixel - mean[channel]) / standardDeviation[channel]) * data[position * shape[3] + 5];
        }
        squares += value * value;
        patches++;
      }
    }
  }
  expect(squares / patches).toBeCloseTo(1, 2);
  for (let position = 0; position < size; position++)
    expect(data[position * shape[3] + size]).toBe(-data[position * shape[3]]);
});

test('whitening needs two filters for each value of a patch', () => {
  const other = initializeWeights(createArchitecture('resnet20'), createRandomStream(1, 'weights'));
  expect(() => initializeWhitening(other, images)).toThrow(
    "Cannot whiten the patches of 'resnet20' as node 'stem' must have 54 filters: current value is 16",
  );
});
