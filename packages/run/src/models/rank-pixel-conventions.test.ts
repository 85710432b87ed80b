import { readFileSync } from 'node:fs';
import { createRandomStream, initializeWeights } from '@dafl/core';
import { createArchitecture, importModel } from '@dafl/models';
import { expect, test } from 'vitest';
import { describePixelConventions } from './describe-pixel-conventions.ts';
import { rankPixelConventions } from './rank-pixel-conventions.ts';

const read = async (name: string) =>
  (await importModel(readFileSync(new URL(`../../../../test-fixtures/pytorch/${name}`, import.meta.url)), name)).model;

// Networks that were trained on pixels fed in that way: see train_conventions.py.
test.each(
  ['mnist', 'cifar'].flatMap((data) =>
    [
      ['0..1', 'pixels in 0..1'],
      ['-1..1', 'pixels in -1..1'],
      ['standardised', `mean 0 and deviation 1${data === 'cifar' ? ', as of ImageNet' : ''}`],
      ['0..255', 'pixels in 0..255'],
    ].map(([way, name]) => [data, way, name] as const),
  ),
)('what a network was trained on is told by its first batch norm: %s, %s', async (data, way, name) => {
  const ranked = (await rankPixelConventions(await read(`conventions/${data}-${way}.safetensors`)))!;
  expect(ranked.map((convention) => convention.name)).toHaveLength(4);
  expect(ranked[0].name).toBe(name);
  expect(ranked[0].misfit).toBeLessThan(ranked[1].misfit);
});

test('nothing tells without batch norm, and nothing before any training', async () => {
  expect(await rankPixelConventions(await read('lenet5-half.pt'))).toBeUndefined();
  const fresh = initializeWeights(createArchitecture('resnet20'), createRandomStream(1, 'weights'));
  expect(await rankPixelConventions(fresh)).toBeUndefined();
  expect(await describePixelConventions(fresh)).toMatch(/^Nothing in it tells which: it has no batch norm/);
});

test('the best, what it means and the others with their flags are told', async () => {
  expect(await describePixelConventions(await read('conventions/cifar-0..1.safetensors'))).toMatch(
    /^Its first batch norm fits pixels in 0\.\.1 best, which is what is assumed\. Misfits, 0 for none: pixels in 0\.\.1 0\.\d\d \(--range 0\.\.1\), /,
  );
  expect(await describePixelConventions(await read('conventions/cifar-0..255.safetensors'))).toMatch(
    /^Its first batch norm fits pixels in 0\.\.255 best, so that what is assumed is likely wrong\. .* over 10 \(--range -1\.\.1\)/,
  );
});
