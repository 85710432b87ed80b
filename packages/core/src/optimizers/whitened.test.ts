import { createCpuBackend } from '@dafl/backend-cpu';
import { afterEach, describe, expect, it } from 'vitest';
import { Variable } from '../autodiff/variable.ts';
import { createRandomStream } from '../random.ts';
import { createOptimizer } from './create-optimizer.ts';
import type { Optimizer, OptimizerOptions } from './optimizer.ts';
import { createWhitened, type WhitenedLayer } from './whitened.ts';

const backend = createCpuBackend({ precision: 'float32' });
afterEach(() => expect(backend.memory().tensors).toBe(0));

const names = ['first.kernel', 'layer.kernel', 'layer.bias'];
const shapes = [[2], [1, 2, 1, 2], [2]];
const firstValues = [
  [1, 2],
  [0.5, 0.25, -1, 2],
  [0.125, -0.5],
];
/** `[kernel; bias] = transformᵀ weights` gives the first values. */
const layer: WhitenedLayer = {
  name: 'layer',
  size: 3,
  transform: Float32Array.from([2, 0, -1, 0, 0.5, 0, 0, 0, 1]),
  weights: Float32Array.from([0.25, 0.125, -2, 4, 0.375, -0.375]),
};

function variables(): Variable[] {
  return names.map((name, index) => {
    return new Variable(backend, name, backend.tensor(Float32Array.from(firstValues[index]), shapes[index]), true);
  });
}

async function valuesOf(given: readonly Variable[]): Promise<number[][]> {
  return Promise.all(given.map(async ({ tensor }) => Array.from(await backend.read(tensor))));
}

/** Updates by gradients that are drawn. */
function update(optimizer: Optimizer, steps: number, seed = 1): void {
  const random = createRandomStream(seed, 'gradients');
  for (let step = 0; step < steps; step++)
    optimizer.apply(
      shapes.map((shape) => backend.tensor(random.normal(shape.reduce((size, axis) => size * axis, 1)), shape)),
      0.1,
    );
}

describe('createWhitened', () => {
  it("updates a layer's weights in its coordinates, and all else in its own", async () => {
    const given = variables();
    const optimizer = createWhitened(backend, given, { kind: 'sgd' });
    optimizer.whiten([layer]);
    const gradients = [
      [1, 1],
      [1, 0, 0, 2],
      [0, 1],
    ];
    optimizer.apply(
      gradients.map((values, index) => backend.tensor(Float32Array.from(values), shapes[index])),
      0.1,
    );
    // With the gradient G = [kernel; bias] = [[1, 0], [0, 2], [0, 1]]: T G = [[2, -1], [0, 1], [0, 1]], and
    // Tᵀ T G = [[4, -2], [0, 0.5], [-2, 2]].
    const expected = [
      [0.9, 1.9],
      [0.1, 0.45, -1, 1.95],
      [0.325, -0.7],
    ];
    (await valuesOf(given)).forEach((values, index) =>
      values.forEach((value, at) => expect(value).toBeCloseTo(expected[index][at], 6)),
    );
    optimizer.dispose();
    for (const variable of given) variable.dispose();
  });

  it.each<OptimizerOptions>([{ kind: 'adam', relative: true }, { kind: 'sgd', momentum: 0.9 }, { kind: 'sgd' }])(
    'goes on bit for bit from a saved state: %j',
    async (options) => {
      const [whole, begun, resumed] = [variables(), variables(), variables()];
      const optimizers = [whole, begun, resumed].map((given) => createWhitened(backend, given, options));
      for (const optimizer of optimizers.slice(0, 2)) optimizer.whiten([layer]);
      update(optimizers[0], 3);
      update(optimizers[0], 2, 2);
      update(optimizers[1], 3);
      resumed.forEach((variable, index) => variable.assign(backend.reshape(begun[index].tensor, shapes[index])));
      optimizers[2].restore(await optimizers[1].state());
      update(optimizers[2], 2, 2);
      expect(await valuesOf(resumed)).toEqual(await valuesOf(whole));
      expect(await optimizers[2].state()).toEqual(await optimizers[0].state());
      for (const owned of [...optimizers, ...whole, ...begun, ...resumed]) owned.dispose();
    },
  );

  it('is the optimizer itself where there are no coordinates', async () => {
    const [plain, whitened] = [variables(), variables()];
    const optimizers = [
      createOptimizer(backend, plain, { kind: 'adam' }),
      createWhitened(backend, whitened, { kind: 'adam' }),
    ];
    for (const optimizer of optimizers) update(optimizer, 3);
    expect(await valuesOf(whitened)).toEqual(await valuesOf(plain));
    for (const owned of [...optimizers, ...plain, ...whitened]) owned.dispose();
  });

  it('waits for coordinates after a state from before the first update', async () => {
    const given = variables();
    const optimizer = createWhitened(backend, given, { kind: 'adam' });
    optimizer.restore(await optimizer.state());
    optimizer.whiten([layer]);
    update(optimizer, 1);
    expect((await optimizer.state()).tensors.has('layer.whitened/transform')).toBe(true);
    for (const owned of [optimizer, ...given]) owned.dispose();
  });

  it('refuses a state that lacks the weights of a layer', async () => {
    const given = variables();
    const optimizer = createWhitened(backend, given, { kind: 'sgd' });
    optimizer.whiten([layer]);
    update(optimizer, 1);
    const { step, tensors } = await optimizer.state();
    const lacking = new Map([...tensors].filter(([name]) => name !== 'layer.whitened/weights'));
    expect(() => optimizer.restore({ step, tensors: lacking })).toThrow(
      "Cannot restore optimizer as the checkpoint must hold 'layer.whitened/weights': current value is missing",
    );
    for (const owned of [optimizer, ...given]) owned.dispose();
  });
});
