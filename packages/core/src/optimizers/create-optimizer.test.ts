import { createCpuBackend } from '@dafl/backend-cpu';
import { describe, expect, it } from 'vitest';
import { Variable } from '../autodiff/variable.ts';
import { DaflError } from '../errors.ts';
import { createOptimizer } from './create-optimizer.ts';
import type { OptimizerOptions } from './optimizer.ts';

const backend = createCpuBackend();

describe('createOptimizer', () => {
  it.each<[OptimizerOptions, string]>([
    [{ kind: 'adam', beta1: 1 }, "Cannot create Adam as 'beta1' must be in [0, 1): current value is 1"],
    [{ kind: 'adam', beta2: -0.1 }, "Cannot create Adam as 'beta2' must be in [0, 1): current value is -0.1"],
    [{ kind: 'adam', epsilon: 0 }, "Cannot create Adam as 'epsilon' must be > 0: current value is 0"],
    [{ kind: 'sgd', momentum: 1 }, "Cannot create SGD as 'momentum' must be in [0, 1): current value is 1"],
    [{ kind: 'sgd', weightDecay: -1 }, "Cannot create SGD as 'weightDecay' must be >= 0: current value is -1"],
    [
      { kind: 'sgd', biasLearningRateFactor: 0 },
      "Cannot create SGD as 'biasLearningRateFactor' must be > 0: current value is 0",
    ],
    [
      { kind: 'sgd', nesterov: true },
      "Cannot create SGD as 'momentum' must be > 0 with 'nesterov': current value is 0",
    ],
  ])('refuses %j and leaves no tensor behind', (options, message) => {
    const variable = new Variable(backend, 'weight', backend.fill([2], 1), true);
    const before = backend.memory().tensors;
    expect(() => createOptimizer(backend, [variable], options)).toThrow(new DaflError('USAGE', message));
    expect(backend.memory().tensors).toBe(before);
  });

  it.each<[OptimizerOptions, string[]]>([
    [{ kind: 'adam' }, ['weight/firstMoment', 'weight/secondMoment']],
    [{ kind: 'sgd', momentum: 0.9 }, ['weight/velocity']],
    [{ kind: 'sgd' }, []],
  ])('names the moments of %j after the variable', async (options, names) => {
    const variable = new Variable(backend, 'weight', backend.fill([2], 1), true);
    const { tensors } = await createOptimizer(backend, [variable], options).state();
    expect([...tensors.keys()]).toEqual(names);
  });

  it('lets biases and offsets learn faster, and decay as the others', async () => {
    const names = ['dense.kernel', 'dense.bias', 'norm.offset'];
    const variables = names.map((name) => new Variable(backend, name, backend.fill([1], 1), true));
    const optimizer = createOptimizer(backend, variables, {
      kind: 'sgd',
      weightDecay: 0.5,
      biasLearningRateFactor: 4,
    });
    optimizer.apply(
      names.map(() => backend.fill([1], 1)),
      0.1,
    );
    const values = await Promise.all(variables.map(async ({ tensor }) => (await backend.read(tensor))[0]));
    // 1 - 0.1 (1 + 0.5); 1 - 0.4 (1 + 0.5 / 4).
    expect(values.map((value) => Number(value.toFixed(5)))).toEqual([0.85, 0.55, 0.55]);
  });

  it('lets kernels of unusual size learn in relation to it', async () => {
    const scales = [undefined, 0.2, 0.5, 0.01, 0];
    const update = async (relative: boolean): Promise<number[]> => {
      const variables = scales.map(
        (scale) => new Variable(backend, `kernel of ${scale}`, backend.fill([1], 1), true, scale),
      );
      const optimizer = createOptimizer(backend, variables, { kind: 'adam', relative });
      optimizer.apply(
        scales.map(() => backend.fill([1], 1)),
        0.1,
      );
      const values = await Promise.all(variables.map(async ({ tensor }) => (await backend.read(tensor))[0]));
      optimizer.dispose();
      return values.map((value) => Number((1 - value).toFixed(4)));
    };
    // Adam's first update is as long as the learning rate.
    expect(await update(false)).toEqual([0.1, 0.1, 0.1, 0.1, 0.1]);
    expect(await update(true)).toEqual([0.1, 0.1, 0.5, 0.01, 0.1]);
  });

  it('refuses a state that lacks a moment', () => {
    const variable = new Variable(backend, 'weight', backend.fill([2], 1), true);
    const optimizer = createOptimizer(backend, [variable], { kind: 'sgd', momentum: 0.9 });
    const restore = () => optimizer.restore({ step: 1, tensors: new Map() });
    expect(restore).toThrow(DaflError);
    expect(restore).toThrow(
      "Cannot restore optimizer as the checkpoint must hold 'weight/velocity': current value is missing",
    );
  });
});
