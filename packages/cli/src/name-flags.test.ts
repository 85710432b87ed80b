import { expect, test } from 'vitest';
import { distillCommand } from './commands/distill.ts';
import { nameFlags } from './name-flags.ts';

test.each([
  [
    "Cannot distill as 'batchSize' must be an integer >= 2: current value is 1",
    "Cannot distill as '--batch-size' must be an integer >= 2: current value is 1",
  ],
  [
    "Cannot distill as 'steps' and 'timeBudgetMs' must not be given both: current value is both",
    "Cannot distill as '--steps' and '--time-budget' must not be given both: current value is both",
  ],
  [
    "Cannot distill as 'studentSteps' must be 1 where 'replayBatches' is 0: current value is 16",
    "Cannot distill as '--student-steps' must be 1 where '--replay-batches' is 0: current value is 16",
  ],
  // Values and files that are called like an option.
  [
    "Cannot distill as 'initialization' must be 'random', 'teacher' or 'auto': current value is 'student'",
    "Cannot distill as '--initialization' must be 'random', 'teacher' or 'auto': current value is 'student'",
  ],
  ["Cannot read 'teacher' as a model as it must be", "Cannot read 'teacher' as a model as it must be"],
])('%s', (message, expected) => {
  expect(nameFlags(message, distillCommand)).toBe(expected);
});

test('what has a place is named by its flag where that was typed', () => {
  const message = "Cannot distill as 'teacher' must be a text that is not empty: current value is 3";
  expect(nameFlags(message, distillCommand, ['distill', 'a.onnx'])).toContain("as '<teacher>' must");
  expect(nameFlags(message, distillCommand, ['distill', '--teacher', 'a.onnx'])).toContain("as '--teacher' must");
  expect(nameFlags(message, distillCommand, ['distill', '--teacher=a.onnx'])).toContain("as '--teacher' must");
});
