import { createCpuBackend } from '@dafl/backend-cpu';
import { expectClose } from '@dafl/conformance';
import { afterEach, describe, expect, it } from 'vitest';
import { compareGradients, drawArgument } from '../_testing/compare-gradients.ts';
import type { Tensor } from '../backend.ts';
import { Tape } from '../autodiff/tape.ts';
import { batchNormStatisticsLoss } from './batch-norm-statistics.ts';

const backend = createCpuBackend({ precision: 'float64' });
const kept: Tensor[] = [];
afterEach(() => {
  for (const tensor of kept.splice(0)) backend.dispose(tensor);
  expect(backend.memory().tensors).toBe(0);
});

function constant(values: readonly number[]): Tensor {
  const tensor = backend.tensor(Float64Array.from(values), [values.length]);
  kept.push(tensor);
  return tensor;
}

async function lossOf(data: readonly number[], shape: number[], mean: number[], variance: number[]): Promise<number> {
  const tape = new Tape(backend);
  const input = tape.own(backend.tensor(Float64Array.from(data), shape));
  const loss = batchNormStatisticsLoss(tape, {
    input,
    runningMean: constant(mean),
    runningVariance: constant(variance),
  });
  const [value] = await backend.read(loss.tensor);
  tape.dispose();
  return value;
}

describe('batchNormStatisticsLoss', () => {
  it('is 0 where the batch has the expected mean and variance', async () => {
    expect(await lossOf([1, 10, 3, 20], [2, 2], [2, 15], [1, 25])).toBeCloseTo(0, 10);
  });

  it('is the mean over channels of the squared differences in units of the variance', async () => {
    // Channel 1: mean 2 for 0, variance 1 for 4: 2² / 4 + (1/4 - 1)² = 1.5625. Channel 2: as expected.
    expect(await lossOf([1, 10, 3, 20], [2, 2], [0, 15], [4, 25])).toBeCloseTo(1.5625 / 2, 5);
  });

  it('has the derivative of finite differences', async () => {
    const runningMean = constant([0.3, -0.2, 0]);
    const runningVariance = constant([0.5, 2, 1]);
    const [{ analytic, numeric }] = await compareGradients(backend, [drawArgument([4, 2, 2, 3])], (tape, [input]) =>
      batchNormStatisticsLoss(tape, { input, runningMean, runningVariance }),
    );
    expectClose(analytic, numeric, { absolute: 1e-8, relative: 1e-6 });
  });
});
