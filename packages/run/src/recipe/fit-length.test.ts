import { shrink } from '@dafl/core';
import { createArchitecture } from '@dafl/models';
import { expect, it } from 'vitest';
import { type DistillationOptions, parseDistillationOptions } from '../options/distillation-options.ts';
import { fitRecipe } from './fit-recipe.ts';
import { resolveRecipe } from './resolve-recipe.ts';

function stepsOf(architecture: string, given: Partial<DistillationOptions> = {}): { asked: number; fitted: number } {
  const teacher = createArchitecture(architecture);
  const options = parseDistillationOptions({ teacher: 'teacher.onnx', ...given });
  const recipe = resolveRecipe(options);
  const fitted = fitRecipe(options, recipe, teacher, shrink(teacher, 0.5)).recipe;
  return { asked: recipe.steps, fitted: fitted.steps };
}

it('gives small networks more steps, and others as many as the recipe says', () => {
  expect(stepsOf('lenet5')).toEqual({ asked: 375, fitted: 600 });
  expect(stepsOf('lenet5', { studentWhitening: 'inputs' })).toEqual({ asked: 375, fitted: 375 });
  for (const architecture of ['resnet20', 'airbench', 'resnet18-imagenet'])
    expect(stepsOf(architecture)).toEqual({ asked: 375, fitted: 375 });
});

it.each<Partial<DistillationOptions>>([
  { steps: 375 },
  { timeBudgetMs: 60_000 },
  { method: 'dafl' },
  // Long already.
  { initialization: 'random' },
  { student: 'low-rank' },
])('leaves the length of %o', (given) => {
  const { asked, fitted } = stepsOf('lenet5', given);
  expect(fitted).toBe(asked);
});
