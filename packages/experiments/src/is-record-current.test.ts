import { parseDistillationOptions } from '@dafl/run';
import { expect, test } from 'vitest';
import type { ExperimentRecord } from './experiment-record.ts';
import type { Task } from './experiment.ts';
import { decidedByNetworks, hyperParametersOf, isRecordCurrent } from './is-record-current.ts';

type Options = Record<string, unknown>;
const distillation = (options: Options = {}): Task => ({
  kind: 'distill',
  options: { teacher: 'lenet5-mnist', eval: 'mnist', method: 'dafl', ...options },
});

function recordOf(task: Task, change: (hyperParameters: Options) => void = () => {}): ExperimentRecord {
  const hyperParameters = hyperParametersOf(task);
  if (hyperParameters !== null) change(hyperParameters);
  return JSON.parse(JSON.stringify({ task, hyperParameters })) as ExperimentRecord;
}

test('a record counts while its row computes the same, however the row says so', () => {
  const record = recordOf(distillation());
  expect(isRecordCurrent(record, distillation())).toBe(true);
  // 16 updates are what the preset takes.
  expect(isRecordCurrent(record, distillation({ studentSteps: 16 }))).toBe(true);
  expect(isRecordCurrent(record, distillation({ studentSteps: 15 }))).toBe(false);
  expect(isRecordCurrent(record, distillation({ steps: 7 }))).toBe(false);
  expect(isRecordCurrent(record, distillation({ student: 'quarter' }))).toBe(false);
  expect(isRecordCurrent(record, distillation({ teacher: 'another' }))).toBe(false);
  expect(isRecordCurrent(record, distillation({ method: 'procedural' }))).toBe(false);
});

test('a record that names no method is one of DAFL', () => {
  const { task, ...record } = recordOf(distillation());
  const { method: _, ...options } = (task as Extract<Task, { kind: 'distill' }>).options;
  expect(isRecordCurrent({ ...record, task: { kind: 'distill', options } }, distillation())).toBe(true);
});

test('a record that names no method is one of what was taken, where it tells', () => {
  const task: Task = { kind: 'distill', options: { teacher: 'lenet5-mnist', eval: 'mnist' } };
  expect(isRecordCurrent({ ...recordOf(task), method: 'procedural' }, task)).toBe(true);
  expect(isRecordCurrent({ ...recordOf(task), method: 'noise' }, task)).toBe(false);
});

test('a record of another preset does not count', () => {
  const record = recordOf(distillation(), (values) => (values.activationWeight = 0.1));
  expect(isRecordCurrent(record, distillation())).toBe(false);
  expect(isRecordCurrent(record, distillation({ activationWeight: 0.1 }))).toBe(true);
});

test('a hyper-parameter that came after the record must be as the preset has it', () => {
  const record = recordOf(distillation(), (values) => delete values.studentBatchNorm);
  expect(isRecordCurrent(record, distillation())).toBe(true);
  expect(isRecordCurrent(record, distillation({ studentBatchNorm: 'fixed' }))).toBe(false);
});

test('other tasks must be declared as they were', () => {
  const training = (epochs: number): Task => ({ kind: 'train', options: { architecture: 'lenet5', epochs } });
  expect(isRecordCurrent(recordOf(training(3)), training(3))).toBe(true);
  expect(isRecordCurrent(recordOf(training(3)), training(4))).toBe(false);
  expect(isRecordCurrent(recordOf(training(3)), distillation())).toBe(false);
});

test('what the networks decided is told beside what the row asks for', () => {
  const task = distillation({ method: 'procedural', hintWeight: 3 });
  const asked = parseDistillationOptions({ ...hyperParametersOf(task), teacher: 'lenet5-mnist', method: 'procedural' });
  expect(decidedByNetworks(task, asked)).toEqual({});
  const taken = { ...asked, studentWhitening: 'inputs', steps: 600, seed: 9 } as const;
  expect(decidedByNetworks(task, taken)).toEqual({ studentWhitening: 'inputs', steps: 600 });
});
