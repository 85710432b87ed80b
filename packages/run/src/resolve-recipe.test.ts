import { expect, it } from 'vitest';
import { parseDistillationOptions } from './distillation-options.ts';
import { resolveRecipe } from './resolve-recipe.ts';

const stepsOf = (options: object): number =>
  resolveRecipe(parseDistillationOptions({ teacher: 'lenet5-mnist', student: 'half', ...options })).steps;

it('gives students from random weights more steps, where the method is procedural', () => {
  const steps = stepsOf({});
  for (const student of ['quarter', 0.3]) expect(stepsOf({ student })).toBe(steps);
  expect(stepsOf({ initialization: 'random' })).toBe(5 * steps);
  expect(stepsOf({ student: 'lenet5-half' })).toBe(5 * steps);
  expect(stepsOf({ initialization: 'random', steps: 7 })).toBe(7);
  expect(stepsOf({ method: 'dafl', initialization: 'random' })).toBe(stepsOf({ method: 'dafl' }));
});
