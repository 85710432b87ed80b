import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRandomStream, initializeWeights, type ModelNode } from '@dafl/core';
import { createArchitecture, readModel, writeModel } from '@dafl/models';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tinyTeacher } from '../../../test-fixtures/tiny-teacher.ts';
import { parseEvents, runDafl } from './_run-dafl.ts';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'dafl-convert-'));
  writeFileSync(join(home, 'teacher.safetensors'), writeModel(tinyTeacher()));
});
afterAll(() => rmSync(home, { recursive: true }));
const run = async (...parameters: string[]) => await runDafl(parameters, { cwd: home });
const read = (name: string) => readModel(readFileSync(join(home, name)), name);

test('dafl convert to ONNX and back keeps weights and preprocessing', async () => {
  const { code, stdout } = await run('convert', 'teacher.safetensors', 'teacher.onnx', '--json');
  expect(code).toBe(0);
  const sizeBytes = readFileSync(join(home, 'teacher.onnx')).length;
  expect(parseEvents(stdout)).toMatchObject([{ event: 'result', format: 'onnx', file: 'teacher.onnx', sizeBytes }]);
  expect(await run('convert', 'teacher.onnx', 'back.safetensors')).toMatchObject({ code: 0, stderr: '' });
  const [before, after] = [read('teacher.safetensors'), read('back.safetensors')];
  expect(after.graph.preprocessing).toEqual(before.graph.preprocessing);
  expect([...after.weights.keys()].sort()).toEqual([...before.weights.keys()].sort());
});

test('dafl convert goes through Keras and a folder of TensorFlow.js and back, byte for byte', async () => {
  for (const [from, to] of [
    ['teacher.safetensors', 'layers.keras'],
    ['layers.keras', 'tfjs/'],
    ['tfjs', 'again.safetensors'],
  ])
    expect(await run('convert', from, to)).toMatchObject({ code: 0, stderr: '' });
  const [before, after] = ['teacher', 'again'].map((name) => readFileSync(join(home, `${name}.safetensors`)));
  expect(after.equals(before)).toBe(true);
  expect(existsSync(join(home, 'tfjs', 'model.json'))).toBe(true);
  expect(await run('convert', 'layers.keras', 'tfjs/')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("'tfjs/model.json' as it must not exist yet") as string,
  });
});

test('dafl convert writes what pictures need beside files that leave it to their callers (E08)', async () => {
  const { graph, weights } = tinyTeacher();
  const named = { ...graph, classNames: ['ant', 'bee', 'cat'] };
  writeFileSync(join(home, 'named.safetensors'), writeModel({ graph: named, weights }));
  const { stdout } = await run('convert', 'named.safetensors', 'named.onnx', '--json');
  expect(parseEvents(stdout)).toMatchObject([{ preprocessorConfig: 'named.preprocessor_config.json' }]);
  const config = (name: string): unknown => JSON.parse(readFileSync(join(home, name), 'utf8'));
  const [height, width] = graph.inputShape;
  expect(config('named.preprocessor_config.json')).toMatchObject({
    size: { height, width },
    do_rescale: true,
    do_normalize: true,
    image_mean: graph.preprocessing!.mean,
    image_std: graph.preprocessing!.standardDeviation,
    id2label: { 0: 'ant', 1: 'bee', 2: 'cat' },
  });
  expect((await run('convert', 'named.onnx', 'renamed.safetensors')).code).toBe(0);
  const back = read('renamed.safetensors').graph;
  expect([back.classNames, back.preprocessing]).toEqual([named.classNames, graph.preprocessing]);
  expect((await run('convert', 'named.safetensors', 'inside.onnx', '--with-preprocessing')).code).toBe(0);
  expect(config('inside.preprocessor_config.json')).toMatchObject({ do_rescale: false, do_normalize: false });
  expect(existsSync(join(home, 'renamed.preprocessor_config.json'))).toBe(false);
});

test('dafl convert puts preprocessing and softmax inside', async () => {
  const flags = ['--layout', 'nhwc', '--with-preprocessing', '--with-softmax'];
  expect((await run('convert', 'teacher.safetensors', 'whole.onnx', ...flags)).code).toBe(0);
  expect((await run('convert', 'whole.onnx', 'whole.safetensors')).code).toBe(0);
  const [before, after] = [read('teacher.safetensors').graph, read('whole.safetensors').graph];
  expect(after.inputShape).toEqual(before.inputShape);
  after.preprocessing!.mean.forEach((mean, channel) => {
    expect(mean).toBeCloseTo(before.preprocessing!.mean[channel], 6);
  });
});

test('dafl convert writes weights by the names of PyTorch, which every command reads', async () => {
  const half = initializeWeights(createArchitecture('lenet5-half'), createRandomStream(1, 'weights'));
  writeFileSync(join(home, 'half.safetensors'), writeModel(half));
  expect(await run('convert', 'half.safetensors', 'torch.safetensors', '--names', 'pytorch')).toMatchObject({
    code: 0,
  });
  const { code, stdout } = await run('inspect', 'torch.safetensors', '--json');
  expect(code).toBe(0);
  expect(parseEvents(stdout)).toMatchObject([
    {
      parameters: 15_738,
      preprocessing: half.graph.preprocessing,
      notes: [expect.stringContaining('the architecture is lenet5-half') as string],
    },
  ]);
  const refused = await run('convert', 'teacher.safetensors', 'none.safetensors', '--names', 'pytorch');
  expect(refused).toMatchObject({
    code: 3,
    stderr: expect.stringContaining("by PyTorch's names as it must be one of the architectures") as string,
  });
});

test('dafl distill and inspect take the weights of PyTorch', async () => {
  const file = (name: string): string =>
    fileURLToPath(new URL(`../../../test-fixtures/pytorch/${name}`, import.meta.url));
  const flags = ['--architecture', 'mobilenetv2-imagenet', '--input-size', '64', '--mean', '0.5', '--std', '0.25'];
  const inspected = await run('inspect', file('mobilenetv2-torchvision.pth'), ...flags, '--json');
  expect(parseEvents(inspected.stdout)).toMatchObject([{ inputShape: [64, 64, 3], classes: 5 }]);
  const line = `distill --teacher ${file('lenet5-half.pt')} --student half --steps 1 --batch-size 8 --pictures 16 --backend cpu --out torch --json`;
  const { code, stdout, stderr } = await run(...line.split(' '));
  expect(code).toBe(0);
  expect(parseEvents(stdout).at(-1)).toMatchObject({ event: 'result' });
  expect(`${stdout}${stderr}`).toContain('the architecture is lenet5-half, by its names and shapes');
  const whole = await run('distill', '--teacher', file('module.pt'), '--student', 'half', '--out', 'whole');
  expect(whole).toMatchObject({ code: 3, stderr: expect.stringContaining('\n  torch.onnx.export(model, ') as string });
});

test.each([
  [
    ['teacher.safetensors', 'x.onnx', '--names', 'pytorch'],
    "'--names' must be given for .safetensors alone: current value is 'x.onnx'",
  ],
  [
    ['teacher.safetensors', 'x.pb'],
    "'<file>' must be a name that ends in .onnx, .keras, .safetensors, model.json or /: current value is 'x.pb'",
  ],
  [
    ['teacher.safetensors', 'x.onnx', '--layout', 'chwn'],
    "'--layout' must be 'nchw' or 'nhwc': current value is 'chwn'",
  ],
  [
    ['teacher.safetensors', 'x.safetensors', '--with-softmax'],
    "'--with-softmax' must be given for .onnx, .keras, model.json alone: current value is 'x.safetensors'",
  ],
])('dafl convert %j is refused', async (parameters, message) => {
  const { code, stderr } = await run('convert', ...parameters);
  expect({ code, stderr }).toEqual({ code: 2, stderr: `error: Cannot run 'dafl convert' as ${message}\n` });
});

test('dafl convert replaces no file but with --force', async () => {
  writeFileSync(join(home, 'kept.onnx'), 'kept');
  expect(await run('convert', 'teacher.safetensors', 'kept.onnx')).toMatchObject({
    code: 2,
    stderr:
      "error: Cannot write 'kept.onnx' as it must not exist yet: current value is a file. Choose another name, or replace it with --force\n",
  });
  expect(readFileSync(join(home, 'kept.onnx'), 'utf8')).toBe('kept');
  expect((await run('convert', 'teacher.safetensors', 'kept.onnx', '--force')).code).toBe(0);
  expect(readFileSync(join(home, 'kept.onnx')).length).toBeGreaterThan(100);
});

test('dafl distill --export onnx writes the student as ONNX too', async () => {
  const line =
    'distill --teacher teacher.safetensors --student half --steps 1 --batch-size 8 --pictures 16 --backend cpu --out run --export onnx --json';
  const { code, stdout } = await run(...line.split(' '));
  expect(code).toBe(0);
  expect(existsSync(join(home, 'run/student/student.onnx'))).toBe(true);
  expect(existsSync(join(home, 'run/student/student.preprocessor_config.json'))).toBe(true);
  expect(readFileSync(join(home, 'run/student/README.md'), 'utf8')).toContain('gives logits (its output `logits`)');
  expect(parseEvents(stdout).at(-1)).toMatchObject({ event: 'result' });
  const inspected = await run('inspect', 'run/student/student.onnx', '--json');
  expect(parseEvents(inspected.stdout)).toMatchObject([{ classes: 3 }]);
});

test('a student that cannot be written as is asked for is refused before the first step', async () => {
  const { graph } = tinyTeacher();
  const norm: ModelNode = {
    kind: 'localResponseNorm',
    name: 'norm',
    inputs: ['relu'],
    size: 2,
    alpha: 1,
    beta: 1,
    bias: 1,
  };
  const nodes = graph.nodes.flatMap((node) =>
    node.name === 'features' ? [norm, { ...node, inputs: ['norm'] }] : [node],
  );
  const student = initializeWeights({ ...graph, nodes }, createRandomStream(1, 'student'));
  writeFileSync(join(home, 'even.safetensors'), writeModel(student));
  const line =
    'distill --teacher teacher.safetensors --student even.safetensors --steps 1 --batch-size 8 --pictures 16 --backend cpu --out even --json';
  const asked: [string, string, RegExp][] = [
    ['--export onnx', "'--export' must name", /onnx: Cannot write .*'norm' \(localResponseNorm\)/],
    ['--export tfjs,onnx,keras', "'--export' must name", /tfjs: .*'norm'.*; onnx: .*'norm'.*; keras: .*'norm'/],
    ['--quantize int8', "'--quantize' must name", /onnx: Cannot write .*'norm'/],
  ];
  for (const [flags, option, reason] of asked) {
    const { code, stdout } = await run(...line.split(' '), ...flags.split(' '));
    expect(code).toBe(2);
    const message = expect.stringMatching(reason) as string;
    expect(parseEvents(stdout).at(-1)).toMatchObject({ event: 'error', message });
    expect(stdout).toContain(option);
    expect(existsSync(join(home, 'even'))).toBe(false);
  }
});
