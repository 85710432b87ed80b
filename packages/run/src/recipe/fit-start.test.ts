import { shrink } from '@dafl/core';
import { createArchitecture } from '@dafl/models';
import { expect, it } from 'vitest';
import { type DistillationOptions, parseDistillationOptions } from '../options/distillation-options.ts';
import { fitRecipe } from './fit-recipe.ts';
import { resolveRecipe } from './resolve-recipe.ts';

function fitOf(architecture: string, given: Partial<DistillationOptions> = {}): unknown {
  const teacher = createArchitecture(architecture);
  const options = parseDistillationOptions({ teacher: 'teacher.onnx', ...given });
  const { recipe } = fitRecipe(options, resolveRecipe(options), teacher, shrink(teacher, 0.5));
  expect(recipe.training.fitsLayers === true ? 'layers' : 'none').toBe(recipe.options.studentFit);
  return recipe.options.studentFit;
}

it('fits the layers of students before the first step, but where networks are small', () => {
  for (const architecture of ['resnet20', 'airbench', 'resnet18-imagenet']) expect(fitOf(architecture)).toBe('layers');
  expect(fitOf('lenet5')).toBe('none');
});

it.each<Partial<DistillationOptions>>([
  { method: 'dafl' },
  { method: 'pool' },
  { initialization: 'random' },
  { student: 'low-rank' },
  { studentFit: 'none' },
])('leaves those of %o as they are', (given) => expect(fitOf('resnet20', given)).toBe('none'));

it('does what it is told', () => {
  for (const method of ['procedural', 'dafl'] as const)
    expect(fitOf('lenet5', { method, studentFit: 'layers' })).toBe('layers');
});
