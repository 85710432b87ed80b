import { shrink, initializeWeights, createRandomStream } from '@dafl/core';
import { expect, test } from 'vitest';
import { tinyTeacher } from '../../../test-fixtures/tiny-teacher.ts';
import { compareModels } from './compare-models.ts';

const model = tinyTeacher();

test('a model does not differ from itself', () => {
  expect(compareModels(model, model)).toEqual([]);
});

test('tells the largest difference of the weights of a layer', () => {
  const bias = model.weights.get('logits.bias')!;
  const data = bias.data.map((value, index) => value + (index === 1 ? 0.25 : 0));
  const changed = { ...model, weights: new Map(model.weights).set('logits.bias', { ...bias, data }) };
  expect(compareModels(model, changed)).toEqual([
    { name: 'logits', first: 'dense 3', second: 'dense 3', largestDifference: expect.closeTo(0.25, 6) as number },
  ]);
});

test('tells layers of another shape', () => {
  const half = initializeWeights(shrink(model.graph, 0.5), createRandomStream(1, 'half'));
  const differences = compareModels(model, half);
  expect(differences[0]).toMatchObject({ name: 'conv', first: 'conv2d 4 x 4 x 4', second: 'conv2d 4 x 4 x 2' });
  expect(differences.map(({ name }) => name)).toEqual(['conv', 'relu', 'features', 'logits']);
});
