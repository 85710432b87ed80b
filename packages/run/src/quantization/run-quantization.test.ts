import { createCpuBackend } from '@dafl/backend-cpu';
import { choosePictures, createNetwork, createRandomStream, createTurn } from '@dafl/core';
import { expect, test } from 'vitest';
import { tinyTeacher } from '../../../../test-fixtures/tiny-teacher.ts';
import { runQuantization } from './run-quantization.ts';

test('a model in eight bits names the same classes, simulated and in ONNX Runtime', async () => {
  const backend = createCpuBackend();
  const model = tinyTeacher({ channels: 3 });
  // Labelled by the model itself.
  const evaluation = await choosePictures(createNetwork(backend, model), {
    most: 60,
    createRandom: (purpose) => createRandomStream(1, purpose),
    turn: createTurn(),
  });
  const { marks, accuracies, bytes } = await runQuantization(model, { backend, evaluation });
  expect(bytes.length).toBeLessThan(2500);
  expect(marks.agreement).toBeGreaterThan(0.95);
  expect(accuracies).toMatchObject({ before: 1, count: evaluation.count });
  // Whichever of its packages is here: that for the web is one of the repository's own tools.
  expect(accuracies!.runBy).toMatch(/^onnxruntime-(node|web)$/);
  expect(accuracies!.after).toBeGreaterThan(0.9);
});
