/**
 * Speed of each kernel at the shapes that matter: `node bench/kernels.bench.ts [--threads 1,2] [--filter text]`.
 * `--plain` measures without relaxed SIMD; `--cpu` counts processor time, which other programs disturb less than the
 * clock, and is of use for one thread.
 *
 * Prints the best of several timed rounds, so that a busy machine shows less: GFLOP/s (two for each multiply-add) for
 * products and convolutions, GB/s (arrays read and written once each) for the rest.
 */
import { parseArgs } from 'node:util';
import type { Conv2dOptions, Tensor, TensorBackend } from '@dafl/core';
import { createWasmBackend } from '../src/index.ts';

interface Case {
  readonly name: string;
  /** Work of one run: floating-point operations, or bytes. */
  readonly amount: number;
  readonly unit: 'GFLOP/s' | 'GB/s';
  /** Makes the arguments once and returns what one run does; results are disposed by the harness. */
  readonly prepare: (backend: TensorBackend) => () => readonly Tensor[];
}

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '1,2' },
    filter: { type: 'string', default: '' },
    rounds: { type: 'string', default: '5' },
    plain: { type: 'boolean', default: false },
    cpu: { type: 'boolean', default: false },
  },
});

let seed = 1;
function random(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) | 0;
  return (seed >>> 8) / 2 ** 24 - 0.5;
}

function randomTensor(backend: TensorBackend, shape: readonly number[]): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return backend.tensor(Float32Array.from({ length: size }, random), shape);
}

function convolutionCases(
  label: string,
  [batch, size, inputs]: readonly [number, number, number],
  [kernel, outputs]: readonly [number, number],
  padding: number,
  stride: number = 1,
): Case[] {
  const output = Math.floor((size + 2 * padding - kernel) / stride) + 1;
  const amount = 2 * batch * output * output * kernel * kernel * inputs * outputs;
  const options: Conv2dOptions = {
    strides: [stride, stride],
    padding: { top: padding, bottom: padding, left: padding, right: padding },
    dilations: [1, 1],
    groups: 1,
  };
  const inputShape = [batch, size, size, inputs];
  const filterShape = [kernel, kernel, inputs, outputs];
  const outputShape = [batch, output, output, outputs];
  const name = `${label} conv ${kernel}x${kernel} ${inputs}->${outputs} at ${size}x${size}${stride > 1 ? ` /${stride}` : ''}`;
  return [
    {
      name: `${name} forward`,
      amount,
      unit: 'GFLOP/s',
      prepare: (backend) => {
        const input = randomTensor(backend, inputShape);
        const filter = randomTensor(backend, filterShape);
        return () => [backend.conv2d(input, filter, null, options)];
      },
    },
    {
      name: `${name} input gradient`,
      amount,
      unit: 'GFLOP/s',
      prepare: (backend) => {
        const gradient = randomTensor(backend, outputShape);
        const filter = randomTensor(backend, filterShape);
        return () => [backend.conv2dInputGradient(gradient, filter, inputShape, options)];
      },
    },
    {
      name: `${name} filter gradient`,
      amount,
      unit: 'GFLOP/s',
      prepare: (backend) => {
        const gradient = randomTensor(backend, outputShape);
        const input = randomTensor(backend, inputShape);
        return () => [backend.conv2dFilterGradient(input, gradient, filterShape, options)];
      },
    },
  ];
}

/** Counts what the upsampling and the convolution take one after the other: no kernel needs to do all of it. */
function upsampleConvolutionCases(label: string, size: number, inputs: number, outputs: number): Case[] {
  const batch = 256;
  const amount = 2 * batch * (2 * size) ** 2 * 9 * inputs * outputs;
  const name = `${label} x2, conv 3x3 ${inputs}->${outputs} at ${size}x${size}`;
  const make = (kind: string, run: (backend: TensorBackend, x: Tensor, w: Tensor, g: Tensor) => Tensor): Case => ({
    name: `${name} ${kind}`,
    amount,
    unit: 'GFLOP/s',
    prepare: (backend) => {
      const x = randomTensor(backend, [batch, size, size, inputs]);
      const w = randomTensor(backend, [3, 3, inputs, outputs]);
      const g = randomTensor(backend, [batch, 2 * size, 2 * size, outputs]);
      return () => [run(backend, x, w, g)];
    },
  });
  return [
    make('forward', (backend, x, w) => backend.fused!.upsampleConv2d!(x, w, null)),
    make('input gradient', (backend, _x, w, g) => backend.fused!.upsampleConv2dInputGradient!(g, w)),
    make('filter gradient', (backend, x, _w, g) => backend.fused!.upsampleConv2dFilterGradient!(x, g)),
  ];
}

function matrixCase(rows: number, depth: number, columns: number): Case[] {
  const amount = 2 * rows * depth * columns;
  const product = (
    suffix: string,
    left: readonly number[],
    right: readonly number[],
    turnLeft: boolean,
    turnRight: boolean,
  ): Case => ({
    name: `matMul [${rows}, ${depth}] x [${depth}, ${columns}]${suffix}`,
    amount,
    unit: 'GFLOP/s',
    prepare: (backend) => {
      const a = randomTensor(backend, left);
      const b = randomTensor(backend, right);
      return () => [backend.matMul(a, b, turnLeft, turnRight)];
    },
  });
  return [
    product('', [rows, depth], [depth, columns], false, false),
    product(' left gradient', [rows, columns], [depth, columns], false, true),
    product(' right gradient', [rows, depth], [rows, columns], true, false),
  ];
}

function memoryCase(
  name: string,
  shape: readonly number[],
  arrays: number,
  run: (backend: TensorBackend, x: Tensor, y: Tensor) => () => readonly Tensor[],
): Case {
  const bytes = shape.reduce((product, length) => product * length, 4) * arrays;
  return {
    name: `${name} [${shape.join(', ')}]`,
    amount: bytes,
    unit: 'GB/s',
    prepare: (backend) => run(backend, randomTensor(backend, shape), randomTensor(backend, shape)),
  };
}

const pool = {
  windowSize: [2, 2],
  strides: [2, 2],
  padding: { top: 0, bottom: 0, left: 0, right: 0 },
} as const;

function elementCases(shape: readonly number[]): Case[] {
  const channels = shape.at(-1)!;
  return [
    memoryCase('batchNorm', shape, 3, (backend, x) => {
      const scale = randomTensor(backend, [channels]);
      return () => Object.values(backend.fused!.batchNorm!(x, scale, scale, 1e-5, null));
    }),
    memoryCase('batchNormGradient', shape, 5, (backend, x, y) => {
      const scale = randomTensor(backend, [channels]);
      const { mean, variance } = backend.fused!.batchNorm!(x, scale, scale, 1e-5, null);
      return () => Object.values(backend.fused!.batchNormGradient!(y, x, scale, mean, variance, 1e-5));
    }),
    memoryCase('leakyRelu', shape, 2, (backend, x) => () => [backend.leakyRelu(x, 0.2)]),
    memoryCase('leakyReluGradient', shape, 3, (backend, x, y) => () => [backend.leakyReluGradient(x, y, 0.2)]),
    memoryCase('add', shape, 3, (backend, x, y) => () => [backend.binary('add', x, y)]),
    memoryCase('add channels', shape, 2, (backend, x) => {
      const bias = randomTensor(backend, [channels]);
      return () => [backend.binary('add', x, bias)];
    }),
    memoryCase('sum but channels', shape, 1, (backend, x) => () => [backend.reduce('sum', x, [0, 1, 2], false)]),
    memoryCase('sum', shape, 1, (backend, x) => () => [backend.reduce('sum', x, [0, 1, 2, 3], false)]),
  ];
}

const cases: readonly Case[] = [
  ...matrixCase(256, 100, 2048),
  ...convolutionCases('fast', [256, 16, 32], [3, 32], 1),
  ...convolutionCases('fast', [256, 32, 32], [3, 16], 1),
  ...convolutionCases('fast', [256, 32, 16], [3, 1], 1),
  ...upsampleConvolutionCases('fast', 8, 16, 16),
  ...upsampleConvolutionCases('fast', 16, 16, 8),
  ...upsampleConvolutionCases('paper', 8, 128, 128),
  ...upsampleConvolutionCases('paper', 16, 128, 64),
  ...convolutionCases('teacher', [256, 32, 1], [5, 6], 0),
  ...convolutionCases('teacher', [256, 14, 6], [5, 16], 0),
  ...convolutionCases('teacher', [256, 5, 16], [5, 120], 0),
  ...matrixCase(256, 120, 84),
  ...convolutionCases('half', [256, 32, 1], [5, 3], 0),
  ...convolutionCases('half', [256, 14, 3], [5, 8], 0),
  ...convolutionCases('half', [256, 5, 8], [5, 60], 0),
  ...matrixCase(256, 60, 42),
  ...matrixCase(256, 42, 10),
  ...convolutionCases('paper', [64, 16, 128], [3, 128], 1),
  ...convolutionCases('paper', [64, 32, 128], [3, 64], 1),
  ...convolutionCases('paper', [64, 32, 64], [3, 1], 1),
  ...convolutionCases('resnet', [64, 32, 3], [3, 64], 1),
  ...convolutionCases('resnet', [64, 16, 128], [3, 128], 1, 2),
  ...convolutionCases('resnet', [64, 4, 512], [3, 512], 1),
  ...convolutionCases('resnet', [64, 16, 128], [1, 256], 0, 2),
  ...convolutionCases('generator', [64, 32, 64], [3, 3], 1),
  ...elementCases([256, 32, 32, 16]),
  ...elementCases([256, 16, 16, 32]),
  ...elementCases([256, 32, 32, 1]),
  ...elementCases([256, 28, 28, 3]),
  memoryCase('exp', [256, 32, 32, 16], 2, (backend, x) => () => [backend.unary('exp', x)]),
  memoryCase('tanh', [256, 32, 32, 1], 2, (backend, x) => () => [backend.unary('tanh', x)]),
  memoryCase('upsample 2x', [256, 16, 16, 32], 5, (backend, x) => () => [backend.upsampleNearest2d(x, [2, 2])]),
  memoryCase('upsample 2x gradient', [256, 32, 32, 32], 1.25, (backend, x) => () => [
    backend.upsampleNearest2dGradient(x, [2, 2]),
  ]),
  ...[6, 3].flatMap((channels) => [
    memoryCase('maxPool 2x2', [256, 28, 28, channels], 1.25, (backend, x) => () => [backend.maxPool2d(x, pool)]),
    memoryCase('maxPool 2x2 gradient', [256, 28, 28, channels], 2.5, (backend, x) => {
      const y = backend.maxPool2d(x, pool);
      return () => [backend.maxPool2dGradient(y, x, y, pool)];
    }),
  ]),
  memoryCase('adam', [1_000_000], 7, (backend, x, y) => {
    const options = { stepSize: 1e-3, beta1: 0.5, beta2: 0.999, secondMomentCorrection: 0.5, epsilon: 1e-8 };
    const moment = backend.unary('square', x);
    return () => Object.values(backend.fused!.adamStep!(x, y, moment, moment, options));
  }),
  memoryCase('transpose [0, 3, 1, 2]', [256, 32, 32, 16], 2, (backend, x) => () => [
    backend.transpose(x, [0, 3, 1, 2]),
  ]),
  memoryCase('concat', [256, 32, 32, 16], 4, (backend, x, y) => () => [backend.concat([x, y], 0)]),
];

/** Milliseconds: of the clock, or of this process's own use of the processors. */
function now(): number {
  if (!values.cpu) return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function time(run: () => readonly Tensor[], backend: TensorBackend, repeats: number): number {
  const start = now();
  for (let i = 0; i < repeats; i++) run().forEach((tensor) => backend.dispose(tensor));
  return (now() - start) / repeats;
}

const counts = values.threads.split(',').map(Number);
const header = counts.map((count) => `${count} thread${count > 1 ? 's' : ''}`.padStart(11)).join('');
process.stdout.write(`${'best of rounds'.padEnd(62)}${header}\n`);
for (const { name, amount, unit, prepare } of cases) {
  if (!name.includes(values.filter)) continue;
  const cells: string[] = [];
  for (const threads of counts) {
    const backend = await createWasmBackend({ threads, ...(values.plain ? { relaxedSimd: false } : {}) });
    const run = prepare(backend);
    // Long enough for the engine to compile the kernel a second time, for speed.
    const warmUp = performance.now();
    while (performance.now() - warmUp < 200) time(run, backend, 1);
    const repeats = Math.max(1, Math.ceil(60 / time(run, backend, 2)));
    let best = Infinity;
    for (let round = 0; round < Number(values.rounds); round++) best = Math.min(best, time(run, backend, repeats));
    cells.push((amount / best / 1e6).toFixed(1).padStart(11));
    await backend.close();
  }
  process.stdout.write(`${name.padEnd(62)}${cells.join('')} ${unit}\n`);
}
