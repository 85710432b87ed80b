import type { Conv2dOptions, Shape, Size2d, Tensor } from '@dafl/core';
import type { Kernel, Suite } from '../_suite.ts';
import { floats, uniform } from '../_values.ts';

/** One geometry. What is left out is 1 or 0. */
interface Geometry {
  readonly name: string;
  readonly input: Shape;
  readonly filter: Shape;
  readonly strides?: Size2d;
  /** Top, bottom, left, right. */
  readonly padding?: readonly [number, number, number, number];
  readonly dilations?: Size2d;
  readonly groups?: number;
}

const geometries: readonly Geometry[] = [
  // Kernels and channels.
  { name: '1x1 of one channel', input: [1, 1, 1, 1], filter: [1, 1, 1, 1] },
  { name: '1x1', input: [3, 5, 6, 17], filter: [1, 1, 17, 6] },
  { name: '1x1 of many channels', input: [2, 7, 7, 120], filter: [1, 1, 120, 60] },
  { name: '3x3', input: [2, 7, 7, 3], filter: [3, 3, 3, 8], padding: [1, 1, 1, 1] },
  { name: '3x3 without padding', input: [1, 6, 9, 4], filter: [3, 3, 4, 4] },
  { name: '3x3, 1 to 1', input: [3, 6, 6, 1], filter: [3, 3, 1, 1], padding: [1, 1, 1, 1] },
  { name: '3x3, 1 to 16', input: [2, 6, 5, 1], filter: [3, 3, 1, 16], padding: [1, 1, 1, 1] },
  { name: '3x3, 16 to 1', input: [2, 6, 5, 16], filter: [3, 3, 16, 1], padding: [1, 1, 1, 1] },
  { name: '3x3, 16 to 17', input: [2, 6, 5, 16], filter: [3, 3, 16, 17], padding: [1, 1, 1, 1] },
  { name: '3x3, 17 to 60', input: [2, 5, 5, 17], filter: [3, 3, 17, 60], padding: [1, 1, 1, 1] },
  { name: '3x3, 60 to 3', input: [2, 5, 5, 60], filter: [3, 3, 60, 3], padding: [1, 1, 1, 1] },
  { name: '3x3, 6 to 120', input: [2, 5, 5, 6], filter: [3, 3, 6, 120], padding: [1, 1, 1, 1] },
  { name: '5x5 of LeNet-5, first', input: [2, 32, 32, 1], filter: [5, 5, 1, 6] },
  { name: '5x5 of LeNet-5, second', input: [3, 14, 14, 6], filter: [5, 5, 6, 16] },
  { name: '5x5 that covers the image', input: [4, 5, 5, 16], filter: [5, 5, 16, 120] },
  { name: '1x7', input: [2, 5, 9, 3], filter: [1, 7, 3, 4], padding: [0, 0, 3, 3] },
  { name: '7x1', input: [2, 9, 5, 3], filter: [7, 1, 3, 4], padding: [3, 3, 0, 0] },
  { name: '2x4', input: [2, 6, 7, 3], filter: [2, 4, 3, 5] },
  // Strides.
  { name: '1x1, stride 2', input: [3, 5, 6, 4], filter: [1, 1, 4, 5], strides: [2, 2] },
  { name: '1x1, stride 3', input: [2, 9, 8, 6], filter: [1, 1, 6, 3], strides: [3, 3] },
  { name: '3x3, stride 2', input: [2, 8, 8, 3], filter: [3, 3, 3, 16], strides: [2, 2], padding: [1, 1, 1, 1] },
  {
    name: '3x3, stride 2, odd image',
    input: [2, 7, 9, 3],
    filter: [3, 3, 3, 6],
    strides: [2, 2],
    padding: [1, 1, 1, 1],
  },
  { name: '3x3, stride 2, last rows unread', input: [2, 8, 10, 4], filter: [3, 3, 4, 5], strides: [2, 2] },
  { name: '3x3, stride 3, last rows unread', input: [2, 11, 10, 3], filter: [3, 3, 3, 6], strides: [3, 3] },
  { name: '2x2, stride 3, rows between unread', input: [2, 9, 10, 3], filter: [2, 2, 3, 6], strides: [3, 3] },
  { name: '3x3, strides 2 and 1', input: [2, 9, 7, 3], filter: [3, 3, 3, 4], strides: [2, 1], padding: [1, 1, 1, 1] },
  { name: '3x3, strides 1 and 3', input: [2, 6, 11, 3], filter: [3, 3, 3, 4], strides: [1, 3], padding: [1, 1, 1, 1] },
  { name: '4x4, stride 2', input: [2, 8, 8, 8], filter: [4, 4, 8, 8], strides: [2, 2], padding: [1, 1, 1, 1] },
  { name: '7x7, stride 2', input: [2, 15, 15, 3], filter: [7, 7, 3, 16], strides: [2, 2], padding: [3, 3, 3, 3] },
  { name: '3x3, stride 5, one output', input: [2, 7, 6, 3], filter: [3, 3, 3, 4], strides: [5, 5] },
  // Padding.
  {
    name: 'padding below and right',
    input: [2, 8, 8, 3],
    filter: [3, 3, 3, 8],
    strides: [2, 2],
    padding: [0, 1, 0, 1],
  },
  { name: 'padding above and left', input: [2, 8, 7, 3], filter: [3, 3, 3, 8], strides: [2, 2], padding: [1, 0, 1, 0] },
  { name: 'padding unequal on all sides', input: [2, 6, 5, 3], filter: [3, 3, 3, 4], padding: [2, 0, 1, 3] },
  { name: 'padding around 1x1', input: [2, 3, 4, 3], filter: [1, 1, 3, 5], padding: [2, 1, 0, 2] },
  { name: 'padding wider than the kernel', input: [2, 3, 3, 2], filter: [2, 2, 2, 4], padding: [3, 3, 4, 2] },
  { name: 'full padding', input: [2, 5, 5, 4], filter: [3, 3, 4, 3], padding: [2, 2, 2, 2] },
  { name: '5x5 larger than the image', input: [2, 3, 3, 2], filter: [5, 5, 2, 3], padding: [2, 2, 2, 2] },
  { name: '7x7 over 1x1 images', input: [3, 1, 1, 5], filter: [7, 7, 5, 6], padding: [3, 3, 3, 3] },
  // Dilation.
  { name: 'dilation 2', input: [2, 9, 8, 3], filter: [3, 3, 3, 8], padding: [2, 2, 2, 2], dilations: [2, 2] },
  { name: 'dilation 3 without padding', input: [2, 9, 10, 4], filter: [3, 3, 4, 4], dilations: [3, 3] },
  { name: 'dilations 2 and 3', input: [2, 9, 11, 3], filter: [3, 2, 3, 4], padding: [1, 2, 0, 3], dilations: [2, 3] },
  {
    name: 'dilation 2, stride 2',
    input: [2, 10, 9, 3],
    filter: [3, 3, 3, 6],
    strides: [2, 2],
    padding: [2, 1, 1, 2],
    dilations: [2, 2],
  },
  // Groups.
  { name: '2 groups', input: [2, 6, 6, 8], filter: [3, 3, 4, 6], padding: [1, 1, 1, 1], groups: 2 },
  { name: '3 groups of unequal widths', input: [2, 6, 6, 6], filter: [3, 3, 2, 9], padding: [1, 1, 1, 1], groups: 3 },
  { name: '4 groups, 1x1, stride 2', input: [2, 6, 7, 12], filter: [1, 1, 3, 8], strides: [2, 2], groups: 4 },
  { name: '8 groups of ResNeXt', input: [2, 5, 5, 32], filter: [3, 3, 4, 32], padding: [1, 1, 1, 1], groups: 8 },
  {
    name: '2 groups, stride 2, dilation 2',
    input: [2, 9, 9, 4],
    filter: [3, 3, 2, 6],
    strides: [2, 2],
    padding: [2, 1, 2, 0],
    dilations: [2, 2],
    groups: 2,
  },
  { name: 'depthwise', input: [2, 7, 7, 5], filter: [3, 3, 1, 5], padding: [1, 1, 1, 1], groups: 5 },
  { name: 'depthwise, 16 channels', input: [3, 7, 6, 16], filter: [3, 3, 1, 16], padding: [1, 1, 1, 1], groups: 16 },
  { name: 'depthwise, 17 channels', input: [2, 6, 6, 17], filter: [5, 5, 1, 17], padding: [2, 2, 2, 2], groups: 17 },
  { name: 'depthwise 1x1', input: [2, 4, 4, 6], filter: [1, 1, 1, 6], groups: 6 },
  {
    name: 'depthwise, stride 2',
    input: [2, 9, 8, 6],
    filter: [3, 3, 1, 6],
    strides: [2, 2],
    padding: [0, 1, 0, 1],
    groups: 6,
  },
  {
    name: 'depthwise, stride 2, last rows unread',
    input: [2, 8, 8, 12],
    filter: [3, 3, 1, 12],
    strides: [2, 2],
    groups: 12,
  },
  {
    name: 'depthwise, strides 1 and 2',
    input: [2, 7, 8, 6],
    filter: [3, 3, 1, 6],
    strides: [1, 2],
    padding: [1, 1, 1, 0],
    groups: 6,
  },
  {
    name: 'depthwise, dilation 2',
    input: [2, 8, 8, 6],
    filter: [3, 3, 1, 6],
    padding: [2, 2, 2, 2],
    dilations: [2, 2],
    groups: 6,
  },
  {
    name: 'depthwise, multiplier 2',
    input: [2, 6, 6, 5],
    filter: [3, 3, 1, 10],
    padding: [1, 1, 1, 1],
    groups: 5,
  },
  {
    name: 'depthwise, multiplier 3, stride 2',
    input: [2, 7, 7, 16],
    filter: [3, 3, 1, 48],
    strides: [2, 2],
    padding: [1, 1, 1, 1],
    groups: 16,
  },
  // Enough work that a backend which splits it over threads or blocks does so.
  { name: 'large 3x3, 32 to 16', input: [8, 32, 32, 32], filter: [3, 3, 32, 16], padding: [1, 1, 1, 1] },
  { name: 'large 3x3, 17 to 60', input: [16, 15, 13, 17], filter: [3, 3, 17, 60], padding: [1, 1, 1, 1] },
  {
    name: 'large 3x3, stride 2',
    input: [8, 33, 31, 16],
    filter: [3, 3, 16, 33],
    strides: [2, 2],
    padding: [1, 1, 1, 1],
  },
  { name: 'large 1x1', input: [16, 28, 28, 24], filter: [1, 1, 24, 36] },
  { name: 'large 5x5 of one channel', input: [64, 32, 32, 1], filter: [5, 5, 1, 6] },
  { name: 'large 3x3 to 3 channels', input: [8, 32, 32, 32], filter: [3, 3, 32, 3], padding: [1, 1, 1, 1] },
  { name: 'large 3x3, 256 to 33, few pixels', input: [2, 4, 4, 256], filter: [3, 3, 256, 33], padding: [1, 1, 1, 1] },
  { name: 'large depthwise', input: [8, 28, 28, 60], filter: [3, 3, 1, 60], padding: [1, 1, 1, 1], groups: 60 },
  { name: 'large batch', input: [130, 6, 6, 5], filter: [3, 3, 5, 9], padding: [1, 1, 1, 1] },
];

/** conv2d and its two gradients. */
export function declareConvolutionTests({ test }: Suite): void {
  for (const geometry of geometries) {
    const { name, input, filter } = geometry;
    const options = optionsOf(geometry);
    const output = outputShapeOf(input, filter, options);

    test(`conv2d: ${name}`, async (bench) => {
      await bench.agree([uniform(input), uniform(filter, { seed: 2 })], (backend, [x, w]) =>
        backend.conv2d(x, w, null, options),
      );
    });

    test(`conv2d with bias: ${name}`, async (bench) => {
      const inputs = [uniform(input), uniform(filter, { seed: 2 }), uniform([filter[3]], { seed: 3 })];
      await bench.agree(inputs, (backend, [x, w, bias]) => backend.conv2d(x, w, bias, options));
    });

    test(`conv2dInputGradient: ${name}`, async (bench) => {
      await bench.agree([uniform(output), uniform(filter, { seed: 2 })], (backend, [gradient, w]) =>
        backend.conv2dInputGradient(gradient, w, input, options),
      );
    });

    test(`conv2dFilterGradient: ${name}`, async (bench) => {
      await bench.agree([uniform(input), uniform(output, { seed: 2 })], (backend, [x, gradient]) =>
        backend.conv2dFilterGradient(x, gradient, filter, options),
      );
    });
  }

  const same = optionsOf({ padding: [1, 1, 1, 1] });

  test('conv2d: is a correlation, the filter is not flipped', async (bench) => {
    await bench.give(
      [floats([1, 2, 3, 4], [1, 1, 4, 1]), floats([1, 10], [1, 2, 1, 1])],
      (backend, [x, w]) => backend.conv2d(x, w, null, optionsOf({})),
      [floats([21, 32, 43], [1, 1, 3, 1])],
    );
  });

  test('conv2d and gradients: each image of a batch counts for itself', async (bench) => {
    // An image between images of zeros, so that whatever leaks to its neighbours shows.
    const { data, shape } = uniform([3, 6, 6, 5]);
    data.fill(0, 0, 180);
    data.fill(0, 360);
    const exactZeros = { absolute: 0, relative: 1e-4 };
    const zeros = new Float32Array(72);
    const leaks = async (filter: Shape, run: Kernel): Promise<void> => {
      await bench.give(
        [{ data, shape }, uniform(filter, { seed: 2 })],
        (backend, inputs) => {
          const output = run(backend, inputs) as Tensor;
          const size = [1, 6, 6, 2];
          const outer = [backend.slice(output, [0, 0, 0, 0], size), backend.slice(output, [2, 0, 0, 0], size)];
          backend.dispose(output);
          return outer;
        },
        [
          { data: zeros, shape: [1, 6, 6, 2] },
          { data: zeros, shape: [1, 6, 6, 2] },
        ],
        exactZeros,
      );
    };
    await leaks([3, 3, 5, 2], (backend, [x, w]) => backend.conv2d(x, w, null, same));
    await leaks([3, 3, 2, 5], (backend, [g, w]) => backend.conv2dInputGradient(g, w, [3, 6, 6, 2], same));
  });

  test('conv2d and gradients: an empty batch', async (bench) => {
    const empty = floats([], [0, 6, 6, 3]);
    const emptyOutput = floats([], [0, 6, 6, 5]);
    const filter = uniform([3, 3, 3, 5]);
    await bench.agree([empty, filter], (backend, [x, w]) => backend.conv2d(x, w, null, same));
    await bench.agree([emptyOutput, filter], (backend, [gradient, w]) =>
      backend.conv2dInputGradient(gradient, w, [0, 6, 6, 3], same),
    );
    await bench.agree([empty, emptyOutput], (backend, [x, gradient]) =>
      backend.conv2dFilterGradient(x, gradient, [3, 3, 3, 5], same),
    );
  });

  test('conv2d and gradients: NaN and infinities reach what reads them, and no more', async (bench) => {
    // Away from the borders, where it is open whether padding is multiplied or left out.
    const withNan = (shape: Shape, index: number, value: number): ReturnType<typeof uniform> => {
      const values = uniform(shape);
      values.data[index] = value;
      return values;
    };
    const image = [2, 7, 7, 3];
    const filter = [3, 3, 3, 5];
    const output = [2, 7, 7, 5];
    for (const value of [Number.NaN, Infinity]) {
      const x = withNan(image, (3 * 7 + 3) * 3 + 1, value);
      const g = withNan(output, (3 * 7 + 3) * 5 + 4, value);
      await bench.agree([x, uniform(filter)], (backend, [a, w]) => backend.conv2d(a, w, null, same));
      await bench.agree([g, uniform(filter)], (backend, [a, w]) => backend.conv2dInputGradient(a, w, image, same));
      await bench.agree([x, uniform(output)], (backend, [a, b]) => backend.conv2dFilterGradient(a, b, filter, same));
    }
    await bench.agree([uniform(image), withNan(filter, 4 * 15 + 2, Number.NaN)], (backend, [a, w]) =>
      backend.conv2d(a, w, null, same),
    );
  });

  test('determinism', async (bench) => {
    const input = uniform([4, 32, 32, 32]);
    const filter = uniform([3, 3, 32, 16], { seed: 2 });
    const gradient = uniform([4, 32, 32, 16], { seed: 3 });
    await bench.repeat([input, filter], (backend, [x, w]) => backend.conv2d(x, w, null, same));
    await bench.repeat([gradient, filter], (backend, [g, w]) => backend.conv2dInputGradient(g, w, input.shape, same));
    await bench.repeat([input, gradient], (backend, [x, g]) => backend.conv2dFilterGradient(x, g, filter.shape, same));
  });
}

function optionsOf({ strides, padding, dilations, groups }: Partial<Geometry>): Conv2dOptions {
  const [top, bottom, left, right] = padding ?? [0, 0, 0, 0];
  return {
    strides: strides ?? [1, 1],
    padding: { top, bottom, left, right },
    dilations: dilations ?? [1, 1],
    groups: groups ?? 1,
  };
}

function outputShapeOf(input: Shape, filter: Shape, options: Conv2dOptions): Shape {
  const { strides, padding, dilations } = options;
  const height = input[1] + padding.top + padding.bottom - dilations[0] * (filter[0] - 1) - 1;
  const width = input[2] + padding.left + padding.right - dilations[1] * (filter[1] - 1) - 1;
  return [input[0], Math.floor(height / strides[0]) + 1, Math.floor(width / strides[1]) + 1, filter[3]];
}
