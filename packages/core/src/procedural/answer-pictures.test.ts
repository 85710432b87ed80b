import { createCpuBackend } from '@dafl/backend-cpu';
import { afterEach, expect, it } from 'vitest';
import { trainTinyTeacher } from '../_testing/tiny-classifier.ts';
import { createNetwork } from '../model/network.ts';
import { sizeOf } from '../shape.ts';
import { answerPictures } from './answer-pictures.ts';

const backend = createCpuBackend();
afterEach(() => expect(backend.memory().tensors).toBe(0));

it('lets others have their turn before each batch, says the same in batches of any size, and stops when it is told to', async () => {
  const model = await trainTinyTeacher(backend);
  const network = createNetwork(backend, model);
  const pictures = Uint8Array.from({ length: 10 * sizeOf(model.graph.inputShape) }, (_, index) => (index * 37) % 256);
  let turns = 0;
  const turn = async (): Promise<void> => void turns++;
  const whole = await answerPictures(network, pictures, { turn });
  expect(turns).toBe(1);
  expect(await answerPictures(network, pictures, { turn, batchSize: 4 })).toEqual(whole);
  expect(turns).toBe(4);

  const controller = new AbortController();
  const abortsAtSecond = async (): Promise<void> => {
    if (++turns === 6) controller.abort();
  };
  const stopped = answerPictures(network, pictures, { turn: abortsAtSecond, batchSize: 4, signal: controller.signal });
  await expect(stopped).rejects.toThrow('abort');
  expect(turns).toBe(6);
  network.dispose();
});
