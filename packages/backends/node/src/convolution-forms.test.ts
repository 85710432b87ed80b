import { createCpuBackend } from '@dafl/backend-cpu';
import { expectClose } from '@dafl/conformance';
import { type Conv2dOptions, createRandomStream, type Shape, type TensorBackend } from '@dafl/core';
import { describe, expect, it } from 'vitest';
import { chooseForm } from './few-channel-convolution.ts';
import { createNodeBackend, findTensorflow } from './index.ts';

const options: Conv2dOptions = {
  strides: [1, 1],
  padding: { top: 1, bottom: 1, left: 1, right: 1 },
  dilations: [1, 1],
  groups: 1,
};
const lopsided = { ...options, padding: { top: 2, bottom: 0, left: 0, right: 2 } };

const geometries: readonly (readonly [form: 'rows' | 'taps' | null, Shape, Shape, Conv2dOptions])[] = [
  ['rows', [3, 9, 11, 3], [3, 5, 3, 4], { ...options, padding: { top: 0, bottom: 1, left: 3, right: 0 } }],
  ['rows', [2, 8, 9, 5], [3, 3, 5, 20], { ...options, strides: [2, 2] }],
  ['rows', [2, 6, 7, 1], [2, 3, 1, 2], { ...options, strides: [1, 3] }],
  ['taps', [2, 5, 40, 64], [3, 3, 64, 1], options],
  ['taps', [2, 5, 40, 33], [3, 3, 33, 3], lopsided],
  [null, [2, 5, 6, 16], [3, 3, 16, 17], options],
];

describe('chooseForm', () => {
  it.each(geometries)('takes %s for an input of %j and a filter of %j', (form, input, filter, given) => {
    expect(chooseForm(input, filter, given)).toBe(form);
  });

  it("leaves groups and dilations to TensorFlow's own kernels", () => {
    expect(chooseForm([2, 8, 8, 4], [3, 3, 2, 4], { ...options, groups: 2 })).toBeNull();
    expect(chooseForm([2, 8, 8, 4], [3, 3, 4, 4], { ...options, dilations: [2, 1] })).toBeNull();
  });
});

describe.skipIf(findTensorflow().length === 0)('where TensorFlow is installed', () => {
  it.each(geometries)('computes what the reference does: %s, %j, %j', async (_, inputShape, filterShape, given) => {
    const compute = async (backend: TensorBackend): Promise<number[][]> => {
      const random = createRandomStream(0, 'convolution forms');
      const draw = (shape: Shape) =>
        backend.tensor(Float32Array.from(random.normal(shape.reduce((size, length) => size * length, 1))), shape);
      const [input, filter, bias] = [draw(inputShape), draw(filterShape), draw(filterShape.slice(3))];
      const output = backend.conv2d(input, filter, bias, given);
      const gradient = draw(output.shape);
      const results = [
        output,
        backend.conv2dInputGradient(gradient, filter, inputShape, given),
        backend.conv2dFilterGradient(input, gradient, filterShape, given),
        backend.reduce('sum', gradient, [0, 1, 2], false),
      ];
      const values = await Promise.all(results.map(async (result) => Array.from(await backend.read(result))));
      await backend.close();
      return values;
    };
    const actual = await compute(createNodeBackend({ device: 'cpu' }));
    const expected = await compute(createCpuBackend({ precision: 'float64' }));
    actual.forEach((values, index) => expectClose(values, expected[index], { absolute: 2e-5, relative: 1e-5 }));
  });
});
