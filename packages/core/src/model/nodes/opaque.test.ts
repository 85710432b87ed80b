import { createCpuBackend } from '@dafl/backend-cpu';
import { beforeAll, expect, it } from 'vitest';
import { trainTinyTeacher } from '../../_testing/tiny-classifier.ts';
import { collectEvents, runToResult, tinyRun } from '../../_testing/tiny-run.ts';
import { procedural } from '../../methods/procedural.ts';
import { predictLogits } from '../../predict.ts';
import type { Model } from '../model.ts';
import { createNetwork } from '../network.ts';

const backend = createCpuBackend();
let teacher: Model;
let opaque: Model;
beforeAll(async () => {
  teacher = await trainTinyTeacher(backend);
  const { graph } = teacher;
  opaque = {
    graph: {
      ...graph,
      nodes: [{ kind: 'opaque', name: 'answers', inputs: ['input'], classes: 4 }],
      outputs: { logits: 'answers', features: 'answers' },
    },
    weights: new Map(),
    async answer(images, shape) {
      const network = createNetwork(backend, teacher);
      const input = backend.tensor(images, shape);
      const logits = Float32Array.from(await predictLogits(network, input));
      backend.dispose(input);
      network.dispose();
      return logits;
    },
  };
});

const method = procedural({ batchSize: 32, studentSteps: 2, pictures: 200 });

it('learns the same from answers alone as from a teacher at hand', async () => {
  const before = backend.memory().tensors;
  const training = { logitScale: 'usual', hintWeight: 2 } as const;
  const [open, closed] = [
    await runToResult(tinyRun(backend, teacher, { method, training, judges: true })),
    await runToResult(tinyRun(backend, opaque, { method, training, judges: true })),
  ];
  expect(closed.student).toEqual(open.student);
  expect(closed.verdict).toEqual(open.verdict);
  expect(backend.memory().tensors).toBe(before);
});

it('gives no weights to start from, and says nothing of it', async () => {
  const events = await collectEvents(tinyRun(backend, opaque, { method, training: { initialization: 'auto' } }));
  expect(events.find(({ event }) => event === 'start')).toMatchObject({ initialization: 'random' });
  expect(events.filter(({ event }) => event === 'warning')).toEqual([]);
});

it('is refused by methods that look into their teacher, and where nothing answers', async () => {
  await expect(runToResult(tinyRun(backend, opaque))).rejects.toThrow(
    "Cannot distill 'tiny' by method 'dafl' as the method must need answers alone",
  );
  const { answer: _, ...silent } = opaque;
  expect(() => createNetwork(backend, silent)).toThrow(
    "Cannot use model 'tiny' as another program computes its node 'answers'",
  );
});
