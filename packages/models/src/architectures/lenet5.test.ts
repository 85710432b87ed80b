import { describeClassifier, describeModel, inferShapes, shrink } from '@dafl/core';
import { describe, expect, test } from 'vitest';
import { lenet5 } from './lenet5.ts';

describe('lenet5', () => {
  test('has the parameters, the multiply-accumulates and the shapes of the paper', () => {
    const description = describeModel(lenet5());
    expect(description.parameters).toBe(61_706);
    expect(description.multiplyAccumulates).toBe(416_520);
    expect(description.nodes.map(({ name, outputShape }) => `${name} [${outputShape.join(', ')}]`)).toEqual([
      'conv1 [28, 28, 6]',
      'relu1 [28, 28, 6]',
      'pool1 [14, 14, 6]',
      'conv2 [10, 10, 16]',
      'relu2 [10, 10, 16]',
      'pool2 [5, 5, 16]',
      'conv3 [1, 1, 120]',
      'relu3 [1, 1, 120]',
      'features [120]',
      'dense [84]',
      'relu4 [84]',
      'logits [10]',
    ]);
  });

  test('is a classifier whose features are the last convolution after ReLU', () => {
    expect(describeClassifier(lenet5())).toEqual({
      classes: 10,
      featureSize: 120,
      inputShape: [32, 32, 1],
      preprocessing: { resize: 'bilinear', mean: [0.1307], standardDeviation: [0.3081] },
    });
    expect(lenet5().nodes.find(({ name }) => name === 'features')).toMatchObject({
      kind: 'flatten',
      inputs: ['relu3'],
    });
  });

  test('at half the width is LeNet-5-HALF, and what shrink makes of it', () => {
    const half = lenet5({ width: 0.5 });
    expect(half).toEqual(shrink(lenet5(), 0.5));
    const { name, parameters, multiplyAccumulates } = describeModel(half);
    expect({ name, parameters, multiplyAccumulates }).toEqual({
      name: 'lenet5-half',
      parameters: 15_738,
      multiplyAccumulates: 133_740,
    });
    expect(lenet5({ width: 0.25 })).toEqual(shrink(lenet5(), 0.25));
    expect(lenet5({ width: 0.75 })).toEqual(shrink(lenet5(), 0.75));
  });

  test('takes other widths, classes and names', () => {
    const shapes = inferShapes(lenet5({ width: 0.001, classes: 26, name: 'letters' }));
    expect(shapes.get('logits')!.output).toEqual([26]);
    expect(shapes.get('features')!.output).toEqual([1]);
    expect(lenet5({ name: 'letters' }).name).toBe('letters');
    expect(lenet5({ width: 2 }).name).toBe('lenet5-2');
  });

  test.each([
    [{ width: 0 }, "Cannot create lenet5 as 'width' must be > 0: current value is 0"],
    [{ width: NaN }, "Cannot create lenet5 as 'width' must be > 0: current value is NaN"],
    [{ classes: 1 }, "Cannot create lenet5 as 'classes' must be an integer >= 2: current value is 1"],
    [{ classes: 2.5 }, "Cannot create lenet5 as 'classes' must be an integer >= 2: current value is 2.5"],
  ])('rejects %o', (options, message) => {
    expect(() => lenet5(options)).toThrow(expect.objectContaining({ name: 'DaflError', code: 'USAGE', message }));
  });
});
