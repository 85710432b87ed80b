import { createRandomStream, foldBatchNorms, type Graph, initializeWeights, shrink } from '@dafl/core';
import { createArchitecture } from '@dafl/models';
import { expect, it } from 'vitest';
import { type DistillationOptions, parseDistillationOptions } from '../options/distillation-options.ts';
import { fitRecipe } from './fit-recipe.ts';
import { resolveRecipe } from './resolve-recipe.ts';

function folded(architecture: string): Graph {
  return foldBatchNorms(initializeWeights(createArchitecture(architecture), createRandomStream(0, 'weights'))).graph;
}

function fitOf(teacher: Graph, given: Partial<DistillationOptions> = {}): unknown {
  const options = parseDistillationOptions({ teacher: 'teacher.onnx', ...given });
  const { recipe } = fitRecipe(options, resolveRecipe(options), teacher, shrink(teacher, 0.5));
  expect(recipe.training.fitsLayers === true ? 'layers' : 'none').toBe(recipe.options.studentFit);
  return recipe.options.studentFit;
}

it('fits the layers of students before the first step where there is no batch norm, but in small networks', () => {
  expect(fitOf(folded('resnet20'))).toBe('layers');
  for (const architecture of ['resnet20', 'airbench', 'lenet5'])
    expect(fitOf(createArchitecture(architecture))).toBe('none');
});

it.each<Partial<DistillationOptions>>([
  { method: 'dafl' },
  { method: 'pool' },
  { initialization: 'random' },
  { student: 'low-rank' },
  { studentFit: 'none' },
])('leaves those of %o as they are', (given) => expect(fitOf(folded('resnet20'), given)).toBe('none'));

it('does what it is told', () => {
  for (const method of ['procedural', 'dafl'] as const)
    expect(fitOf(createArchitecture('lenet5'), { method, studentFit: 'layers' })).toBe('layers');
});
