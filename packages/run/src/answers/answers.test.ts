import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createCpuBackend } from '@dafl/backend-cpu';
import { createNetwork, createRandomStream, predictLogits, softmaxRows } from '@dafl/core';
import { writeModel, writeOnnx } from '@dafl/models';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { tinyTeacher } from '../../../../test-fixtures/tiny-teacher.ts';
import { parseDistillationOptions } from '../options/distillation-options.ts';
import { describeWidth } from '../models/describe-width.ts';
import { loadStudent, loadTeacher } from '../models/load-model.ts';
import { runDistillation } from '../distillation/run-distillation.ts';
import { serveModel } from './_testing/serve-model.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dafl-answers-'));
  writeFileSync(join(folder, 'student.safetensors'), writeModel(tinyTeacher()));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const pixels = { mean: [0.5], std: [0.5] };
const backend = createCpuBackend();

/** The probabilities of the first so many of some fixed images. */
async function probabilitiesOf(model: ReturnType<typeof tinyTeacher>): Promise<number[]> {
  const [height, width, channels] = model.graph.inputShape;
  const images = createRandomStream(3, 'images').normal(5 * height * width * channels);
  const input = backend.tensor(images, [5, height, width, channels]);
  const logits = await predictLogits(createNetwork(backend, model), input);
  return [...softmaxRows(logits, logits.length / 5)];
}

const expectClose = (actual: readonly number[], expected: readonly number[]): void => {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, index) => expect(value).toBeCloseTo(expected[index], 5));
};

describe.each([1, 3])('a teacher of %d channels that only answers', (channels) => {
  const teacher = tinyTeacher({ channels });

  it('stands behind an endpoint that is busy at first and wants a token', async () => {
    const served = await serveModel(teacher, { token: 'secret', failures: 2 });
    try {
      await expect(loadTeacher({ teacher: served.url, ...pixels })).rejects.toThrow(
        `Cannot ask '${served.url}' as it must answer: current answer is status 401`,
      );
      await expect(loadTeacher({ teacher: served.url, ...pixels }, { teacherToken: 'other' })).rejects.toThrow(
        "status 401 ('no good: Bearer ...'). A token is taken from DAFL_TEACHER_TOKEN",
      );
      const { notes: given } = await loadTeacher({ teacher: served.url, ...pixels }, { teacherToken: 'secret' });
      expect(given.join()).toContain('3 classes, probabilities');
      vi.stubEnv('DAFL_TEACHER_TOKEN', 'secret');
      const { model, notes } = await loadTeacher({ teacher: served.url, ...pixels });
      expectClose(await probabilitiesOf(model), await probabilitiesOf(teacher));
      expect(notes.join()).toContain('3 classes, probabilities');
      expect(model.graph.preprocessing).toEqual(teacher.graph.preprocessing);
    } finally {
      await served.close();
    }
  });

  it('is an ONNX file that onnxruntime runs', async () => {
    const file = join(folder, 'teacher.onnx');
    writeFileSync(file, writeOnnx(teacher));
    const { model, notes } = await loadTeacher({ teacher: file, answersOnly: true, ...pixels });
    expectClose(await probabilitiesOf(model), await probabilitiesOf(teacher));
    expect(notes.join()).toContain('3 classes, logits');
  });
});

it('is waited for as long as an endpoint that is busy asks for, and refused where it is not what it says', async () => {
  const busy = await serveModel(tinyTeacher(), { failures: 1, retryAfter: 1 });
  const other = await serveModel(tinyTeacher(), { described: 7 });
  try {
    const startedMs = performance.now();
    await loadTeacher({ teacher: busy.url, ...pixels });
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(990);
    await expect(loadTeacher({ teacher: other.url, ...pixels })).rejects.toThrow(
      "'probabilities' must have the 7 values an image that it is described with: current value is 3",
    );
  } finally {
    await busy.close();
    await other.close();
  }
});

it('shows no token, also where it is wrong or has no use', async () => {
  const wrong = loadTeacher({ teacher: 'http://localhost:9/v2/models/x' }, { teacherToken: 'se cret\n' });
  await expect(wrong).rejects.toThrow(
    "Cannot ask the teacher as 'teacherToken' must be visible ASCII characters without spaces: current value is not shown",
  );
  await expect(loadTeacher({ teacher: 'lenet5-mnist' }, { teacherToken: 'secret' })).rejects.toThrow(
    "Cannot use 'lenet5-mnist' as 'teacherToken' must be given for a teacher at an address alone: current value is not shown",
  );
});

it('distils what it says, batch by batch, and keeps no token', async () => {
  vi.stubEnv('DAFL_TEACHER_TOKEN', 'secret');
  const served = await serveModel(tinyTeacher(), { token: 'secret' });
  try {
    const student = join(folder, 'student.safetensors');
    const options = parseDistillationOptions({
      teacher: served.url,
      student,
      ...pixels,
      backend: 'cpu',
      steps: 2,
      batchSize: 100,
      pictures: 120,
    });
    const events: string[] = [];
    for await (const { event } of runDistillation(options, { folder: join(folder, 'run') })) events.push(event);
    expect(events.at(-1)).toBe('result');
    expect(Math.max(...served.requests)).toBe(64);
    const record = readFileSync(join(folder, 'run', 'run.json'), 'utf8');
    expect(record).toContain('"state": "finished"');
    expect(record).not.toContain('secret');
  } finally {
    await served.close();
  }
});

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../../../test-fixtures/onnx/${name}`, import.meta.url));

it('has its weights in a file of their own', async () => {
  const { model, notes } = await loadTeacher({ teacher: fixture('gemm.onnx'), answersOnly: true, ...pixels });
  expect(notes.join()).toContain('5 classes');
  const { model: imported } = await loadTeacher({ teacher: fixture('gemm.onnx'), ...pixels });
  const raw = await probabilitiesOf(model);
  expectClose(raw, await probabilitiesOf(imported));
});

it('is what a file with unknown nodes can still be', async () => {
  const teacher = fixture('unsupported.onnx');
  await expect(loadTeacher({ teacher })).rejects.toThrow(
    /can turn into its own: current value is .*\. It can still teach by its answers alone \(--answers-only\)$/,
  );
});

it('gives its layers to a student, and no weights, where it is a file that is read', async () => {
  const file = join(folder, 'teacher.onnx');
  writeFileSync(file, writeOnnx(tinyTeacher()));
  const { model, notes, readStructure } = await loadTeacher({ teacher: file, answersOnly: true });
  expect(notes.join()).toContain('0..1 is assumed');
  const student = await loadStudent('half', model, { readStructure });
  const { graph, weights } = student;
  // It is compared with the file's layers, of which the teacher that only answers knows nothing.
  expect(describeWidth('half', student)).toBe(null);
  expect(graph.nodes[0]).toMatchObject({ kind: 'conv2d', filters: 2 });
  expect(graph.preprocessing).toEqual(model.graph.preprocessing);
  expect(weights).toBeUndefined();
  const refusal = (why: string): string =>
    `Cannot make a student of 'teacher.onnx' as 'student' must be an architecture or a model file where the teacher only answers${why}`;
  await expect(loadStudent('low-rank', model, { readStructure })).rejects.toThrow(
    refusal(': current value is low-rank'),
  );
  // An endpoint shows none.
  await expect(loadStudent(0.3, model)).rejects.toThrow(refusal(': current value is 0.3'));
  writeFileSync(file, readFileSync(fixture('unsupported.onnx')));
  await expect(loadStudent('half', model, { readStructure })).rejects.toThrow(
    refusal(` and its layers can't be read (Cannot read '${file}' as an ONNX model`),
  );
});

it.each([
  ['http://127.0.0.1:1/v2/models/none', "Cannot ask 'http://127.0.0.1:1/v2/models/none' as it must answer"],
  ['https://', 'Cannot ask'],
])('tells what is wrong with %s', async (teacher, message) => {
  await expect(loadTeacher({ teacher })).rejects.toThrow(message);
});

it('says where an endpoint sends to, and that sizes which are none describe no model', async () => {
  const input = { name: 'x', datatype: 'FP32', shape: [-1, 8.5, 8, 1] };
  const server = createServer((request, response) => {
    if (request.url === '/moved') response.writeHead(308, { location: 'https://other.example/v2/models/m' }).end();
    else response.end(JSON.stringify({ name: 'm', inputs: [input], outputs: [{ ...input, shape: [-1, 3] }] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await expect(loadTeacher({ teacher: `${url}/moved` })).rejects.toThrow(
      `Cannot ask '${url}/moved' as it must answer: current answer is status 308, which sends to 'https://other.example/v2/models/m'. Name that address if it is the model's`,
    );
    await expect(loadTeacher({ teacher: `${url}/odd` })).rejects.toThrow(
      'a teacher as it must describe its model by the Open Inference Protocol: current value is another answer',
    );
  } finally {
    server.close();
  }
});
