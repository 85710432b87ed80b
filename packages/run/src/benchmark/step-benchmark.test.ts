import { createCpuBackend } from '@dafl/backend-cpu';
import { createWasmBackend } from '@dafl/backend-wasm';
import { distill } from '@dafl/core';
import { parseSafetensors } from '@dafl/models';
import { expect, test } from 'vitest';
import { type BenchmarkCase, prepareCase } from './benchmark-case.ts';
import { createStepBenchmark } from './step-benchmark.ts';
import { checkedSteps, writeBenchmarkStart } from './write-benchmark-start.ts';

const tiny: BenchmarkCase = { name: 'fast', batchSize: 2, imageSize: 28, generatorWidth: 1, seed: 3 };

test('runs the steps of distill, one after another', async () => {
  const backend = createCpuBackend();
  const run = await createStepBenchmark(backend, tiny);
  const first = await run.step(1);
  const third = await run.step(2);
  await run.close();
  const expected: object[] = [];
  for await (const event of distill({ ...(await prepareCase(tiny)).options, backend })) {
    if (event.event === 'step') expected.push(event.losses);
    if (expected.length === 3) break;
  }
  expect([first.losses, third.losses]).toEqual([expected[0], expected[2]]);
  expect(first.milliseconds).toBeGreaterThan(0);
  expect(backend.memory().tensors).toBe(0);
  await expect(run.step(1)).rejects.toThrow('Cannot measure a step as the run must not be closed');
});

test('measures the matrix product and leaves nothing behind', async () => {
  const backend = await createWasmBackend({ threads: 1 });
  const run = await createStepBenchmark(backend, tiny);
  const before = backend.memory();
  const { gigaflopsPerSecond, size } = await run.measureMatMul();
  expect(gigaflopsPerSecond).toBeGreaterThan(0);
  expect([1024, 1536, 2048]).toContain(size);
  expect(backend.memory()).toEqual(before);
  await run.close();
  await backend.close();
});

test('writes down what the first steps start from', async () => {
  const { recipe, tensors, draws } = await writeBenchmarkStart({ ...tiny, imageSize: 32 });
  const file = parseSafetensors(tensors, 'start');
  const shapeOf = (name: string) => file.tensors.get(name)?.shape;
  expect(shapeOf('teacher/conv1.kernel')).toEqual([5, 5, 1, 6]);
  expect(shapeOf('student/conv1.kernel')).toEqual([5, 5, 1, 3]);
  expect(shapeOf('generator/project.kernel')).toEqual([100, 16 * 8 * 8]);
  expect(shapeOf(`latent/${checkedSteps - 1}`)).toEqual([2, 100]);
  expect(draws[0]).toEqual(Array(16).fill(0));
  expect(draws[1].every((draw) => draw === 0 || draw === 1)).toBe(true);
  expect(recipe).toMatchObject({
    imageSize: 32,
    channels: 1,
    teacher: {
      convolutions: [
        [6, 5],
        [16, 5],
        [120, 5],
      ],
      dense: 84,
      classes: 10,
    },
    student: {
      convolutions: [
        [3, 5],
        [8, 5],
        [60, 5],
      ],
      dense: 42,
      classes: 10,
    },
  });
});
