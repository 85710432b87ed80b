import type { AdamStepOptions, FusedKernels, Shape, TensorBackend } from '@dafl/core';
import { composeAdamStep, composeBatchNorm, composeBatchNormGradient } from '../_compositions.ts';
import type { Kernel, Suite } from '../_suite.ts';
import { floats, uniform, type Values } from '../_values.ts';

const shapes: readonly Shape[] = [
  [2, 1],
  [5, 3],
  [64, 17],
  [3, 4, 6],
  [2, 5, 4, 3],
  [3, 7, 7, 16],
  [1, 6, 5, 17],
  [4, 5, 5, 120],
  [32, 16, 16, 33],
  [128, 32, 32, 8],
  [2, 2, 2, 2, 3],
];

/** How to run a kernel: a backend's fused one, or the composition on the oracle. */
interface Runner {
  readonly batchNorm: (backend: TensorBackend) => FusedKernels['batchNorm'];
  readonly batchNormGradient: (backend: TensorBackend) => FusedKernels['batchNormGradient'];
  readonly adamStep: (backend: TensorBackend) => FusedKernels['adamStep'];
}

const fused: Runner = {
  batchNorm: (backend) => backend.fused!.batchNorm!.bind(backend.fused),
  batchNormGradient: (backend) => backend.fused!.batchNormGradient!.bind(backend.fused),
  adamStep: (backend) => backend.fused!.adamStep!.bind(backend.fused),
};

const composed: Runner = {
  batchNorm: (backend) => composeBatchNorm.bind(null, backend),
  batchNormGradient: (backend) => composeBatchNormGradient.bind(null, backend),
  adamStep: (backend) => composeAdamStep.bind(null, backend),
};

/** The optional kernels, where a backend has them, against compositions of primitives. */
export function declareFusedTests({ testFused }: Suite): void {
  for (const shape of shapes) {
    const channels = shape.at(-1)!;
    const name = `[${shape.join(', ')}]`;
    const scale = uniform([channels], { from: 0.5, to: 2, seed: 2 });
    const offset = uniform([channels], { seed: 3 });
    // Small batches divide by deviations near 0, and float32's rounding of the input's mean grows with them.
    const tolerance = { absolute: 1e-5, relative: 1e-4 };

    testFused('batchNorm', `batchNorm: ${name}`, async (bench) => {
      for (const [hasScale, hasOffset] of [
        [true, true],
        [true, false],
        [false, true],
        [false, false],
      ]) {
        const kernel = (runner: Runner): Kernel => {
          return (backend, [x, s, o]) => {
            const run = runner.batchNorm(backend);
            const { output, mean, variance } = run(x, hasScale ? s : null, hasOffset ? o : null, 1e-3);
            return [output, mean, variance];
          };
        };
        const oracleKernel = kernel(composed);
        await bench.agree([uniform(shape), scale, offset], kernel(fused), { oracleKernel, tolerance });
      }
    });

    testFused('batchNormGradient', `batchNormGradient: ${name}`, async (bench) => {
      for (const hasScale of [true, false]) {
        const inputs = [uniform(shape, { seed: 4 }), uniform(shape), scale, ...statisticsOf(uniform(shape))];
        await bench.agree(inputs, batchNormGradient(fused, hasScale, 1e-3), {
          oracleKernel: batchNormGradient(composed, hasScale, 1e-3),
          tolerance,
        });
      }
    });
  }

  testFused('batchNorm', 'batchNorm: a mean far from 0', async (bench) => {
    // E[x²] − E[x]² in float32 would leave nothing of the variance's digits.
    const input = uniform([16, 8, 8, 5], { from: 99, to: 101 });
    await bench.agree([input], batchNorm(fused, 1e-5), {
      oracleKernel: batchNorm(composed, 1e-5),
      tolerance: { absolute: 1e-4, relative: 1e-4 },
    });
  });

  testFused('batchNorm', 'batchNorm: a constant channel', async (bench) => {
    const input = floats(
      Array.from({ length: 60 }, (_, i) => (i % 3 === 1 ? 0.5 : i / 64)),
      [20, 3],
    );
    await bench.agree([input], batchNorm(fused, 1e-5), { oracleKernel: batchNorm(composed, 1e-5) });
  });

  testFused('batchNorm', 'batchNorm: NaN stays in its channel', async (bench) => {
    const { data, shape } = uniform([3, 4, 4, 6]);
    data[6 * 7 + 2] = Number.NaN;
    await bench.agree([{ data, shape }], batchNorm(fused, 1e-3), {
      oracleKernel: batchNorm(composed, 1e-3),
      tolerance: { absolute: 1e-5, relative: 1e-4 },
    });
  });

  testFused('batchNorm', 'batchNorm: determinism', async (bench) => {
    await bench.repeat([uniform([32, 32, 32, 33])], batchNorm(fused, 1e-5));
  });

  testFused('batchNormGradient', 'batchNormGradient: determinism', async (bench) => {
    const input = uniform([32, 16, 16, 33]);
    const scale = uniform([33], { seed: 2 });
    const inputs = [uniform(input.shape, { seed: 3 }), input, scale, ...statisticsOf(input)];
    await bench.repeat(inputs, batchNormGradient(fused, true, 1e-5));
  });

  const adamOptions: readonly AdamStepOptions[] = [
    { stepSize: 0.01, beta1: 0.9, beta2: 0.999, secondMomentCorrection: Math.sqrt(1 - 0.999), epsilon: 1e-8 },
    { stepSize: 0.2, beta1: 0.5, beta2: 0.999, secondMomentCorrection: Math.sqrt(1 - 0.999 ** 10), epsilon: 1e-8 },
    { stepSize: 0.001, beta1: 0, beta2: 0.9, secondMomentCorrection: 1, epsilon: 0.1 },
  ];
  adamOptions.forEach((options, number) => {
    for (const shape of [[], [1], [7], [16], [3, 3, 5, 17], [1031, 103], [0, 4]]) {
      testFused('adamStep', `adamStep: [${shape.join(', ')}], options ${number + 1}`, async (bench) => {
        await bench.agree(adamInputs(shape), adamStep(fused, options), { oracleKernel: adamStep(composed, options) });
      });
    }
  });

  testFused('adamStep', 'adamStep: gradients and moments of 0', async (bench) => {
    const zeros = uniform([19], { from: 0, to: 0 });
    const inputs = [uniform([19]), zeros, zeros, zeros];
    await bench.agree(inputs, adamStep(fused, adamOptions[0]), { oracleKernel: adamStep(composed, adamOptions[0]) });
  });

  testFused('adamStep', 'adamStep: NaN stays in its element', async (bench) => {
    const inputs = adamInputs([19]);
    inputs[1].data[7] = Number.NaN;
    await bench.agree(inputs, adamStep(fused, adamOptions[0]), { oracleKernel: adamStep(composed, adamOptions[0]) });
  });

  testFused('adamStep', 'adamStep: determinism', async (bench) => {
    await bench.repeat(adamInputs([1031, 103]), adamStep(fused, adamOptions[0]));
  });
}

function batchNorm(runner: Runner, epsilon: number): Kernel {
  return (backend, [x]) => {
    const { output, mean, variance } = runner.batchNorm(backend)(x, null, null, epsilon);
    return [output, mean, variance];
  };
}

function batchNormGradient(runner: Runner, hasScale: boolean, epsilon: number): Kernel {
  return (backend, [gradient, x, scale, mean, variance]) => {
    const run = runner.batchNormGradient(backend);
    const result = run(gradient, x, hasScale ? scale : null, mean, variance, epsilon);
    return [result.inputGradient, result.scaleGradient, result.offsetGradient];
  };
}

function adamStep(runner: Runner, options: AdamStepOptions): Kernel {
  return (backend, [parameter, gradient, firstMoment, secondMoment]) => {
    const result = runner.adamStep(backend)(parameter, gradient, firstMoment, secondMoment, options);
    return [result.parameter, result.firstMoment, result.secondMoment];
  };
}

function adamInputs(shape: Shape): Values[] {
  return [
    uniform(shape, { seed: 1 }),
    uniform(shape, { seed: 2 }),
    uniform(shape, { seed: 3 }),
    uniform(shape, { from: 0, to: 1, seed: 4 }),
  ];
}

/** Mean and biased variance of each channel, rounded to float32. */
function statisticsOf({ data, shape }: Values): [mean: Values, variance: Values] {
  const channels = shape.at(-1)!;
  const positions = data.length / channels;
  const mean = new Float64Array(channels);
  const variance = new Float64Array(channels);
  for (let i = 0; i < data.length; i++) mean[i % channels] += data[i] / positions;
  for (let i = 0; i < data.length; i++) variance[i % channels] += (data[i] - mean[i % channels]) ** 2 / positions;
  return [
    { data: new Float32Array(mean), shape: [channels] },
    { data: new Float32Array(variance), shape: [channels] },
  ];
}
