import { describe, expect, it } from 'vitest';
import { type DistillationOptions, parseDistillationOptions } from '../options/distillation-options.ts';
import { assertEffective } from './assert-effective.ts';

const assert = (given: Partial<DistillationOptions>): void =>
  assertEffective(given, parseDistillationOptions({ teacher: 't.onnx', ...given }));

describe('an option that would change nothing is refused', () => {
  it.each<[Partial<DistillationOptions>, string]>([
    [
      { evaluateEvery: 5 },
      "'evaluateEvery' must not be given where 'eval' names no images, as it would change nothing: current value is 5",
    ],
    [{ temperature: 2, studentLoss: 'l1' }, "'temperature' must not be given where 'studentLoss' is 'l1'"],
    [
      { method: 'dafl', adversarialTemperature: 2, adversarialWeight: 0 },
      "'adversarialTemperature' must not be given where 'adversarialWeight' is 0",
    ],
    [
      { hintWeight: 2, initialization: 'random' },
      "'hintWeight' must not be given where the student starts from random weights",
    ],
    [
      { studentFit: 'layers', answersOnly: true },
      "'studentFit' must not be given where the student starts from random weights",
    ],
    [{ studentNorms: 'batch' }, "'studentNorms' must not be given where the student starts from its teacher's weights"],
  ])('%o', (given, message) => expect(() => assert(given)).toThrow(`Cannot distill as ${message}`));
});

it('takes options that have an effect, and those that a record says by itself', () => {
  for (const given of [
    { evaluateEvery: 5, eval: 'mnist' },
    { temperature: 2 },
    { method: 'dafl', adversarialTemperature: 2 },
    { hintWeight: 0, studentFit: 'none', initialization: 'random' },
    { hintWeight: 2 },
    { studentNorms: 'own' },
    { studentNorms: 'batch', answersOnly: true },
  ] as const)
    expect(() => assert(given)).not.toThrow();
  const recorded = parseDistillationOptions({ teacher: 't', evaluateEvery: 5, temperature: 4, studentLoss: 'l1' });
  expect(() => assertEffective({ teacher: 't' }, recorded)).not.toThrow();
});
