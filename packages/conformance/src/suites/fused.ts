import type { AdamStepOptions, FusedKernels, Shape, TensorBackend } from '@dafl/core';
import {
  composeAdamStep,
  composeBatchNorm,
  composeBatchNormGradient,
  composeClip,
  composeClipGradient,
  composeFlatten,
  composeFrozenBatchNorm,
  composeGelu,
  composeGeluGradient,
  composeSoftmax,
  composeSoftmaxDivergence,
  composeUpsampleConv2d,
  composeUpsampleConv2dFilterGradient,
  composeUpsampleConv2dInputGradient,
} from '../_compositions.ts';
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
  readonly upsampleConv2d: (backend: TensorBackend) => FusedKernels['upsampleConv2d'];
  readonly upsampleConv2dInputGradient: (backend: TensorBackend) => FusedKernels['upsampleConv2dInputGradient'];
  readonly upsampleConv2dFilterGradient: (backend: TensorBackend) => FusedKernels['upsampleConv2dFilterGradient'];
  readonly softmaxDivergence: (backend: TensorBackend) => FusedKernels['softmaxDivergence'];
}

const fused: Runner = {
  batchNorm: (backend) => backend.fused!.batchNorm!.bind(backend.fused),
  batchNormGradient: (backend) => backend.fused!.batchNormGradient!.bind(backend.fused),
  adamStep: (backend) => backend.fused!.adamStep!.bind(backend.fused),
  upsampleConv2d: (backend) => backend.fused!.upsampleConv2d!.bind(backend.fused),
  upsampleConv2dInputGradient: (backend) => backend.fused!.upsampleConv2dInputGradient!.bind(backend.fused),
  upsampleConv2dFilterGradient: (backend) => backend.fused!.upsampleConv2dFilterGradient!.bind(backend.fused),
  softmaxDivergence: (backend) => backend.fused!.softmaxDivergence!.bind(backend.fused),
};

const composed: Runner = {
  batchNorm: (backend) => composeBatchNorm.bind(null, backend),
  batchNormGradient: (backend) => composeBatchNormGradient.bind(null, backend),
  adamStep: (backend) => composeAdamStep.bind(null, backend),
  upsampleConv2d: (backend) => composeUpsampleConv2d.bind(null, backend),
  upsampleConv2dInputGradient: (backend) => composeUpsampleConv2dInputGradient.bind(null, backend),
  upsampleConv2dFilterGradient: (backend) => composeUpsampleConv2dFilterGradient.bind(null, backend),
  softmaxDivergence: (backend) => composeSoftmaxDivergence.bind(null, backend),
};

/** Of `upsampleConv2d`: input shape and output channels. */
const upsampleConvolutions: readonly (readonly [input: Shape, outputChannels: number])[] = [
  [[1, 1, 1, 1], 1],
  [[1, 1, 3, 2], 3],
  [[2, 2, 1, 3], 5],
  [[2, 3, 4, 5], 7],
  [[3, 7, 7, 16], 16],
  [[1, 8, 8, 17], 33],
  [[5, 8, 8, 16], 8],
  [[2, 16, 16, 32], 1],
  [[4, 9, 5, 64], 48],
];

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
            const { output, mean, variance } = run(x, hasScale ? s : null, hasOffset ? o : null, 1e-3, null);
            return [output, mean, variance];
          };
        };
        const oracleKernel = kernel(composed);
        await bench.agree([uniform(shape), scale, offset], kernel(fused), { oracleKernel, tolerance });
      }
    });

    const mean = uniform([channels], { seed: 5 });
    const variance = uniform([channels], { from: 0.1, to: 2, seed: 6 });

    testFused('batchNorm', `batchNorm: ${name}, running statistics`, async (bench) => {
      for (const momentum of [0.1, 1]) {
        const kernel =
          (runner: Runner): Kernel =>
          (backend, [x, s, o, m, v]) => {
            const result = runner.batchNorm(backend)(x, s, o, 1e-3, { mean: m, variance: v, momentum });
            return [result.output, result.mean, result.variance, result.running!.mean, result.running!.variance];
          };
        const inputs = [uniform(shape), scale, offset, mean, variance];
        await bench.agree(inputs, kernel(fused), { oracleKernel: kernel(composed), tolerance });
      }
    });

    testFused('frozenBatchNorm', `frozenBatchNorm: ${name}`, async (bench) => {
      for (const has of [
        [true, true, true],
        [false, true, false],
        [true, false, true],
        [false, false, false],
      ]) {
        const kernel =
          (run: typeof composeFrozenBatchNorm): Kernel =>
          (backend, [x, v, ...optional]) => {
            const [m, s, o] = optional.map((tensor, index) => (has[index] ? tensor : null));
            return run(backend, x, m, v, s, o, 1e-3);
          };
        const inputs = [uniform(shape), variance, mean, scale, offset];
        await bench.agree(
          inputs,
          kernel((backend, ...values) => backend.fused!.frozenBatchNorm!(...values)),
          { oracleKernel: kernel(composeFrozenBatchNorm), tolerance },
        );
      }
    });

    testFused('channelStatistics', `channelStatistics: ${name}`, async (bench) => {
      const oracleKernel: Kernel = (backend, [x]) => {
        const result = composed.batchNorm(backend)(x, null, null, 1, null);
        backend.dispose(result.output);
        return [result.mean, result.variance];
      };
      const kernel: Kernel = (backend, [x]) => {
        const result = backend.fused!.channelStatistics!(x);
        return [result.mean, result.variance];
      };
      await bench.agree([uniform(shape)], kernel, { oracleKernel, tolerance });
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

  const odd = floats([Number.NaN, Infinity, -Infinity, 0, 6, -0, 5.9999, 1e-30, -1, 7]);
  const slopes = uniform([10], { seed: 3 });
  for (const [low, high] of [
    [0, 6],
    [-1, 1],
    [0, 1],
  ]) {
    testFused('clip', `clip: to ${low}..${high}`, async (bench) => {
      for (const input of [uniform([7, 5, 3], { from: -8, to: 8 }), odd]) {
        await bench.agree([input], (backend, [x]) => backend.fused!.clip!(x, low, high), {
          oracleKernel: (backend, [x]) => composeClip(backend, x, low, high),
        });
      }
    });

    testFused('clipGradient', `clipGradient: of ${low}..${high}`, async (bench) => {
      for (const inputs of [
        [uniform([7, 5, 3], { seed: 2 }), uniform([7, 5, 3], { from: -8, to: 8 })],
        [slopes, odd],
      ]) {
        await bench.agree(inputs, (backend, [g, x]) => backend.fused!.clipGradient!(g, x, low, high), {
          oracleKernel: (backend, [g, x]) => composeClipGradient(backend, g, x, low, high),
        });
      }
    });
  }

  for (const shape of [[5], [7, 5, 3], [64, 130]]) {
    const input = uniform(shape, { from: -6, to: 6 });
    testFused('gelu', `gelu: [${shape.join(', ')}]`, async (bench) => {
      await bench.agree([input], (backend, [x]) => backend.fused!.gelu!(x), {
        oracleKernel: (backend, [x]) => composeGelu(backend, x),
      });
    });

    testFused('geluGradient', `geluGradient: [${shape.join(', ')}]`, async (bench) => {
      const inputs = [uniform(shape, { seed: 2 }), input];
      await bench.agree(inputs, (backend, [g, x]) => backend.fused!.geluGradient!(g, x), {
        oracleKernel: (backend, [g, x]) => composeGeluGradient(backend, g, x),
      });
    });
  }

  const parts = [[3, 2], [], [5], [0, 4], [2, 3, 1, 2]].map((shape, index) => uniform(shape, { seed: index }));
  const flatten: Kernel = (backend, tensors) => backend.fused!.flatten!(tensors);

  testFused('flatten', 'flatten: several shapes', async (bench) => {
    await bench.agree(parts, flatten, { oracleKernel: composeFlatten });
  });

  testFused('flatten', 'flatten: one tensor', async (bench) => {
    await bench.agree([uniform([3, 2])], flatten, { oracleKernel: composeFlatten });
  });

  testFused('unflatten', 'unflatten: several shapes, also without the vector that they came of', async (bench) => {
    await bench.give(
      parts,
      (backend, tensors) => {
        const flat = backend.fused!.flatten!(tensors);
        const cut = backend.fused!.unflatten!(
          flat,
          tensors.map(({ shape }) => shape),
        );
        backend.dispose(flat);
        return cut;
      },
      parts,
    );
  });

  testFused('unflatten', 'unflatten: parts that are joined again, in their order and in another', async (bench) => {
    const [first, , third] = parts;
    const flat = floats([...first.data, ...third.data]);
    await bench.give(
      [flat],
      (backend, [vector]) => {
        const cut = backend.fused!.unflatten!(vector, [first.shape, third.shape]);
        const joined = [cut, cut.toReversed(), cut.slice(1)].map((list) => backend.fused!.flatten!(list));
        for (const part of cut) backend.dispose(part);
        return joined;
      },
      [flat, floats([...third.data, ...first.data]), floats([...third.data])],
    );
  });

  testFused('unflatten', 'unflatten: a part outlives the others', async (bench) => {
    const [first, , third] = parts;
    await bench.give(
      [floats([...first.data, ...third.data])],
      (backend, [vector]) => {
        const copy = backend.affine(vector, 1, 0);
        const [unwanted, wanted] = backend.fused!.unflatten!(copy, [first.shape, third.shape]);
        backend.dispose(unwanted);
        backend.dispose(copy);
        return wanted;
      },
      [third],
    );
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

  for (const [shape, outputChannels] of upsampleConvolutions) {
    const [batch, height, width, inputChannels] = shape;
    const name = `[${shape.join(', ')}] to ${outputChannels}`;
    const input = uniform(shape, { seed: 1 });
    const filter = uniform([3, 3, inputChannels, outputChannels], { seed: 2 });
    const bias = uniform([outputChannels], { seed: 3 });
    const outputGradient = uniform([batch, 2 * height, 2 * width, outputChannels], { seed: 4 });

    testFused('upsampleConv2d', `upsampleConv2d: ${name}`, async (bench) => {
      for (const hasBias of [true, false]) {
        const kernel =
          (runner: Runner): Kernel =>
          (backend, [x, w, b]) =>
            runner.upsampleConv2d(backend)(x, w, hasBias ? b : null);
        await bench.agree([input, filter, bias], kernel(fused), { oracleKernel: kernel(composed) });
      }
    });

    testFused('upsampleConv2dInputGradient', `upsampleConv2dInputGradient: ${name}`, async (bench) => {
      const kernel =
        (runner: Runner): Kernel =>
        (backend, [g, w]) =>
          runner.upsampleConv2dInputGradient(backend)(g, w);
      await bench.agree([outputGradient, filter], kernel(fused), { oracleKernel: kernel(composed) });
    });

    testFused('upsampleConv2dFilterGradient', `upsampleConv2dFilterGradient: ${name}`, async (bench) => {
      const kernel =
        (runner: Runner): Kernel =>
        (backend, [x, g]) =>
          runner.upsampleConv2dFilterGradient(backend)(x, g);
      await bench.agree([input, outputGradient], kernel(fused), { oracleKernel: kernel(composed) });
    });
  }

  testFused('upsampleConv2d', 'upsampleConv2d: determinism', async (bench) => {
    const [x, w, g] = [uniform([8, 8, 8, 32]), uniform([3, 3, 32, 16]), uniform([8, 16, 16, 16])];
    await bench.repeat([x, w], (backend, [input, filter]) => fused.upsampleConv2d(backend)(input, filter, null));
    await bench.repeat([g, w], (backend, [gradient, filter]) =>
      fused.upsampleConv2dInputGradient(backend)(gradient, filter),
    );
    await bench.repeat([x, g], (backend, [input, gradient]) =>
      fused.upsampleConv2dFilterGradient(backend)(input, gradient),
    );
  });

  for (const shape of [
    [1, 1],
    [3, 2],
    [5, 10],
    [64, 17],
    [2, 1000],
  ]) {
    testFused('softmax', `softmax: [${shape.join(', ')}]`, async (bench) => {
      await bench.agree(
        [uniform(shape, { from: -8, to: 8 })],
        (backend, [logits]) => [backend.fused!.softmax!(logits)],
        {
          oracleKernel: (backend, [logits]) => [composeSoftmax(backend, logits)],
        },
      );
    });

    testFused('softmaxDivergence', `softmaxDivergence: [${shape.join(', ')}]`, async (bench) => {
      const inputs = [uniform(shape, { from: -8, to: 8 }), distributions(shape)];
      // Where both distributions are near each other, what is left of their logarithms has few digits.
      const tolerance = { absolute: 1e-5, relative: 1e-4 };
      await bench.agree(inputs, softmaxDivergence(fused), { oracleKernel: softmaxDivergence(composed), tolerance });
    });
  }

  testFused('softmax', 'softmax: logits that would overflow', async (bench) => {
    const logits = floats([1000, 1000, -1000, 0], [2, 2]);
    await bench.give([logits], (backend, [input]) => [backend.fused!.softmax!(input)], [
      floats([0.5, 0.5, 0, 1], [2, 2]),
    ]);
  });

  testFused('softmaxDivergence', 'softmaxDivergence: targets of 0 and logits that would overflow', async (bench) => {
    const logits = floats([1000, 1000, -1000, 0], [2, 2]);
    const target = floats([1, 0, 1, 0], [2, 2]);
    await bench.give([logits, target], softmaxDivergence(fused), [
      floats([Math.LN2, 1000]),
      floats([-0.5, 0.5, -1, 1], [2, 2]),
    ]);
  });
}

function softmaxDivergence(runner: Runner): Kernel {
  return (backend, [logits, target]) => {
    const { divergence, logitsGradient } = runner.softmaxDivergence(backend)(logits, target);
    return [divergence, logitsGradient];
  };
}

/** Rows of positive numbers that sum to 1. */
function distributions(shape: Shape): Values {
  const { data } = uniform(shape, { from: 0.01, to: 1, seed: 2 });
  const [rows, classes] = shape;
  for (let row = 0; row < rows; row++) {
    const slice = data.subarray(row * classes, (row + 1) * classes);
    const total = Array.from(slice).reduce((sum, value) => sum + value, 0);
    slice.forEach((value, index) => (slice[index] = value / total));
  }
  return { data, shape };
}

function batchNorm(runner: Runner, epsilon: number): Kernel {
  return (backend, [x]) => {
    const { output, mean, variance } = runner.batchNorm(backend)(x, null, null, epsilon, null);
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
