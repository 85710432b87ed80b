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

it('gives small networks more steps', () => {
  expect(stepsOf('lenet5')).toEqual({ asked: 375, fitted: 600 });
  expect(stepsOf('lenet5', { studentWhitening: 'inputs' })).toEqual({ asked: 375, fitted: 375 });
});

it('gives large networks fewer steps the more often their teacher answers', () => {
  expect(stepsOf('resnet20', { usesPerBatch: 4 }).fitted).toBe(375);
  // A teacher of 41 million multiply-accumulates and a student of 10.
  expect(stepsOf('resnet20').fitted).toBe(300);
  expect(stepsOf('resnet20', { usesPerBatch: 1 }).fitted).toBe(215);
  expect(stepsOf('resnet20', { steps: 375 }).fitted).toBe(375);
});

it('does so where batches are made smaller as well', () => {
  const teacher = createArchitecture('resnet18-imagenet');
  const options = parseDistillationOptions({ teacher: 'teacher.onnx' });
  const asked = resolveRecipe(options);
  const { recipe, note } = fitRecipe(options, asked, teacher, shrink(teacher, 0.5));
  expect(note).toContain(`Batches have ${recipe.batchSize} images`);
  expect(recipe.batchSize).toBeLessThan(asked.batchSize);
  expect(recipe.options.usesPerBatch).toBe(2);
  expect(recipe.steps).toBeLessThan(0.85 * asked.steps);
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
