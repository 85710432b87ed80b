import { createRandomStream, foldBatchNorms, initializeWeights, type Model, shrink } from '@dafl/core';
import { createArchitecture } from '@dafl/models';
import { expect, it } from 'vitest';
import { type DistillationOptions, parseDistillationOptions } from '../options/distillation-options.ts';
import { fitToNetworks } from './fit-to-networks.ts';
import { resolveRecipe } from './resolve-recipe.ts';

const teacher: Model = foldBatchNorms(
  initializeWeights(createArchitecture('resnet20'), createRandomStream(0, 'weights')),
);
const other = createArchitecture('lenet5', { classes: 10, inputShape: [32, 32, 3] });

function fit(given: Partial<DistillationOptions>, student: Model['graph']) {
  const options = parseDistillationOptions({ teacher: 'teacher.onnx', ...given });
  const { recipe, startNote } = fitToNetworks(options, resolveRecipe(options), teacher, { graph: student });
  const { studentFit, studentWhitening, studentLearningRate, initialization } = recipe.options;
  return {
    note: startNote,
    values: [initialization, studentFit, studentWhitening, studentLearningRate, recipe.steps],
  };
}

it('chooses for random weights where the teacher has none that fit', () => {
  const { note, values } = fit({}, other);
  expect(note).toMatch(
    /^The student starts from random weights. Cannot inherit weights of 'resnet20' for 'lenet5' as /,
  );
  expect(values).toEqual(['random', 'none', 'none', 3e-3, 1875]);
});

it('leaves students that start from their teacher, and what was asked for, as they are', () => {
  expect(fit({}, shrink(teacher.graph, 0.5))).toEqual({ note: null, values: ['auto', 'layers', 'inputs', 1e-3, 300] });
  for (const initialization of ['teacher', 'random'] as const)
    expect(fit({ initialization }, other)).toMatchObject({
      note: null,
      values: expect.arrayContaining([initialization]),
    });
});
