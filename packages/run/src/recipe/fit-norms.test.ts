import { shrink } from '@dafl/core';
import { createArchitecture } from '@dafl/models';
import { expect, it } from 'vitest';
import { type DistillationOptions, parseDistillationOptions } from '../options/distillation-options.ts';
import { fitRecipe } from './fit-recipe.ts';
import { resolveRecipe } from './resolve-recipe.ts';

function normsOf(given: Partial<DistillationOptions>): unknown {
  const teacher = createArchitecture('lenet5');
  const options = parseDistillationOptions({ teacher: 'teacher.onnx', ...given });
  const { recipe } = fitRecipe(options, resolveRecipe(options), teacher, shrink(teacher, 0.5));
  // What repeats the run says what it learnt with.
  expect(recipe.options.studentNorms).toBe(recipe.training.normalizesLayers === true ? 'batch' : 'own');
  return recipe.options.studentNorms;
}

it.each<[Partial<DistillationOptions>, 'own' | 'batch']>([
  [{}, 'own'],
  [{ student: 0.3 }, 'own'],
  [{ student: 'low-rank' }, 'own'],
  [{ initialization: 'random' }, 'batch'],
  [{ answersOnly: true }, 'batch'],
  [{ teacher: 'http://127.0.0.1/v2/models/x', student: 'lenet5' }, 'batch'],
  [{ student: 'lenet5' }, 'batch'],
  [{ initialization: 'random', studentNorms: 'own' }, 'own'],
  [{ initialization: 'random', method: 'pool' }, 'batch'],
  [{ method: 'pool' }, 'own'],
  [{ initialization: 'random', method: 'dafl' }, 'own'],
  [{ initialization: 'random', method: 'dafl', studentNorms: 'batch' }, 'batch'],
])('decides what a student learns with: %o', (given, norms) => expect(normsOf(given)).toBe(norms));
