import { fail } from '@dafl/core';
import type { DistillationOptions } from '../options/distillation-options.ts';
import { resolveRecipe } from './resolve-recipe.ts';
import { hasWeights, startsFromTeacher } from './starts-from-teacher.ts';

/**
 * Refuses options that change nothing beside the others: whoever gives one means it to have an effect. A run's record says all of its
 * options, with and without effect, and is not to be asked.
 *
 * @param given What a user said, and no file.
 * @param options All options of the run.
 * @throws {DaflError} `USAGE`, naming the option and the one that decides against it.
 */
export function assertEffective(given: Partial<DistillationOptions>, options: DistillationOptions): void {
  const { studentLoss, adversarialWeight, initialization } = resolveRecipe(options).options;
  const inheritsNothing = initialization === 'random' || !hasWeights(options);
  const rules: readonly (readonly [name: keyof DistillationOptions, isIdle: boolean, where: string])[] = [
    ['evaluateEvery', options.eval === undefined, "'eval' names no images"],
    ['temperature', studentLoss !== undefined && studentLoss !== 'divergence', `'studentLoss' is '${studentLoss}'`],
    ['adversarialTemperature', adversarialWeight === 0, "'adversarialWeight' is 0"],
    ['hintWeight', inheritsNothing && given.hintWeight !== 0, 'the student starts from random weights'],
    ['studentFit', inheritsNothing && given.studentFit !== 'none', 'the student starts from random weights'],
    [
      'studentNorms',
      given.studentNorms !== 'own' && startsFromTeacher(options),
      "the student starts from its teacher's weights",
    ],
  ];
  for (const [name, isIdle, where] of rules) {
    if (given[name] === undefined || !isIdle) continue;
    fail({
      cannot: 'distill',
      as: `'${name}' must not be given where ${where}, as it would change nothing`,
      value: JSON.stringify(given[name]),
    });
  }
}
