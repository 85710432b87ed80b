import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandomStream, type Graph, initializeWeights } from '@dafl/core';
import { createArchitecture, writeModel } from '@dafl/models';
import { expect, test } from 'vitest';
import { loadModel, loadStudent } from './load-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'dafl-load-model-'));

function writeFile(name: string, graph: Graph): string {
  const path = join(folder, name);
  writeFileSync(path, writeModel(initializeWeights(graph, createRandomStream(1, 'weights'))));
  return path;
}

const graph = createArchitecture('lenet5');
const teacher = initializeWeights(graph, createRandomStream(0, 'weights'));

test('a student from a file reads pixels as its teacher does, and has its classes', async () => {
  const preprocessing = { resize: 'bilinear', mean: [0.9], standardDeviation: [0.1] } as const;
  const path = writeFile('student.safetensors', { ...createArchitecture('lenet5-half'), preprocessing });
  const student = await loadStudent(path, teacher);
  expect(student.graph.preprocessing).toEqual(graph.preprocessing);
  expect(student.graph.classNames).toEqual(graph.classNames);
  expect(student.graph.nodes).toEqual(createArchitecture('lenet5-half').nodes);
});

test('a student from a file that reads other images is left as it is, to be refused by name', async () => {
  const other = createArchitecture('lenet5-half', { inputShape: [32, 32, 3], classes: 10 });
  const { graph: read } = await loadStudent(writeFile('colour.safetensors', other), teacher);
  expect(read.preprocessing).toEqual(other.preprocessing);
});

test('a student is as wide as the name of its share says, and of no other name', async () => {
  const widthOf = async (source: string | number) => (await loadStudent(source, teacher)).graph.nodes;
  expect(await widthOf('half')).toEqual(await widthOf(0.5));
  expect(await widthOf('quarter')).toEqual(await widthOf(0.25));
  // Names that every object has are none.
  await expect(loadStudent('constructor', teacher)).rejects.toThrow(/one of \[half, quarter, low-rank, /);
});

test('the weights beside an ONNX file are told from the model', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'dafl-load-model-')), 'teacher.onnx.data');
  writeFileSync(file, new Uint8Array(100));
  await expect(loadModel(file)).rejects.toThrow(
    `Cannot read '${file}' as it must be a model: current value is the weights of '${file.replace('.data', '')}'`,
  );
});

test('gives a narrower form slow batch norms, however fast those of its teacher are', async () => {
  const graph = createArchitecture('airbench-0.5');
  const teacher = initializeWeights(graph, createRandomStream(1, 'weights'));
  const momenta = ({ nodes }: Graph): number[] =>
    nodes.flatMap((node) => (node.kind === 'batchNorm' ? [node.momentum] : []));
  expect(Math.max(...momenta(graph))).toBeGreaterThan(0.1);
  expect(Math.max(...momenta((await loadStudent(0.5, teacher)).graph))).toBe(0.1);
});
