import { createRandomStream, initializeWeights, type Model } from '@dafl/core';
import { expect, test } from 'vitest';
import { createArchitecture } from './architectures/create-architecture.ts';
import { setPixelConvention } from './set-pixel-convention.ts';

const { graph, weights } = initializeWeights(createArchitecture('lenet5'), createRandomStream(1, 'weights'));
const silent: Model = { graph: { ...graph, preprocessing: undefined }, weights };
const said: Model = {
  graph: { ...graph, preprocessing: { resize: 'bilinear', mean: [0.4], standardDeviation: [0.25] } },
  weights,
};

test('a mean without its deviation is refused, and the reverse, where the model says neither', () => {
  expect(() => setPixelConvention(silent, { mean: [0.5] })).toThrow(
    "Cannot use model 'lenet5' as 'mean' and 'std' must be given together, as the model says neither: current value is [0.5] and none",
  );
  expect(() => setPixelConvention(silent, { std: [0.5], range: '0..255' })).toThrow(
    "Cannot use model 'lenet5' as 'mean' and 'std' must be given together, as the model says neither: current value is none and [0.5]",
  );
});

test('the one that is not given stays as the model says it', () => {
  const of = (...parameters: Parameters<typeof setPixelConvention>): unknown =>
    setPixelConvention(...parameters).graph.preprocessing;
  expect(of(said, { mean: [0.5] })).toEqual({ resize: 'bilinear', mean: [0.5], standardDeviation: [0.25] });
  expect(of(said, { std: [51], range: '0..255' })).toEqual({
    resize: 'bilinear',
    mean: [0.4],
    standardDeviation: [0.2],
  });
});

test('a mean that no such pixels have is refused, with the range that has it', () => {
  expect(() => setPixelConvention(silent, { mean: [120], std: [60] })).toThrow(
    "Cannot use model 'lenet5' as 'mean' must lie within its pixels, 0..1: current value is [120]. Pixels of other ranges are told by --range 0..255",
  );
  expect(() => setPixelConvention(silent, { mean: [300], std: [60], range: '0..255' })).toThrow(
    "Cannot use model 'lenet5' as 'mean' must lie within its pixels, 0..255: current value is [300]",
  );
  for (const given of [{ mean: [1] }, { mean: [-1], range: '-1..1' }, { mean: [255], range: '0..255' }] as const)
    expect(() => setPixelConvention(silent, { std: [1], ...given })).not.toThrow();
});

test('a range alone has neither', () => {
  const { preprocessing } = setPixelConvention(said, { range: '-1..1' }).graph;
  expect(preprocessing).toEqual({ resize: 'bilinear', mean: [0.5], standardDeviation: [0.5] });
});

test('as many means as channels', () => {
  expect(() => setPixelConvention(silent, { mean: [0.5, 0.5], std: [1] })).toThrow(
    "Cannot use model 'lenet5' as 'mean' must be 1 number: current value is [0.5, 0.5]",
  );
});
