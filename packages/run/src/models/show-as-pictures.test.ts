import { createCpuBackend } from '@dafl/backend-cpu';
import {
  createNetwork,
  createRandomStream,
  describeClassifier,
  type Graph,
  initializeWeights,
  predictLogits,
} from '@dafl/core';
import { describe, expect, it } from 'vitest';
import { showAsPictures } from './show-as-pictures.ts';

const rows = (count: number): Graph => ({
  name: 'rows',
  inputShape: [count],
  nodes: [{ kind: 'dense', name: 'head', inputs: ['input'], units: 3, useBias: true }],
  outputs: { logits: 'head', features: 'input' },
});
const modelOf = (graph: Graph) => initializeWeights(graph, createRandomStream(1, 'weights'));

describe('a network of rows of pixels', () => {
  it('takes pictures: the same numbers, in rows', async () => {
    const model = modelOf(rows(784));
    const { model: shown, note } = showAsPictures(model);
    expect(note).toBe('Its 784 values are taken for pictures of 28x28x1, row by row (--input-size)');
    expect(describeClassifier(shown.graph)).toMatchObject({ inputShape: [28, 28, 1], featureSize: 784 });
    const backend = createCpuBackend();
    const pixels = createRandomStream(2, 'pixels').normal(2 * 784);
    const [row, picture] = [
      [2, 784],
      [2, 28, 28, 1],
    ].map((shape) => backend.tensor(pixels, shape));
    expect(await predictLogits(createNetwork(backend, shown), picture)).toEqual(
      await predictLogits(createNetwork(backend, model), row),
    );
  });

  it('takes pictures of the size that is told, and keeps how they are prepared', () => {
    const preprocessing = {
      resize: 'bilinear',
      mean: Array<number>(600).fill(0.5),
      standardDeviation: Array<number>(600).fill(0.25),
    } as const;
    const { model } = showAsPictures(modelOf({ ...rows(600), preprocessing }), [10, 20]);
    expect(model.graph).toMatchObject({
      inputShape: [10, 20, 3],
      preprocessing: { mean: [0.5, 0.5, 0.5], standardDeviation: [0.25, 0.25, 0.25] },
    });
    expect(() => showAsPictures(modelOf(rows(600)), [10, 10])).toThrow(
      "Cannot use model 'rows' as 'inputSize' must make 600 values in one channel or three: current value is [10, 10]",
    );
  });

  it.each([4, 36, 100.5 * 2])('is left where %d values are no square, or few', (count) => {
    const model = modelOf(rows(count));
    expect(showAsPictures(model)).toEqual({ model });
  });
});
