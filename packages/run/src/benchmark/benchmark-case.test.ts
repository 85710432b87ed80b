import { describeClassifier } from '@dafl/core';
import { lenet5 } from '@dafl/models';
import { describe, expect, test } from 'vitest';
import { type BenchmarkCase, prepareCase } from './benchmark-case.ts';
import { countStep } from './count-step.ts';

const official: BenchmarkCase = { name: 'official', batchSize: 256, imageSize: 32, generatorWidth: 1, seed: 0 };

describe('prepareCase', () => {
  test('at 32 pixels has the networks of the paper', async () => {
    const { options, generator, dafl } = await prepareCase(official);
    expect(options.teacher.graph.nodes).toEqual(lenet5().nodes);
    expect(options.student.nodes).toEqual(lenet5({ width: 0.5 }).nodes);
    expect(generator.inputShape).toEqual([100]);
    expect(dafl).toMatchObject({ batchSize: 256, replay: null, adversarialWeight: 0 });
  });

  test.each([28, 40, 64])('at %i pixels the last convolution leaves one pixel', async (imageSize) => {
    const { options } = await prepareCase({ ...official, imageSize });
    const { inputShape, featureSize } = describeClassifier(options.teacher.graph);
    expect([inputShape, featureSize]).toEqual([[imageSize, imageSize, 1], 120]);
    expect(describeClassifier(options.student).featureSize).toBe(60);
  });

  test('widens the generator alone', async () => {
    const { dafl, options } = await prepareCase({ ...official, name: 'fast', generatorWidth: 3 });
    expect(dafl.generator.widths).toEqual([48, 48, 24]);
    expect(dafl.replay?.studentSteps).toBe(16);
    expect(options.student.nodes).toEqual(lenet5({ width: 0.5 }).nodes);
  });

  test.each<[Partial<BenchmarkCase>, string]>([
    [{ imageSize: 30 }, "'imageSize' must be a multiple of 4 >= 28: current value is 30"],
    [{ imageSize: 24 }, "'imageSize' must be a multiple of 4 >= 28: current value is 24"],
    [{ generatorWidth: 0 }, "'generatorWidth' must be an integer >= 1: current value is 0"],
    [{ name: 'slow' as 'fast' }, "'name' must be one of [official, fast]: current value is slow"],
  ])('rejects %o', async (change, message) => {
    await expect(prepareCase({ ...official, ...change })).rejects.toThrow(`Cannot measure a step as ${message}`);
  });
});

describe('countStep', () => {
  test('counts forward and both gradients where they are taken', async () => {
    const count = countStep(await prepareCase(official));
    // The generator's first layer: 100 x 128 x 8 x 8; the half student's first convolution: 28 x 28 x 5 x 5 x 3.
    const generator = 3 * 114_655_232 - 819_200;
    const student = 3 * 133_740 - 58_800;
    expect(count.multiplyAccumulates).toEqual({ generator: 114_655_232, teacher: 416_520, student: 133_740 });
    expect(count.multiplyAccumulatesOfStep).toBe(generator + 2 * 416_520 + student);
    expect(count.operations).toBe(2 * 256 * count.multiplyAccumulatesOfStep);
  });

  test('counts replayed updates and the adversarial term', async () => {
    const count = countStep(await prepareCase({ ...official, name: 'fast' }));
    const { generator, teacher, student } = count.multiplyAccumulates;
    const first = 100 * 16 * 8 * 8;
    expect(count.multiplyAccumulatesOfStep).toBe(
      3 * generator - first + 2 * teacher + 2 * student + 16 * (3 * student - 58_800),
    );
  });
});
