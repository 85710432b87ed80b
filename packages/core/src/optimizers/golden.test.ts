import { createCpuBackend } from '@dafl/backend-cpu';
import { expectClose } from '@dafl/conformance';
import { describe, expect, it } from 'vitest';
import golden from '../../../../test-fixtures/golden/optimizers.json' with { type: 'json' };
import { Variable } from '../autodiff/variable.ts';
import type { Shape, Tensor, TensorBackend } from '../backend.ts';
import { createOptimizer } from './create-optimizer.ts';
import type { Optimizer, OptimizerOptions, OptimizerState } from './optimizer.ts';

const cases = golden.cases.map((entry) => [entry.name, entry.options as OptimizerOptions, entry.parameters] as const);

/** The golden start in two variables, as one optimizer has it. */
function start(backend: TensorBackend): Variable[] {
  const parts = [golden.start.slice(0, 4), golden.start.slice(4)];
  return parts.map(
    (part, index) =>
      new Variable(backend, `part${index}`, backend.tensor(Float64Array.from(part), [part.length]), true),
  );
}

/** Applies the golden gradient of one step. */
function apply(backend: TensorBackend, optimizer: Optimizer, step: number): void {
  const gradient = golden.gradients[step];
  const parts = [gradient.slice(0, 4), gradient.slice(4)];
  const tensors = parts.map((part) => backend.tensor(Float64Array.from(part), [part.length]));
  optimizer.apply(tensors, golden.learningRates[step]);
}

async function valuesOf(backend: TensorBackend, variables: readonly Variable[]): Promise<number[]> {
  const parts = await Promise.all(variables.map((variable) => backend.read(variable.tensor)));
  return parts.flatMap((part) => Array.from(part));
}

describe.each(['float64', 'float32'] as const)('ten steps as PyTorch makes them, %s', (precision) => {
  it.each(cases)('%s', async (_, options, expected) => {
    const backend = createCpuBackend({ precision });
    const variables = start(backend);
    const optimizer = createOptimizer(backend, variables, options);
    for (const [step, parameters] of expected.entries()) {
      apply(backend, optimizer, step);
      expectClose(await valuesOf(backend, variables), parameters, golden.tolerance[precision]);
    }
    await backend.close();
  });
});

/** A backend that joins tensors, as some do to make fewer calls. */
function createJoiningBackend(): TensorBackend {
  const backend = createCpuBackend();
  const flatten = (tensors: readonly Tensor[]): Tensor => {
    const rows = tensors.map((tensor) => backend.reshape(tensor, [sizeOf(tensor.shape)]));
    const flat = backend.concat(rows, 0);
    for (const row of rows) backend.dispose(row);
    return flat;
  };
  const unflatten = (flat: Tensor, shapes: readonly Shape[]): Tensor[] => {
    let start = 0;
    return shapes.map((shape) => {
      const row = backend.slice(flat, [start], [sizeOf(shape)]);
      start += sizeOf(shape);
      const part = backend.reshape(row, shape);
      backend.dispose(row);
      return part;
    });
  };
  return Object.assign(backend, { fused: { flatten, unflatten } });
}

function sizeOf(shape: Shape): number {
  return shape.reduce((size, length) => size * length, 1);
}

it.each(cases)('joins variables without another bit, and restores them apart: %s', async (_, options) => {
  const run = async (backend: TensorBackend, state?: OptimizerState) => {
    const variables = ['a.kernel', 'b.bias', 'c.kernel'].map(
      (name, index) => new Variable(backend, name, backend.fill([index + 1, 2], index + 0.3), true),
    );
    const optimizer = createOptimizer(backend, variables, {
      ...options,
      biasLearningRateFactor: 4,
    } as OptimizerOptions);
    if (state !== undefined) optimizer.restore(state);
    for (let step = 0; step < 3; step++) {
      const gradients = variables.map(({ shape }, index) => backend.fill(shape, golden.gradients[step][index]));
      optimizer.apply(gradients, golden.learningRates[step]);
    }
    const saved = await optimizer.state();
    const values = await valuesOf(backend, variables);
    optimizer.dispose();
    for (const variable of variables) variable.dispose();
    expect(backend.memory().tensors).toBe(0);
    return { values, saved };
  };
  const apart = await run(createCpuBackend());
  const joined = await run(createJoiningBackend());
  expect(joined).toEqual(apart);
  expect([...joined.saved.tensors.keys()]).toEqual([...apart.saved.tensors.keys()]);
  expect(await run(createJoiningBackend(), apart.saved)).toEqual(await run(createCpuBackend(), joined.saved));
});

describe.each(cases)('%s', (_, options) => {
  it('frees the gradients and keeps no tensor but its moments', () => {
    const backend = createCpuBackend();
    const variables = start(backend);
    const before = backend.memory().tensors;
    const optimizer = createOptimizer(backend, variables, options);
    const made = backend.memory().tensors;
    for (let step = 0; step < 3; step++) {
      apply(backend, optimizer, step);
      expect(backend.memory().tensors).toBe(made);
    }
    optimizer.dispose();
    expect(backend.memory().tensors).toBe(before);
  });

  it('goes on from a restored state bit for bit', async () => {
    const backend = createCpuBackend();
    const variables = start(backend);
    const optimizer = createOptimizer(backend, variables, options);
    for (let step = 0; step < 4; step++) apply(backend, optimizer, step);
    const state = await optimizer.state();
    expect(state.step).toBe(4);
    const resumedVariables = start(backend);
    for (const [index, variable] of variables.entries()) {
      resumedVariables[index].assign(backend.tensor(await backend.read(variable.tensor), variable.shape));
    }
    const resumed = createOptimizer(backend, resumedVariables, options);
    resumed.restore(state);
    for (let step = 4; step < 10; step++) {
      apply(backend, optimizer, step);
      apply(backend, resumed, step);
    }
    expect(await valuesOf(backend, resumedVariables)).toEqual(await valuesOf(backend, variables));
    expect(await resumed.state()).toEqual(await optimizer.state());
  });
});
