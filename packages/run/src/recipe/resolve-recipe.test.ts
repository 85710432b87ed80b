import { expect, it } from 'vitest';
import { parseDistillationOptions } from '../options/distillation-options.ts';
import { judgementInterval, resolveRecipe } from './resolve-recipe.ts';

const stepsOf = (options: object): number =>
  resolveRecipe(parseDistillationOptions({ teacher: 'lenet5-mnist', student: 'half', ...options })).steps;

it('gives students from random weights more steps, where the method is procedural', () => {
  const steps = stepsOf({});
  for (const student of ['quarter', 0.3]) expect(stepsOf({ student })).toBe(steps);
  expect(stepsOf({ initialization: 'random' })).toBe(5 * steps);
  expect(stepsOf({ student: 'lenet5-half' })).toBe(5 * steps);
  for (const blind of [{ answersOnly: true, teacher: 'x.onnx' }, { teacher: 'http://127.0.0.1/v2/models/x' }])
    expect(stepsOf(blind)).toBe(5 * steps);
  expect(stepsOf({ initialization: 'random', steps: 7 })).toBe(7);
  expect(stepsOf({ method: 'dafl', initialization: 'random' })).toBe(stepsOf({ method: 'dafl' }));
});

const optionsOf = (options: object) => {
  const recipe = resolveRecipe(parseDistillationOptions({ teacher: 'lenet5-mnist', ...options }));
  return { ...recipe.options, steps: recipe.steps };
};

it('lets layers learn in relation to their first weights, but those of a student that is refined', () => {
  expect(optionsOf({}).studentRates).toBe('relative');
  expect(optionsOf({ student: 'low-rank' }).studentRates).toBe('equal');
  expect(optionsOf({ student: 'low-rank', initialization: 'random' }).studentRates).toBe('relative');
  expect(optionsOf({ method: 'dafl' }).studentRates).toBe('equal');
});

it.each([
  // A tenth of the run, or so many tenths that 30,000 images are learnt from between judgements.
  [{ method: 'procedural' }, 38],
  [{ method: 'dafl' }, 40],
  [{ method: 'dafl', preset: 'paper' }, 2_400],
  [{ method: 'noise', steps: 500 }, 150],
  [{ method: 'noise', steps: 100 }, 0],
  [{ method: 'procedural', steps: 1 }, 0],
])('judges the student of %o every %i steps', (options, interval) => {
  expect(judgementInterval(optionsOf(options))).toBe(interval);
});

it('keeps the best student, but for the paper, which takes its last', () => {
  expect(optionsOf({}).keep).toBe('best');
  expect(optionsOf({ method: 'dafl', preset: 'paper' }).keep).toBe('last');
  expect(optionsOf({ method: 'dafl', preset: 'paper', keep: 'best' }).keep).toBe('best');
});
