import { DaflError } from '@dafl/core';
import { describe, expect, test } from 'vitest';
import { tinyTeacher } from '../../../../test-fixtures/tiny-teacher.ts';
import { parseDistillationOptions } from './distillation-options.ts';
import { type Recipe, resolveRecipe, settleOptions } from '../recipe/resolve-recipe.ts';

const message = (options: unknown): string => {
  try {
    resolveRecipe(parseDistillationOptions(options));
  } catch (error) {
    if (error instanceof DaflError && error.code === 'USAGE') return error.message;
    throw error;
  }
  return '';
};

test('defaults', () => {
  expect(parseDistillationOptions({ teacher: 'lenet5-mnist' })).toMatchInlineSnapshot(`
    {
      "backend": "auto",
      "checkpointEvery": 50,
      "method": "auto",
      "seed": 0,
      "student": "half",
      "teacher": "lenet5-mnist",
      "tensorboard": false,
    }
  `);
});

describe('what is wrong is named with its rule and its value', () => {
  test.each([
    [{}, "Cannot distill as 'teacher' must be given: current value is none"],
    [null, 'Cannot distill as the options must be an object: current value is null'],
    [
      { teacher: 't', batchsize: 4 },
      "Cannot distill as each option must be known: current value is 'batchsize'. Did you mean 'batchSize'?",
    ],
    [{ teacher: 't', colour: 4 }, "Cannot distill as each option must be known: current value is 'colour'"],
    [{ teacher: 't', steps: 0 }, "Cannot distill as 'steps' must be an integer >= 1: current value is 0"],
    [{ teacher: 't', steps: 'many' }, "Cannot distill as 'steps' must be an integer >= 1: current value is 'many'"],
    [
      { teacher: 't', seed: -1 },
      "Cannot distill as 'seed' must be an integer >= 0 and <= 4294967295: current value is -1",
    ],
    [{ teacher: 't', preset: 'slow' }, "Cannot distill as 'preset' must be 'fast' or 'paper': current value is 'slow'"],
    [
      { teacher: 't', method: 'nose' },
      "Cannot distill as 'method' must be 'auto', 'procedural', 'pool', 'dafl', 'nayer', 'deep-inversion', 'dfq', 'dfad', 'zskt', 'noise', 'alternative-data', 'original-data' or 'metadata': current value is 'nose'. Did you mean 'noise'?",
    ],
    [
      { teacher: 't', latentSize: 1e15 },
      "Cannot distill as 'latentSize' must be an integer >= 1 and <= 65536: current value is 1000000000000000",
    ],
    [
      { teacher: 't', student: 1.5 },
      "Cannot distill as 'student' must be 'half', 'quarter', a number > 0 and <= 1, 'low-rank', 'low-rank-SHARE' with a share > 0 and < 1, a built-in architecture or a model file: current value is 1.5",
    ],
    [
      { teacher: 't', student: 'low-rank-2' },
      "Cannot distill as 'student' must be 'half', 'quarter', a number > 0 and <= 1, 'low-rank', 'low-rank-SHARE' with a share > 0 and < 1, a built-in architecture or a model file: current value is 'low-rank-2'",
    ],
    [
      { teacher: 't', student: 'low-rank-1.2.3' },
      "Cannot distill as 'student' must be 'half', 'quarter', a number > 0 and <= 1, 'low-rank', 'low-rank-SHARE' with a share > 0 and < 1, a built-in architecture or a model file: current value is 'low-rank-1.2.3'",
    ],
    [
      { teacher: 't', timeBudgetMs: '90' },
      "Cannot distill as 'timeBudgetMs' must be a number of milliseconds > 0: current value is '90'",
    ],
    [
      { teacher: 't', generatorWidths: [1, 2] },
      "Cannot distill as 'generatorWidths' must be 3 values, each an integer >= 1 and <= 65536: current value is [1,2]",
    ],
    [{ teacher: 't', temperature: 0 }, "Cannot distill as 'temperature' must be a number > 0: current value is 0"],
    [
      { teacher: 't', studentBeta1: 1 },
      "Cannot distill as 'studentBeta1' must be a number >= 0 and < 1: current value is 1",
    ],
    [
      { teacher: 't', steps: 5, timeBudgetMs: 9 },
      "Cannot distill as 'steps' and 'timeBudgetMs' must not be given both: current value is both",
    ],
    [
      { teacher: 't', method: 'noise', oneHotWeight: 1 },
      "Cannot distill with method 'noise' as 'oneHotWeight' must not be given (it is an option of dafl, pool, nayer and deep-inversion): current value is 1",
    ],
    [
      { teacher: 't', method: 'pool', activationWeight: 1 },
      "Cannot distill with method 'pool' as 'activationWeight' must not be given (it is an option of dafl): current value is 1",
    ],
    [
      { teacher: 't', syntheses: 3 },
      "Cannot distill with method 'procedural' as 'syntheses' must not be given (it is an option of pool, nayer and deep-inversion): current value is 3",
    ],
    [
      { teacher: 't', data: 'mnist' },
      "Cannot distill with method 'procedural' as 'data' must not be given (it is an option of alternative-data and original-data): current value is \"mnist\"",
    ],
    [
      { teacher: 't', method: 'original-data' },
      "Cannot distill with method 'original-data' as 'data' must name images: mnist, or a folder: current value is none",
    ],
    [
      { teacher: 't', method: 'metadata' },
      "Cannot distill with method 'metadata' as 'metadata' must name a file that dafl record wrote: current value is none",
    ],
    [
      { teacher: 't', method: 'noise', preset: 'paper' },
      "Cannot distill with method 'noise' as 'preset' must not be given (it is an option of dafl): current value is \"paper\"",
    ],
    [
      { teacher: 't', replayBatches: 0, studentSteps: 2 },
      "Cannot distill as 'studentSteps' must be 1 where 'replayBatches' is 0: current value is 2",
    ],
    [
      { teacher: 't', method: 'dafl', replayBatches: 0 },
      "Cannot distill as 'studentSteps' must be 1 where 'replayBatches' is 0: current value is 16, the preset's",
    ],
  ])('%j', (options, expected) => {
    expect(message(options)).toBe(expected);
  });
});

test.each([
  [{}, 'procedural'],
  [{ initialization: 'random', batchSize: 64 }, 'procedural'],
  [{ preset: 'paper' }, 'dafl'],
  [{ latentSize: 10 }, 'dafl'],
  [{ metadata: 'file' }, 'metadata'],
  [{ method: 'noise' }, 'noise'],
])('%j takes the method %s, and says why', (options, method) => {
  const recipe = resolveRecipe(parseDistillationOptions({ teacher: 't', ...options }));
  expect(recipe.options.method).toBe(method);
  expect(recipe.methodReason === null).toBe('method' in options);
});

test('settled options come to the same recipe', async () => {
  const recipe = resolveRecipe(
    parseDistillationOptions({
      teacher: 't',
      preset: 'paper',
      replayBatches: 3,
      studentBeta2: 0.5,
      timeBudgetMs: 1000,
    }),
  );
  const settled = settleOptions(recipe, { steps: 40, backend: 'cpu' });
  expect(settled).toMatchObject({ steps: 40, backend: 'cpu', evaluateEvery: 4, sampleEvery: 4, latentSize: 100 });
  expect(settled).not.toHaveProperty('timeBudgetMs');
  const again = resolveRecipe(parseDistillationOptions(JSON.parse(JSON.stringify(settled))));
  const methodOptions = async (resolved: Recipe) =>
    (await resolved.createMethod({ model: tinyTeacher(), sha256: '', sizeBytes: 0, notes: [] })).options;
  expect(await methodOptions(again)).toEqual(await methodOptions(recipe));
  expect(again).toMatchObject({ training: recipe.training, steps: 40 });
});
