import type { Pool2dOptions, Tensor, TensorBackend } from '@dafl/core';
import adam from '../../../../test-fixtures/golden/operations/adam.json' with { type: 'json' };
import batchNorm from '../../../../test-fixtures/golden/operations/batch-norm.json' with { type: 'json' };
import binary from '../../../../test-fixtures/golden/operations/binary.json' with { type: 'json' };
import convolution from '../../../../test-fixtures/golden/operations/convolution.json' with { type: 'json' };
import leakyRelu from '../../../../test-fixtures/golden/operations/leaky-relu.json' with { type: 'json' };
import matrix from '../../../../test-fixtures/golden/operations/matrix.json' with { type: 'json' };
import pooling from '../../../../test-fixtures/golden/operations/pooling.json' with { type: 'json' };
import reduction from '../../../../test-fixtures/golden/operations/reduction.json' with { type: 'json' };
import unary from '../../../../test-fixtures/golden/operations/unary.json' with { type: 'json' };
import upsampling from '../../../../test-fixtures/golden/operations/upsampling.json' with { type: 'json' };
import { composeAdamStep, composeBatchNorm, composeBatchNormGradient } from '../_compositions.ts';
import type { Bench, Kernel, Suite } from '../_suite.ts';
import { floats, type Values } from '../_values.ts';
import type { Tolerance } from '../expect-close.ts';

/** An array as the golden files hold it. */
interface GoldenArray {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

interface GoldenTolerance {
  readonly float64: Tolerance;
  readonly float32: Tolerance;
}

/** Each kernel against what PyTorch computed in float64. */
export function declareGoldenTests({ test }: Suite): void {
  for (const entry of convolution.cases) {
    test(`convolution: ${entry.name}`, async (bench) => {
      const [top, bottom, left, right] = entry.options.padding;
      const options = {
        strides: pairOf(entry.options.strides),
        padding: { top, bottom, left, right },
        dilations: pairOf(entry.options.dilations),
        groups: entry.options.groups,
      };
      const bias: GoldenArray | null = entry.bias;
      await expectGolden(
        bench,
        convolution.tolerance,
        bias === null ? [entry.input, entry.filter] : [entry.input, entry.filter, bias],
        (backend, [x, w, b]) => backend.conv2d(x, w, b ?? null, options),
        [entry.output],
      );
      await expectGolden(
        bench,
        convolution.tolerance,
        [entry.outputGradient, entry.input, entry.filter],
        (backend, [g, x, w]) => [
          backend.conv2dInputGradient(g, w, x.shape, options),
          backend.conv2dFilterGradient(x, g, w.shape, options),
        ],
        [entry.inputGradient, entry.filterGradient],
      );
    });
  }

  for (const entry of pooling.cases) {
    const [top, bottom, left, right] = entry.options.padding;
    const options: Pool2dOptions = {
      windowSize: pairOf(entry.options.windowSize),
      strides: pairOf(entry.options.strides),
      padding: { top, bottom, left, right },
    };
    const inputs = [entry.input, entry.outputGradient];

    test(`maxPool2d: ${entry.name}`, async (bench) => {
      const kernel: Kernel = (backend, [x, g]) => {
        const output = backend.maxPool2d(x, options);
        return [output, backend.maxPool2dGradient(g, x, output, options)];
      };
      await expectGolden(bench, pooling.tolerance, inputs, kernel, [entry.max, entry.maxGradient]);
    });

    test(`averagePool2d: ${entry.name}`, async (bench) => {
      for (const [countsPadding, output, gradient] of [
        [true, entry.average, entry.averageGradient],
        [false, entry.averageWithoutPadding, entry.averageWithoutPaddingGradient],
      ] as const) {
        const kernel: Kernel = (backend, [x, g]) => [
          backend.averagePool2d(x, { ...options, countsPadding }),
          backend.averagePool2dGradient(g, x.shape, { ...options, countsPadding }),
        ];
        await expectGolden(bench, pooling.tolerance, inputs, kernel, [output, gradient]);
      }
    });
  }

  for (const entry of upsampling.cases) {
    test(`upsampleNearest2d: ${entry.name}`, async (bench) => {
      const factors = pairOf(entry.factors);
      await expectGolden(
        bench,
        upsampling.tolerance,
        [entry.input, entry.outputGradient],
        (backend, [x, g]) => [backend.upsampleNearest2d(x, factors), backend.upsampleNearest2dGradient(g, factors)],
        [entry.output, entry.inputGradient],
      );
    });
  }

  for (const entry of unary.cases) {
    const operation = nameOf(entry.operation, [
      'negate',
      'abs',
      'sign',
      'exp',
      'log',
      'sqrt',
      'square',
      'reciprocal',
      'tanh',
      'sigmoid',
      'erf',
      'step',
    ]);
    test(`unary ${operation}`, async (bench) => {
      // The contract lets erf err by 1e-6 on float64 backends too.
      const allowed = operation === 'erf' ? { ...unary.tolerance, float64: unary.tolerance.float32 } : unary.tolerance;
      const kernel: Kernel = (backend, [x]) => backend.unary(operation, x);
      // One at a time: the tolerance is a share of the largest output, and exp 40 would hide the rest.
      for (const [i, value] of entry.input.values.entries()) {
        const input = { shape: [1], values: [value] };
        await expectGolden(bench, allowed, [input], kernel, [{ shape: [1], values: [entry.output.values[i]] }]);
      }
    });
  }

  for (const entry of leakyRelu.cases) {
    test(`leakyRelu: ${entry.name}`, async (bench) => {
      const kernel: Kernel = (backend, [x, g]) => {
        const output = backend.leakyRelu(x, entry.slope);
        return [output, backend.leakyReluGradient(g, output, entry.slope)];
      };
      const inputs = [entry.input, entry.outputGradient];
      await expectGolden(bench, leakyRelu.tolerance, inputs, kernel, [entry.output, entry.inputGradient]);
    });
  }

  for (const entry of binary.cases) {
    const operation = nameOf(entry.operation, [
      'add',
      'subtract',
      'multiply',
      'divide',
      'maximum',
      'minimum',
      'greater',
      'equal',
    ]);
    const { left, right, output } = entry;
    test(`binary ${operation}: [${left.shape.join(', ')}] with [${right.shape.join(', ')}]`, async (bench) => {
      const kernel: Kernel = (backend, [x, y]) => backend.binary(operation, x, y);
      await expectGolden(bench, binary.tolerance, [left, right], kernel, [output]);
    });
  }

  for (const { operation: operationName, axes, input, output } of reduction.cases) {
    const operation = nameOf(operationName, ['sum', 'mean', 'max']);
    test(`reduce ${operation}: [${input.shape.join(', ')}] over [${axes.join(', ')}]`, async (bench) => {
      const kernel: Kernel = (backend, [x]) => backend.reduce(operation, x, axes, false);
      await expectGolden(bench, reduction.tolerance, [input], kernel, [output]);
    });
  }

  matrix.cases.forEach((entry, number) => {
    test(`matMul: case ${number + 1}`, async (bench) => {
      const kernel: Kernel = (backend, [left, right]) =>
        backend.matMul(left, right, entry.transposeLeft, entry.transposeRight);
      await expectGolden(bench, matrix.tolerance, [entry.left, entry.right], kernel, [entry.output]);
    });
  });

  for (const entry of batchNorm.cases) {
    test(`batchNorm: ${entry.name}`, async (bench) => {
      const affine: readonly (GoldenArray | null)[] = [entry.scale, entry.offset];
      const kernel: Kernel = (backend, [x, g, scale = null, offset = null]) => {
        const { epsilon } = entry;
        const { output, mean, variance } =
          backend.fused?.batchNorm?.(x, scale, offset, epsilon, null) ??
          composeBatchNorm(backend, x, scale, offset, epsilon, null);
        const gradient =
          backend.fused?.batchNormGradient?.(g, x, scale, mean, variance, epsilon) ??
          composeBatchNormGradient(backend, g, x, scale, mean, variance, epsilon);
        return [output, mean, variance, gradient.inputGradient, gradient.scaleGradient, gradient.offsetGradient];
      };
      await expectGolden(
        bench,
        batchNorm.tolerance,
        [entry.input, entry.outputGradient, ...affine.filter((array) => array !== null)],
        kernel,
        [entry.output, entry.mean, entry.variance, entry.inputGradient, entry.scaleGradient, entry.offsetGradient],
      );
    });
  }

  for (const entry of adam.cases) {
    test(`adamStep: ${entry.name}`, async (bench) => {
      const { learningRate, beta1, beta2, epsilon, step, before, after } = entry;
      const options = {
        stepSize: learningRate / (1 - beta1 ** step),
        beta1,
        beta2,
        secondMomentCorrection: Math.sqrt(1 - beta2 ** step),
        epsilon,
      };
      const kernel: Kernel = (backend, [parameter, gradient, firstMoment, secondMoment]) => {
        const result = adamStep(backend, [parameter, gradient, firstMoment, secondMoment]);
        return [result.parameter, result.firstMoment, result.secondMoment];
      };
      const adamStep = (backend: TensorBackend, [p, g, m, v]: readonly Tensor[]): ReturnType<typeof composeAdamStep> =>
        backend.fused?.adamStep?.(p, g, m, v, options) ?? composeAdamStep(backend, p, g, m, v, options);
      await expectGolden(
        bench,
        adam.tolerance,
        [before.parameter, entry.gradient, before.firstMoment, before.secondMoment],
        kernel,
        [after.parameter, after.firstMoment, after.secondMoment],
      );
    });
  }
}

/** Runs `kernel` and compares, within the file's tolerance for the backend's precision or the suite's where that is wider. */
async function expectGolden(
  bench: Bench,
  tolerance: GoldenTolerance,
  inputs: readonly GoldenArray[],
  kernel: Kernel,
  expected: readonly GoldenArray[],
): Promise<void> {
  const { absolute, relative } = tolerance[await precisionOf(bench.backend)];
  await bench.give(inputs.map(valuesOf), kernel, expected.map(valuesOf), {
    absolute: Math.max(absolute, bench.tolerance.absolute),
    relative: Math.max(relative, bench.tolerance.relative),
  });
}

/** What `read` returns tells what a backend computes in. */
async function precisionOf(backend: TensorBackend): Promise<'float64' | 'float32'> {
  const probe = backend.fill([1], 0);
  const data = await backend.read(probe);
  backend.dispose(probe);
  return data instanceof Float64Array ? 'float64' : 'float32';
}

function valuesOf({ shape, values }: GoldenArray): Values {
  return floats(values, shape);
}

function pairOf([first, second]: readonly number[]): [number, number] {
  return [first, second];
}

/** Narrows a string of a golden file to the names that the contract has. */
function nameOf<Name extends string>(text: string, names: readonly Name[]): Name {
  const found = names.find((name) => name === text);
  if (found === undefined) {
    throw new Error(
      `Cannot read a golden file as its 'operation' must be one of ${names.join(', ')}: current value is ${text}`,
    );
  }
  return found;
}
