import type { AveragePool2dOptions, Pool2dOptions, Shape, Size2d } from '@dafl/core';
import type { Kernel, Suite } from '../_suite.ts';
import { floats, stepped, uniform, type Values } from '../_values.ts';

/** One geometry. */
interface Geometry {
  readonly name: string;
  readonly input: Shape;
  readonly windowSize: Size2d;
  readonly strides: Size2d;
  /** Top, bottom, left, right. */
  readonly padding?: readonly [number, number, number, number];
}

const geometries: readonly Geometry[] = [
  { name: '2x2 by 2', input: [2, 8, 6, 3], windowSize: [2, 2], strides: [2, 2] },
  { name: '2x2 by 2, one image', input: [1, 4, 4, 1], windowSize: [2, 2], strides: [2, 2] },
  { name: '2x2 by 2, odd image', input: [3, 7, 5, 6], windowSize: [2, 2], strides: [2, 2] },
  { name: '2x2 by 2, 16 channels', input: [2, 6, 6, 16], windowSize: [2, 2], strides: [2, 2] },
  { name: '2x2 by 2, 17 channels', input: [2, 6, 6, 17], windowSize: [2, 2], strides: [2, 2] },
  { name: '2x2 by 1, overlapping', input: [2, 5, 6, 3], windowSize: [2, 2], strides: [1, 1] },
  { name: '3x3 by 2, padded', input: [2, 8, 8, 5], windowSize: [3, 3], strides: [2, 2], padding: [1, 1, 1, 1] },
  {
    name: '3x3 by 2, padded below and right',
    input: [2, 8, 6, 4],
    windowSize: [3, 3],
    strides: [2, 2],
    padding: [0, 1, 0, 1],
  },
  { name: '3x3 by 1, padded', input: [2, 6, 5, 7], windowSize: [3, 3], strides: [1, 1], padding: [1, 1, 1, 1] },
  {
    name: '3x2 by 1 and 2, padded unequally',
    input: [2, 6, 7, 3],
    windowSize: [3, 2],
    strides: [1, 2],
    padding: [2, 0, 1, 1],
  },
  { name: '1x3 by 1 and 2', input: [2, 3, 9, 3], windowSize: [1, 3], strides: [1, 2] },
  { name: '1x1 by 2', input: [2, 5, 6, 3], windowSize: [1, 1], strides: [2, 2] },
  { name: '2x2 by 3, pixels between unread', input: [2, 9, 8, 3], windowSize: [2, 2], strides: [3, 3] },
  {
    name: '5x5 by 2, padded, larger than the image',
    input: [2, 3, 4, 3],
    windowSize: [5, 5],
    strides: [2, 2],
    padding: [2, 2, 2, 2],
  },
  { name: 'whole image', input: [4, 7, 6, 60], windowSize: [7, 6], strides: [1, 1] },
  { name: 'large 2x2 by 2', input: [16, 32, 32, 20], windowSize: [2, 2], strides: [2, 2] },
  {
    name: 'large 3x3 by 2, padded',
    input: [8, 33, 31, 17],
    windowSize: [3, 3],
    strides: [2, 2],
    padding: [1, 1, 1, 1],
  },
  { name: 'large, whole image', input: [64, 16, 16, 33], windowSize: [16, 16], strides: [16, 16] },
];

/** What a window may hold: each way in which a maximum is missed. */
const contents: readonly (readonly [name: string, draw: (shape: Shape) => Values])[] = [
  ['values', (shape) => uniform(shape)],
  ['negative values', (shape) => uniform(shape, { from: -3, to: -1 })],
  ['ties', (shape) => stepped(shape, { from: -1, to: 1 })],
  ['rectified values', (shape) => rectified(shape)],
  ['zeros', (shape) => uniform(shape, { from: 0, to: 0 })],
];

/** maxPool2d, averagePool2d and their gradients. */
export function declarePoolingTests({ test }: Suite): void {
  for (const geometry of geometries) {
    const { name, input } = geometry;
    const options = optionsOf(geometry);
    const output = outputShapeOf(geometry);

    // Contents matter to a window, not to how many there are.
    for (const [content, draw] of name.startsWith('large') ? contents.slice(0, 1) : contents) {
      test(`maxPool2d of ${content}: ${name}`, async (bench) => {
        await bench.agree([draw(input)], (backend, [x]) => backend.maxPool2d(x, options));
      });

      test(`maxPool2dGradient of ${content}: ${name}`, async (bench) => {
        await bench.agree([uniform(output, { seed: 2 }), draw(input)], gradientOfMaxPool(options));
      });
    }

    for (const countsPadding of [true, false]) {
      const averageOptions: AveragePool2dOptions = { ...options, countsPadding };
      const divisor = countsPadding ? 'padding counted' : 'padding not counted';

      test(`averagePool2d, ${divisor}: ${name}`, async (bench) => {
        await bench.agree([uniform(input)], (backend, [x]) => backend.averagePool2d(x, averageOptions));
      });

      test(`averagePool2dGradient, ${divisor}: ${name}`, async (bench) => {
        await bench.agree([uniform(output)], (backend, [gradient]) =>
          backend.averagePool2dGradient(gradient, input, averageOptions),
        );
      });
    }
  }

  const halving = optionsOf({ windowSize: [2, 2], strides: [2, 2] });

  test('maxPool2dGradient: the first of equals takes all', async (bench) => {
    await bench.give(
      [floats([1, 2, 3, 4], [1, 2, 2, 1]), floats([5, 5, 0, 1, 5, 5, 1, 0, 0, 2, 7, 7, 2, 0, 7, 7], [1, 4, 4, 1])],
      gradientOfMaxPool(halving),
      [floats([1, 0, 0, 2, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0, 0, 0], [1, 4, 4, 1])],
    );
  });

  test('maxPool2d: -Infinity and Infinity', async (bench) => {
    const x = floats([-Infinity, -Infinity, -Infinity, 1, -Infinity, -Infinity, Infinity, 1], [1, 2, 4, 1]);
    await bench.agree([x], (backend, [input]) => backend.maxPool2d(input, halving));
  });

  test('maxPool2d: NaN', async (bench) => {
    for (let position = 0; position < 4; position++) {
      const { data, shape } = uniform([2, 4, 4, 5]);
      // Row and column of the window's four places, in the second image.
      data[80 + ((position >> 1) * 4 + (position & 1)) * 5 + 3] = Number.NaN;
      await bench.agree([{ data, shape }], (backend, [x]) => backend.maxPool2d(x, halving));
    }
  });

  test('averagePool2d: NaN and infinities', async (bench) => {
    const { data, shape } = uniform([2, 4, 4, 5]);
    data[7] = Number.NaN;
    data[100] = Infinity;
    for (const countsPadding of [true, false]) {
      const options = { ...optionsOf({ windowSize: [3, 3], strides: [1, 1], padding: [1, 1, 1, 1] }), countsPadding };
      await bench.agree([{ data, shape }], (backend, [x]) => backend.averagePool2d(x, options));
    }
  });

  test('pooling: an empty batch', async (bench) => {
    const input = floats([], [0, 4, 4, 3]);
    const output = floats([], [0, 2, 2, 3]);
    const options = { ...halving, countsPadding: true };
    await bench.agree([input], (backend, [x]) => backend.maxPool2d(x, halving));
    await bench.agree([input], (backend, [x]) => backend.averagePool2d(x, options));
    await bench.agree([output, input], gradientOfMaxPool(halving));
    await bench.agree([output], (backend, [g]) => backend.averagePool2dGradient(g, [0, 4, 4, 3], options));
  });

  test('determinism', async (bench) => {
    const options = optionsOf({ windowSize: [3, 3], strides: [2, 2], padding: [1, 1, 1, 1] });
    const input = uniform([8, 33, 31, 17]);
    const gradient = uniform([8, 17, 16, 17], { seed: 2 });
    await bench.repeat([gradient, input], gradientOfMaxPool(options));
    await bench.repeat([gradient], (backend, [g]) =>
      backend.averagePool2dGradient(g, input.shape, { ...options, countsPadding: false }),
    );
  });
}

function rectified(shape: Shape): Values {
  return { data: uniform(shape).data.map((value) => Math.max(value, 0)), shape };
}

/** The gradient kernel needs the forward kernel's output. */
function gradientOfMaxPool(options: Pool2dOptions): Kernel {
  return (backend, [outputGradient, input]) => {
    const output = backend.maxPool2d(input, options);
    const inputGradient = backend.maxPool2dGradient(outputGradient, input, output, options);
    backend.dispose(output);
    return inputGradient;
  };
}

function optionsOf({ windowSize, strides, padding }: Omit<Geometry, 'name' | 'input'>): Pool2dOptions {
  const [top, bottom, left, right] = padding ?? [0, 0, 0, 0];
  return { windowSize, strides, padding: { top, bottom, left, right } };
}

function outputShapeOf({ input, windowSize, strides, padding }: Geometry): Shape {
  const [top, bottom, left, right] = padding ?? [0, 0, 0, 0];
  const height = Math.floor((input[1] + top + bottom - windowSize[0]) / strides[0]) + 1;
  const width = Math.floor((input[2] + left + right - windowSize[1]) / strides[1]) + 1;
  return [input[0], height, width, input[3]];
}
