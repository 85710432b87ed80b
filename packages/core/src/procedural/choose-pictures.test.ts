import { createCpuBackend } from '@dafl/backend-cpu';
import { afterEach, expect, it } from 'vitest';
import { trainTinyTeacher } from '../_testing/tiny-classifier.ts';
import { createNetwork } from '../model/network.ts';
import { createRandomStream } from '../random.ts';
import { createTurn } from '../turn.ts';
import { choosePictures } from './choose-pictures.ts';

const backend = createCpuBackend();
afterEach(() => expect(backend.memory().tensors).toBe(0));

it('keeps pictures of all classes, and no more than may be drawn', async () => {
  const teacher = createNetwork(backend, await trainTinyTeacher(backend));
  const options = { createRandom: (purpose: string) => createRandomStream(0, purpose), turn: createTurn() };
  const many = await choosePictures(teacher, { most: 80, ...options });
  expect(new Set(many.labels)).toEqual(new Set([0, 1, 2, 3]));
  expect(many.count).toBeGreaterThan(60);
  const few = await choosePictures(teacher, { most: 80, mostDrawn: 12, ...options });
  expect(few.count).toBeGreaterThan(0);
  expect(few.count).toBeLessThanOrEqual(12);
  teacher.dispose();
});
