import { shrink } from '@dafl/core';
import { createArchitecture } from '@dafl/models';
import { expect, it } from 'vitest';
import { type DistillationOptions, parseDistillationOptions } from '../options/distillation-options.ts';
import { fitRecipe } from './fit-recipe.ts';
import { type Recipe, resolveRecipe } from './resolve-recipe.ts';

function fit(architecture: string, given: Partial<DistillationOptions> = {}): { asked: Recipe; fitted: Recipe } {
  const teacher = createArchitecture(architecture);
  const options = parseDistillationOptions({ teacher: 'teacher.onnx', ...given });
  const asked = resolveRecipe(options);
  return { asked, fitted: fitRecipe(options, asked, teacher, shrink(teacher, 0.5)).recipe };
}

it.each(['airbench', 'resnet18-imagenet'])('holds a half %s to its teacher more tightly', (architecture) => {
  const { asked, fitted } = fit(architecture);
  expect(fitted.training).toEqual({ ...asked.training, hintWeight: 8 });
  // What repeats the run says so as well.
  expect(fitted.options.hintWeight).toBe(8);
});

it.each<[string, Partial<DistillationOptions>]>([
  ['lenet5', {}],
  ['resnet20', {}],
  ['airbench', { initialization: 'random' }],
  ['airbench', { answersOnly: true }],
  ['airbench', { student: 'lenet5' }],
  ['airbench', { student: 'low-rank' }],
  ['airbench', { method: 'pool' }],
  ['airbench', { hintWeight: 3 }],
])('leaves the hints of %s with %o', (architecture, given) => {
  const { asked, fitted } = fit(architecture, given);
  expect(fitted.training.hintWeight).toBe(asked.training.hintWeight);
});
