import { createRandomStream, dafl, distill, initializeWeights, presets, shrink, type Tensor } from '@dafl/core';
import { createArchitecture } from '@dafl/models';
import { expect, it } from 'vitest';
import { createCountingBinding } from './_testing/counting-binding.ts';
import { NodeBackend } from './node-backend.ts';

/** Reads ones, as many as the tensor has: the binding does not know. */
class CountingBackend extends NodeBackend {
  override async read({ shape }: Tensor): Promise<Float32Array> {
    return new Float32Array(shape.reduce((product, length) => product * length, 1)).fill(1);
  }
}

/** TensorFlow's operations in the second step of the fast preset, by name. */
async function countStep(architecture: 'lenet5' | 'resnet20' | 'mobilenetv2'): Promise<Map<string, number>> {
  const binding = createCountingBinding();
  const backend = new CountingBackend(binding, 'counting');
  const isGrey = architecture === 'lenet5';
  const graph = createArchitecture(architecture, { inputShape: isGrey ? [32, 32, 1] : [32, 32, 3], classes: 10 });
  const teacher = initializeWeights(graph, createRandomStream(0, 'weights'));
  const method = dafl({ ...presets.fast.dafl, batchSize: 2 });
  const { training } = presets.fast;
  const run = distill({ backend, teacher, student: shrink(graph, 0.5), method, training, steps: 3, seed: 0 });
  let counts = new Map<string, number>();
  for await (const event of run) {
    if (event.event !== 'step') continue;
    counts = new Map(binding.counts);
    binding.counts.clear();
    if (event.step === 2) break;
  }
  await backend.close();
  return counts;
}

// Each operation costs TensorFlow's eager runtime some ten microseconds, whatever it computes.
it.each([
  ['lenet5', 1800],
  ['resnet20', 8000],
  ['mobilenetv2', 18_000],
] as const)('a step of %s takes at most %d operations', async (architecture, most) => {
  const counts = await countStep(architecture);
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  expect(total).toBeLessThanOrEqual(most);
});
