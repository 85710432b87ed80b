import type { ImageSet } from '@dafl/core';
import { expect, test } from 'vitest';
import { tinyTeacher } from '../../../../test-fixtures/tiny-teacher.ts';
import { fitImages } from './fit-images.ts';

const { graph: unnamed } = tinyTeacher();
const graph = { ...unnamed, classNames: ['ant', 'bee', 'cat'] };
const images: ImageSet = {
  count: 2,
  height: 1,
  width: 1,
  channels: 1,
  pixels: Uint8Array.of(1, 2),
  labels: Uint32Array.of(0, 1),
};

test('labels are those of the model for the same names', () => {
  expect(fitImages({ ...images, classNames: ['cat', 'ant'] }, graph)).toMatchObject({
    labels: Uint32Array.of(2, 0),
    classNames: graph.classNames,
  });
  expect(fitImages(images, graph).labels).toEqual(images.labels);
});

test.each([
  [
    ['0', '1', '2'],
    [0, 1],
  ],
  [
    ['1', '2'],
    [1, 2],
  ],
  [
    ['01', '02', '2'],
    [1, 2],
  ],
  [
    ['1', '2', '3'],
    [0, 1],
  ],
  [
    ['ant', 'bee', 'cat'],
    [0, 1],
  ],
])('of a model without names, folders %j have the labels %j', (classNames, labels) => {
  expect([...fitImages({ ...images, classNames }, unnamed).labels!]).toEqual(labels);
});

test.each([[['1', '10']], [['ant', 'bee']], [['1', 'ant']], [['a', 'b', 'c', 'd']]])(
  'of a model without names, folders %j are refused',
  (classNames) => {
    expect(() => fitImages({ ...images, classNames }, unnamed)).toThrow(
      `Cannot use the images with 'tiny' as it has no names of classes, so that theirs must be numbers in 0..2 or there must be 3: current names are [${classNames.join(', ')}]`,
    );
  },
);

test('a class that the model does not know is an error, unless no image has it', () => {
  expect(() => fitImages({ ...images, classNames: ['ant', 'dog'] }, graph)).toThrow(
    "Cannot use the images with 'tiny' as it must know their classes: current value is 'dog', not one of [ant, bee, cat]",
  );
  expect(fitImages({ ...images, classNames: ['ant', 'bee', 'dog'] }, graph).labels).toEqual(images.labels);
});

test('a name is the same however its accents are stored', () => {
  const [composed, apart] = ['größe'.normalize('NFC'), 'größe'.normalize('NFD')];
  expect(composed).not.toBe(apart);
  for (const [known, given] of [
    [composed, apart],
    [apart, composed],
  ]) {
    const fitted = fitImages(
      { ...images, classNames: ['bee', given] },
      { ...graph, classNames: ['ant', known, 'bee'] },
    );
    expect([...fitted.labels!]).toEqual([2, 1]);
  }
});

test('colours are mixed for a model that reads grey', () => {
  const colours = { ...images, channels: 3, pixels: Uint8Array.of(100, 0, 0, 0, 0, 100) };
  expect([...fitImages(colours, graph).pixels]).toEqual([30, 11]);
});
