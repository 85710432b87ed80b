import { createCpuBackend } from '@dafl/backend-cpu';
import { createRandomStream, describeClassifier } from '@dafl/core';
import { mean, multiply, withTape } from '@dafl/core/autodiff';
import { expect, test } from 'vitest';
import { tinyTeacher } from '../../../test-fixtures/tiny-teacher.ts';
import { drawMoves, type ImageMove, moveImages } from './_move-images.ts';
import { viewImages } from './_view-images.ts';

const backend = createCpuBackend({ precision: 'float64' });
const { graph } = tinyTeacher({ channels: 2 });
const classifier = describeClassifier(graph);
const bytes = createRandomStream(1, 'bytes').integers(4 * 128, 256);
const pictures = Array.from({ length: 4 }, (_, index) =>
  Uint8Array.from(bytes.subarray(index * 128, (index + 1) * 128)),
);
const still: ImageMove = { down: 0, right: 0, isFlipped: false };
const moves: readonly ImageMove[] = [
  still,
  { down: 2, right: -3, isFlipped: false },
  { down: -1, right: 0, isFlipped: true },
  { down: 3, right: 2, isFlipped: true },
];

test('moves tensors as it moves bytes', async () => {
  const upload = (values: Float32Array) => backend.tensor(values, [4, 8, 8, 2]);
  const images = upload(
    viewImages(
      pictures,
      moves.map(() => still),
      classifier,
    ),
  );
  const moved = withTape(backend, (tape) => {
    const { tensor, shape } = moveImages(tape, tape.constant(images), moves, 'border');
    return backend.reshape(tensor, shape);
  });
  expect(Array.from(await backend.read(moved))).toEqual(Array.from(viewImages(pictures, moves, classifier)));
  for (const tensor of [images, moved]) backend.dispose(tensor);
});

test('wraps what moves out, so that every pixel keeps its weight', async () => {
  const images = backend.tensor(createRandomStream(2, 'images').normal(4 * 128), [4, 8, 8, 2]);
  const weights = backend.tensor(createRandomStream(3, 'weights').normal(4 * 128), [4, 8, 8, 2]);
  const [moved, back] = withTape(backend, (tape) => {
    const leaf = tape.leaf(images);
    const value = moveImages(tape, leaf, moves, 'wrap');
    const output = backend.reshape(value.tensor, value.shape);
    const [gradient] = tape.gradients(mean(tape, multiply(tape, value, tape.constant(weights))), [leaf]);
    return [output, gradient];
  });
  const sorted = (values: ArrayLike<number>): number[] => Array.from(values).toSorted((a, b) => a - b);
  expect(sorted(await backend.read(moved))).toEqual(sorted(await backend.read(images)));
  // The derivative sends each weight back to the pixel that came there.
  const scaled = Array.from(await backend.read(weights), (value) => value / (4 * 128));
  sorted(await backend.read(back)).forEach((value, index) => expect(value).toBeCloseTo(sorted(scaled)[index], 12));
  for (const tensor of [images, weights, moved, back]) backend.dispose(tensor);
});

test('draws moves within their range, and flips only where it may', () => {
  const drawn = Array.from({ length: 40 }, () => drawMoves(createRandomStream(4, 'moves'), 2, false)).flat();
  expect(drawn.every(({ isFlipped }) => !isFlipped)).toBe(true);
  const random = createRandomStream(5, 'moves');
  const many = Array.from({ length: 40 }, () => drawMoves(random, 2, true)).flat();
  expect([...new Set(many.map(({ down }) => down))].toSorted((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2]);
  expect(new Set(many.map(({ isFlipped }) => isFlipped)).size).toBe(2);
});
