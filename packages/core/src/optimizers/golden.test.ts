import { createCpuBackend } from '@dafl/backend-cpu';
import { expectClose } from '@dafl/conformance';
import { describe, expect, it } from 'vitest';
import golden from '../../../../test-fixtures/golden/optimizers.json' with { type: 'json' };
import { Variable } from '../autodiff/variable.ts';
import type { TensorBackend } from '../backend.ts';
import { createOptimizer } from './create-optimizer.ts';
import type { Optimizer, OptimizerOptions } from './optimizer.ts';

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
