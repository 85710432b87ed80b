import { createWasmBackend } from '@dafl/backend-wasm';
import { createRandomStream, dafl, distill, type ImageSet, initializeWeights, presets, shrink } from '@dafl/core';
import { createArchitecture } from '@dafl/models';
import { expect, test } from 'vitest';

test('a resnet20 whose steps fit 64 MiB is reported on in 64 MiB', async () => {
  const backend = await createWasmBackend({ threads: 1, maximumMemoryBytes: 64 * 2 ** 20 });
  const graph = createArchitecture('resnet20', { classes: 10 });
  const count = 200;
  const evaluation: ImageSet = {
    count,
    height: 32,
    width: 32,
    channels: 3,
    pixels: new Uint8Array(count * 32 * 32 * 3),
    labels: new Uint32Array(count),
  };
  const events: string[] = [];
  for await (const { event } of distill({
    backend,
    teacher: initializeWeights(graph, createRandomStream(0, 'teacher')),
    student: shrink(graph, 0.5),
    method: dafl({ ...presets.fast.dafl, batchSize: 4, replay: null }),
    training: presets.fast.training,
    steps: 1,
    seed: 0,
    evaluation,
  })) {
    events.push(event);
  }
  await backend.close();
  expect(events).not.toContain('warning');
  expect(events.at(-1)).toBe('result');
});
