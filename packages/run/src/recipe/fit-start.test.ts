import { createRandomStream, foldBatchNorms, type Graph, initializeWeights, shrink } from '@dafl/core';
import { createArchitecture } from '@dafl/models';
import { expect, it } from 'vitest';
import { type DistillationOptions, parseDistillationOptions } from '../options/distillation-options.ts';
import { fitRecipe } from './fit-recipe.ts';
import { resolveRecipe } from './resolve-recipe.ts';

function folded(architecture: string): Graph {
  return foldBatchNorms(initializeWeights(createArchitecture(architecture), createRandomStream(0, 'weights'))).graph;
}

function fit(teacher: Graph, given: Partial<DistillationOptions> = {}) {
  const options = parseDistillationOptions({ teacher: 'teacher.onnx', ...given });
  const {
    training,
    options: fitted,
    steps,
  } = fitRecipe(options, resolveRecipe(options), teacher, shrink(teacher, 0.5)).recipe;
  // What repeats the run says so as well.
  expect(training.fitsLayers === true ? 'layers' : 'none').toBe(fitted.studentFit);
  expect(training.whitensInputs === true ? 'inputs' : 'none').toBe(fitted.studentWhitening);
  return [fitted.studentFit, fitted.studentWhitening, fitted.studentLearningRate, steps];
}

it('fits and whitens the layers of students without batch norms, but of small ones', () => {
  expect(fit(folded('resnet20'))).toEqual(['layers', 'inputs', 1e-3, 300]);
  for (const architecture of ['resnet20', 'airbench', 'lenet5'])
    expect(fit(createArchitecture(architecture)).slice(0, 3)).toEqual(['none', 'none', 3e-3]);
});

it.each<Partial<DistillationOptions>>([
  { method: 'dafl' },
  { method: 'pool' },
  { initialization: 'random' },
  { student: 'low-rank' },
  { studentFit: 'none', studentWhitening: 'none' },
])('leaves those of %o as they are', (given) => {
  const teacher = folded('resnet20');
  const options = parseDistillationOptions({ teacher: 'teacher.onnx', ...given });
  const usual = resolveRecipe(options).options.studentLearningRate;
  expect(fit(teacher, given).slice(0, 3)).toEqual(['none', 'none', usual]);
});

it('does what it is told', () => {
  const lenet5 = createArchitecture('lenet5');
  for (const method of ['procedural', 'dafl'] as const)
    expect(fit(lenet5, { method, studentFit: 'layers' }).slice(0, 2)).toEqual(['layers', 'none']);
  expect(fit(lenet5, { method: 'dafl', studentWhitening: 'inputs' })[1]).toBe('inputs');
  const resnet20 = folded('resnet20');
  expect(fit(resnet20, { studentLearningRate: 0.02 })).toEqual(['layers', 'inputs', 0.02, 300]);
  expect(fit(resnet20, { studentWhitening: 'none' })).toEqual(['layers', 'none', 3e-3, 300]);
});
