import { createCpuBackend } from '@dafl/backend-cpu';
import { createRandomStream, distill, initializeWeights, presets, shrink } from '@dafl/core';
import { mean, type Tape, type Value, withTape } from '@dafl/core/autodiff';
import { GraphBuilder } from '@dafl/models';
import { expect, test } from 'vitest';
import { doubt, dreams, roughness } from './own-method.ts';

/** The greatest difference of the gradient of a loss from central differences. */
async function differ(shape: readonly number[], loss: (tape: Tape, value: Value) => Value): Promise<number> {
  const backend = createCpuBackend({ precision: 'float64' });
  const size = shape.reduce((product, length) => product * length, 1);
  const values = Float64Array.from(createRandomStream(1, 'values').normal(size));
  const [gradient] = withTape(backend, (tape) => {
    const leaf = tape.leaf(backend.tensor(values, shape));
    return tape.gradients(loss(tape, leaf), [leaf]);
  });
  const found = await backend.read(gradient);
  let worst = 0;
  for (let index = 0; index < size; index++) {
    const at = async (change: number): Promise<number> => {
      const moved = values.slice();
      moved[index] += change;
      const scalar = withTape(backend, (tape) => {
        const { tensor } = loss(tape, tape.constant(backend.tensor(moved, shape)));
        return backend.reshape(tensor, []);
      });
      return (await backend.read(scalar))[0];
    };
    const expected = ((await at(1e-5)) - (await at(-1e-5))) / 2e-5;
    worst = Math.max(worst, Math.abs(expected - found[index]));
  }
  return worst;
}

test('the gradients of both losses are those of finite differences', async () => {
  expect(await differ([3, 4], (tape, logits) => mean(tape, doubt(tape, logits)))).toBeLessThan(1e-8);
  expect(await differ([2, 3, 4, 2], roughness)).toBeLessThan(1e-8);
});

test('the images of the method come to please its losses, and nothing is left behind', async () => {
  const backend = createCpuBackend({ precision: 'float32' });
  const builder = new GraphBuilder({ name: 'tiny', classes: 3, inputShape: [8, 8, 1] });
  builder.convolution('conv', 4, { stride: 2 });
  builder.batchNorm('bn');
  builder.activation('relu');
  builder.flatten('features');
  const teacher = initializeWeights(builder.classifier(), createRandomStream(0, 'teacher'));
  const first = async (updates: number): Promise<Readonly<Record<string, number>>> => {
    const method = dreams({ batchSize: 8, updates, learningRate: 0.1, roughnessWeight: 0.5 });
    const { training } = presets.fast;
    const student = shrink(teacher.graph, 0.5);
    let losses: Readonly<Record<string, number>> = {};
    for await (const event of distill({ backend, teacher, student, method, training, steps: 1, seed: 0 }))
      if (event.event === 'step') losses = event.losses;
    return losses;
  };
  const [before, after] = [await first(1), await first(10)];
  for (const name of ['doubt', 'rough', 'strange']) expect(after[name]).toBeLessThan(before[name]);
  expect(backend.memory().tensors).toBe(0);
});
