import { expect, it } from 'vitest';
import { flagName } from './flag-name.ts';

it("is the key with hyphens, unless the option's schema names another", () => {
  expect(['steps', 'timeBudget', 'useGpu2', 'int8'].map((key) => flagName(key))).toEqual([
    'steps',
    'time-budget',
    'use-gpu2',
    'int8',
  ]);
  expect(flagName('timeBudgetMs', { flag: 'time-budget' })).toBe('time-budget');
  expect(flagName('steps', {})).toBe('steps');
});
