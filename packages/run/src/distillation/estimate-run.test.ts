import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandomStream, type Graph, initializeWeights } from '@dafl/core';
import { writeModel } from '@dafl/models';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tinyTeacher } from '../../../../test-fixtures/tiny-teacher.ts';
import { type DistillationOptions, parseDistillationOptions } from '../options/distillation-options.ts';
import { estimateRun } from './estimate-run.ts';
import { runDistillation } from './run-distillation.ts';
import type { RunEvent } from './run-event.ts';

let home: string;

beforeEach(() => void (home = mkdtempSync(join(tmpdir(), 'dafl-estimate-'))));
afterEach(() => rmSync(home, { recursive: true }));

/** Says nothing of its pixels, adds to the picture, so that it must stay as wide, and ends in a softmax. */
const surprising: Graph = {
  name: 'surprising',
  inputShape: [8, 8, 1],
  nodes: [
    { kind: 'flatten', name: 'flat', inputs: ['input'], order: 'hwc' },
    { kind: 'dense', name: 'wide', inputs: ['flat'], units: 64, useBias: true },
    { kind: 'add', name: 'sum', inputs: ['wide', 'flat'] },
    { kind: 'dense', name: 'last', inputs: ['sum'], units: 4, useBias: true },
    { kind: 'dense', name: 'logits', inputs: ['last'], units: 3, useBias: true },
    { kind: 'activation', name: 'prob', inputs: ['logits'], function: 'softmax' },
  ],
  outputs: { logits: 'prob', features: 'last' },
};

async function warningsOf(options: DistillationOptions): Promise<{ estimated: string[]; told: string[] }> {
  const estimated: string[] = [];
  await estimateRun(options, { probeMs: 0, onWarning: ({ code }) => void estimated.push(code) });
  const events: RunEvent[] = [];
  for await (const event of runDistillation(options, { folder: join(home, 'run') })) events.push(event);
  const told = events.flatMap((event) => (event.event === 'warning' && event.step === 0 ? [event.code] : []));
  return { estimated, told };
}

const common = { backend: 'cpu', steps: 1, batchSize: 8 } as const;

test('an estimate warns of all that the run warns of before its first step', async () => {
  const teacher = join(home, 'teacher.safetensors');
  writeFileSync(teacher, writeModel(initializeWeights(surprising, createRandomStream(1, 'teacher'))));
  const { estimated, told } = await warningsOf(parseDistillationOptions({ teacher, ...common }));
  expect(estimated).toEqual(told);
  expect(new Set(told)).toEqual(new Set(['IMPORTED_TEACHER', 'WIDE_STUDENT', 'PROBABILITIES']));
});

test('also of weights that cannot be inherited', async () => {
  const teacher = join(home, 'teacher.safetensors');
  const student = join(home, 'student.safetensors');
  writeFileSync(teacher, writeModel(tinyTeacher()));
  const [first, ...others] = tinyTeacher().graph.nodes;
  const graph = { ...tinyTeacher().graph, nodes: [{ ...first, kernelSize: [5, 5] } as typeof first, ...others] };
  writeFileSync(student, writeModel(initializeWeights(graph, createRandomStream(1, 'student'))));
  const { estimated, told } = await warningsOf(parseDistillationOptions({ teacher, student, ...common }));
  expect(estimated).toEqual(told);
  expect(told).toEqual(['RANDOM_START']);
});

test('an estimate refuses what the run refuses: a model to compare with that is not there', async () => {
  const teacher = join(home, 'teacher.safetensors');
  writeFileSync(teacher, writeModel(tinyTeacher()));
  const compare = join(home, 'none.onnx');
  await expect(estimateRun(parseDistillationOptions({ teacher, compare, ...common }))).rejects.toThrow(
    /none.onnx' as it must be a model file/,
  );
});
