import { createCpuBackend } from '@dafl/backend-cpu';
import type { AveragePool2dOptions, Conv2dOptions, Pool2dOptions, Shape, Tensor, TensorBackend } from '@dafl/core';
import { describe, it } from 'vitest';
import { composeBatchNorm, composeBatchNormGradient } from './_compositions.ts';
import { sizeOf, uniform, upload, type Values } from './_values.ts';
import { expectClose } from './expect-close.ts';

/**
 * Every gradient kernel of the oracle against finite differences of its forward kernel. Other backends are compared with
 * the oracle, so it alone needs this.
 */

const backend = createCpuBackend({ precision: 'float64' });

/** A forward pass of one tensor, and its derivative given the gradient of its output. */
interface Differentiable {
  readonly forward: (backend: TensorBackend, x: Tensor) => Tensor;
  readonly gradient: (backend: TensorBackend, outputGradient: Tensor, x: Tensor) => Tensor;
}

const conv2dOptions: readonly (readonly [name: string, input: Shape, filter: Shape, options: Conv2dOptions])[] = [
  ['unequal padding', [2, 4, 5, 2], [3, 2, 2, 3], conv({ padding: { top: 1, bottom: 0, left: 0, right: 2 } })],
  ['stride 2, last row unread', [2, 6, 5, 2], [3, 3, 2, 2], conv({ strides: [2, 2] })],
  ['stride 3 over a 2x2 kernel', [2, 6, 7, 2], [2, 2, 2, 2], conv({ strides: [3, 3] })],
  ['unequal dilations', [2, 6, 7, 2], [3, 2, 2, 2], conv({ dilations: [2, 3], padding: around(1) })],
  ['two groups', [2, 4, 4, 4], [3, 3, 2, 6], conv({ groups: 2, padding: around(1) })],
  ['depthwise, multiplier 2, stride 2', [2, 5, 5, 3], [3, 3, 1, 6], conv({ groups: 3, strides: [2, 2] })],
];

const poolOptions: readonly (readonly [name: string, input: Shape, options: Pool2dOptions])[] = [
  ['2x2 by 2, last row unread', [2, 5, 4, 2], { windowSize: [2, 2], strides: [2, 2], padding: around(0) }],
  ['overlapping 3x3, padded', [2, 5, 5, 2], { windowSize: [3, 3], strides: [2, 2], padding: around(1) }],
  ['unequal', [2, 4, 5, 2], { windowSize: [3, 2], strides: [1, 2], padding: { top: 1, bottom: 0, left: 0, right: 1 } }],
];

describe('the oracle by finite differences', () => {
  for (const [name, input, filter, options] of conv2dOptions) {
    it(`conv2dInputGradient: ${name}`, async () => {
      const w = upload(backend, uniform(filter, { seed: 5 }));
      await expectGradient(uniform(input), {
        forward: (b, x) => b.conv2d(x, w, null, options),
        gradient: (b, g) => b.conv2dInputGradient(g, w, input, options),
      });
    });

    it(`conv2dFilterGradient: ${name}`, async () => {
      const x = upload(backend, uniform(input, { seed: 5 }));
      await expectGradient(uniform(filter), {
        forward: (b, w) => b.conv2d(x, w, null, options),
        gradient: (b, g) => b.conv2dFilterGradient(x, g, filter, options),
      });
    });
  }

  for (const [name, input, options] of poolOptions) {
    it(`maxPool2dGradient: ${name}`, async () => {
      await expectGradient(uniform(input), {
        forward: (b, x) => b.maxPool2d(x, options),
        gradient: (b, g, x) => b.maxPool2dGradient(g, x, b.maxPool2d(x, options), options),
      });
    });

    for (const countsPadding of [true, false]) {
      it(`averagePool2dGradient, padding ${countsPadding ? '' : 'not '}counted: ${name}`, async () => {
        const averageOptions: AveragePool2dOptions = { ...options, countsPadding };
        await expectGradient(uniform(input), {
          forward: (b, x) => b.averagePool2d(x, averageOptions),
          gradient: (b, g) => b.averagePool2dGradient(g, input, averageOptions),
        });
      });
    }
  }

  it('upsampleNearest2dGradient', async () => {
    for (const factors of [
      [2, 2],
      [3, 1],
    ] as const) {
      await expectGradient(uniform([2, 2, 3, 2]), {
        forward: (b, x) => b.upsampleNearest2d(x, factors),
        gradient: (b, g) => b.upsampleNearest2dGradient(g, factors),
      });
    }
  });

  it('leakyReluGradient', async () => {
    for (const slope of [0, 0.2]) {
      await expectGradient(uniform([5, 7]), {
        forward: (b, x) => b.leakyRelu(x, slope),
        gradient: (b, g, x) => b.leakyReluGradient(g, b.leakyRelu(x, slope), slope),
      });
    }
  });

  // The oracle has no fused kernels. Its compositions are what fused kernels are compared with, and are held to this.
  for (const shape of [
    [6, 3],
    [2, 3, 2, 3],
  ]) {
    const x = upload(backend, uniform(shape, { seed: 5 }));
    const scale = upload(backend, uniform([3], { from: 0.5, to: 2, seed: 6 }));
    const offset = upload(backend, uniform([3], { seed: 7 }));
    const name = `[${shape.join(', ')}]`;

    it(`batchNorm's input gradient: ${name}`, async () => {
      for (const s of [scale, null]) {
        await expectGradient(uniform(shape), {
          forward: (b, input) => composeBatchNorm(b, input, s, offset, 0.01).output,
          gradient: (b, g, input) => {
            const { mean, variance } = composeBatchNorm(b, input, s, offset, 0.01);
            return composeBatchNormGradient(b, g, input, s, mean, variance, 0.01).inputGradient;
          },
        });
      }
    });

    it(`batchNorm's scale and offset gradients: ${name}`, async () => {
      const { mean, variance } = composeBatchNorm(backend, x, null, null, 0.01);
      await expectGradient(uniform([3]), {
        forward: (b, s) => composeBatchNorm(b, x, s, offset, 0.01).output,
        gradient: (b, g, s) => composeBatchNormGradient(b, g, x, s, mean, variance, 0.01).scaleGradient,
      });
      await expectGradient(uniform([3]), {
        forward: (b, o) => composeBatchNorm(b, x, scale, o, 0.01).output,
        gradient: (b, g) => composeBatchNormGradient(b, g, x, scale, mean, variance, 0.01).offsetGradient,
      });
    });
  }
});

/** Compares the derivative of Σ outputGradient x forward(x) with central differences. */
async function expectGradient({ data, shape }: Values, { forward, gradient }: Differentiable): Promise<void> {
  const x = backend.tensor(new Float64Array(data), shape);
  const outputShape = forward(backend, x).shape;
  const weights = uniform(outputShape, { seed: 9 });
  const analytic = await backend.read(gradient(backend, upload(backend, weights), x));

  const evaluate = async (point: Float64Array): Promise<number> => {
    const output = await backend.read(forward(backend, backend.tensor(point, shape)));
    let sum = 0;
    for (let i = 0; i < output.length; i++) sum += output[i] * weights.data[i];
    return sum;
  };
  // Short enough that no maximum changes its place and no rectified value its sign.
  const distance = 1e-6;
  const numeric = new Float64Array(sizeOf(shape));
  for (let i = 0; i < numeric.length; i++) {
    const point = new Float64Array(data);
    point[i] += distance;
    const above = await evaluate(point);
    point[i] -= 2 * distance;
    numeric[i] = (above - (await evaluate(point))) / (2 * distance);
  }
  // Rounding: 1e-16 x a sum of about 10, over 2e-6.
  expectClose(analytic, numeric, { absolute: 1e-7, relative: 1e-6 });
}

function conv(options: Partial<Conv2dOptions>): Conv2dOptions {
  return { strides: [1, 1], padding: around(0), dilations: [1, 1], groups: 1, ...options };
}

function around(size: number): Conv2dOptions['padding'] {
  return { top: size, bottom: size, left: size, right: size };
}
