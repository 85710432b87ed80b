import type { BinaryOperation, Shape, UnaryOperation } from '@dafl/core';
import { MATHEMATICS } from './_mathematics.ts';
import { SPECIAL_VALUES } from './_special-values.ts';
import type { PooledBuffer } from './buffer-pool.ts';
import type { CommandQueue } from './command-queue.ts';
import { elementKernel, ELEMENTS_PER_WORKGROUP } from './kernel.ts';
import { broadcastStrides, sizeOf } from '@dafl/core/backend-base';
import { collapseAxes } from './collapse-axes.ts';

const UNARY: Readonly<Record<UnaryOperation, string>> = {
  negate: '-x',
  abs: 'abs(x)',
  sign: 'signOf(x)',
  exp: 'exponential(x)',
  log: 'logarithm(x)',
  sqrt: 'squareRoot(x)',
  square: 'x * x',
  reciprocal: 'divide(1.0, x)',
  tanh: 'hyperbolicTangent(x)',
  sigmoid: 'sigmoid(x)',
  erf: 'errorFunction(x)',
  step: 'select(0.0, 1.0, isPositive(x))',
};

const BINARY: Readonly<Record<BinaryOperation, string>> = {
  add: 'a + b',
  subtract: 'a - b',
  multiply: 'a * b',
  divide: 'divide(a, b)',
  maximum: 'maximumOf(a, b)',
  minimum: 'minimumOf(a, b)',
  greater: 'select(0.0, 1.0, !isNan(a) && !isNan(b) && a > b)',
  equal: 'select(0.0, 1.0, !isNan(a) && !isNan(b) && a == b)',
};

function workgroupsFor(count: number): number {
  return Math.ceil(count / ELEMENTS_PER_WORKGROUP);
}

/** Applies `operation` to `count` elements. */
export function runUnary(
  queue: CommandQueue,
  operation: UnaryOperation,
  input: PooledBuffer,
  output: PooledBuffer,
  count: number,
): void {
  queue.run({
    key: `unary ${operation}`,
    build: () =>
      elementKernel({
        uniforms: {},
        reads: { input: 'f32' },
        writes: { output: 'f32' },
        declarations: SPECIAL_VALUES + MATHEMATICS,
        perElement: `let x = input[i]; output[i] = ${UNARY[operation]};`,
      }),
    reads: [input],
    writes: [output],
    uniforms: { count },
    workgroups: workgroupsFor(count),
  });
}

/** Applies `operation` to each pair, after broadcasting both to `shape`. */
export function runBinary(
  queue: CommandQueue,
  operation: BinaryOperation,
  left: { readonly buffer: PooledBuffer; readonly shape: Shape },
  right: { readonly buffer: PooledBuffer; readonly shape: Shape },
  output: PooledBuffer,
  shape: Shape,
): void {
  const axes = collapseAxes(shape, [broadcastStrides(left.shape, shape), broadcastStrides(right.shape, shape)]);
  const rank = axes.sizes.length;
  const uniforms: Record<string, number> = { count: sizeOf(shape) };
  axes.sizes.forEach((size, axis) => {
    uniforms[`size${axis}`] = size;
    uniforms[`left${axis}`] = axes.strides[0][axis];
    uniforms[`right${axis}`] = axes.strides[1][axis];
  });
  const types = Object.fromEntries(Object.keys(uniforms).map((name) => [name, 'u32' as const]));
  queue.run({
    key: `binary ${operation} ${rank}`,
    build: () => {
      const lines = ['var rest = i; var l = 0u; var r = 0u;'];
      for (let axis = rank - 1; axis >= 0; axis--) {
        const place = axis === 0 ? 'rest' : `(rest % u.size${axis})`;
        lines.push(`l += ${place} * u.left${axis}; r += ${place} * u.right${axis};`);
        if (axis > 0) lines.push(`rest /= u.size${axis};`);
      }
      lines.push(`let a = left[l]; let b = right[r]; output[i] = ${BINARY[operation]};`);
      return elementKernel({
        uniforms: types,
        reads: { left: 'f32', right: 'f32' },
        writes: { output: 'f32' },
        declarations: SPECIAL_VALUES,
        perElement: lines.join('\n      '),
      });
    },
    reads: [left.buffer, right.buffer],
    writes: [output],
    uniforms,
    workgroups: workgroupsFor(uniforms['count']),
  });
}

/** output = input x factor + summand. */
export function runAffine(
  queue: CommandQueue,
  input: PooledBuffer,
  output: PooledBuffer,
  count: number,
  factor: number,
  summand: number,
): void {
  queue.run({
    key: 'affine',
    build: () =>
      elementKernel({
        uniforms: { factor: 'f32', summand: 'f32' },
        reads: { input: 'f32' },
        writes: { output: 'f32' },
        perElement: 'output[i] = input[i] * u.factor + u.summand;',
      }),
    reads: [input],
    writes: [output],
    uniforms: { count, factor, summand },
    workgroups: workgroupsFor(count),
  });
}

/** leakyRelu of the contract. */
export function runLeakyRelu(
  queue: CommandQueue,
  input: PooledBuffer,
  output: PooledBuffer,
  count: number,
  slope: number,
): void {
  queue.run({
    key: 'leakyRelu',
    build: () =>
      elementKernel({
        uniforms: { slope: 'f32' },
        reads: { input: 'f32' },
        writes: { output: 'f32' },
        declarations: SPECIAL_VALUES,
        perElement: `
      let x = input[i];
      var y = x;
      if (!isNan(x) && !(x > 0.0)) { y = select(u.slope * x, 0.0, u.slope == 0.0); }
      output[i] = y;`,
      }),
    reads: [input],
    writes: [output],
    uniforms: { count, slope },
    workgroups: workgroupsFor(count),
  });
}

/** leakyReluGradient of the contract. */
export function runLeakyReluGradient(
  queue: CommandQueue,
  outputGradient: PooledBuffer,
  output: PooledBuffer,
  inputGradient: PooledBuffer,
  count: number,
  slope: number,
): void {
  queue.run({
    key: 'leakyReluGradient',
    build: () =>
      elementKernel({
        uniforms: { slope: 'f32' },
        reads: { outputGradient: 'f32', output: 'f32' },
        writes: { inputGradient: 'f32' },
        declarations: SPECIAL_VALUES,
        perElement: `
      let y = output[i];
      inputGradient[i] = outputGradient[i] * select(u.slope, 1.0, !isNan(y) && y > 0.0);`,
      }),
    reads: [outputGradient, output],
    writes: [inputGradient],
    uniforms: { count, slope },
    workgroups: workgroupsFor(count),
  });
}

/** clip of the contract. */
export function runClip(
  queue: CommandQueue,
  input: PooledBuffer,
  output: PooledBuffer,
  count: number,
  [low, high]: readonly [low: number, high: number],
): void {
  queue.run({
    key: 'clip',
    build: () =>
      elementKernel({
        uniforms: { low: 'f32', high: 'f32' },
        reads: { input: 'f32' },
        writes: { output: 'f32' },
        declarations: SPECIAL_VALUES,
        perElement: 'output[i] = minimumOf(maximumOf(input[i], u.low), u.high);',
      }),
    reads: [input],
    writes: [output],
    uniforms: { count, low, high },
    workgroups: workgroupsFor(count),
  });
}

/** clipGradient of the contract. */
export function runClipGradient(
  queue: CommandQueue,
  outputGradient: PooledBuffer,
  input: PooledBuffer,
  inputGradient: PooledBuffer,
  count: number,
  [low, high]: readonly [low: number, high: number],
): void {
  queue.run({
    key: 'clipGradient',
    build: () =>
      elementKernel({
        uniforms: { low: 'f32', high: 'f32' },
        reads: { outputGradient: 'f32', input: 'f32' },
        writes: { inputGradient: 'f32' },
        declarations: SPECIAL_VALUES,
        perElement: `
      let x = input[i];
      inputGradient[i] = select(0.0, outputGradient[i], !isNan(x) && x > u.low && x < u.high);`,
      }),
    reads: [outputGradient, input],
    writes: [inputGradient],
    uniforms: { count, low, high },
    workgroups: workgroupsFor(count),
  });
}

/** gelu of the contract. */
export function runGelu(queue: CommandQueue, input: PooledBuffer, output: PooledBuffer, count: number): void {
  queue.run({
    key: 'gelu',
    build: () =>
      elementKernel({
        uniforms: {},
        reads: { input: 'f32' },
        writes: { output: 'f32' },
        declarations: SPECIAL_VALUES + MATHEMATICS,
        perElement: `
      let x = input[i];
      output[i] = x * (0.5 * errorFunction(x * 0.70710678) + 0.5);`,
      }),
    reads: [input],
    writes: [output],
    uniforms: { count },
    workgroups: workgroupsFor(count),
  });
}

/** geluGradient of the contract. */
export function runGeluGradient(
  queue: CommandQueue,
  outputGradient: PooledBuffer,
  input: PooledBuffer,
  inputGradient: PooledBuffer,
  count: number,
): void {
  queue.run({
    key: 'geluGradient',
    build: () =>
      elementKernel({
        uniforms: {},
        reads: { outputGradient: 'f32', input: 'f32' },
        writes: { inputGradient: 'f32' },
        declarations: SPECIAL_VALUES + MATHEMATICS,
        // 1 / sqrt(2 pi) = 0.39894228
        perElement: `
      let x = input[i];
      let share = 0.5 * errorFunction(x * 0.70710678) + 0.5;
      inputGradient[i] = outputGradient[i] * (share + x * 0.39894228 * exponential(-0.5 * x * x));`,
      }),
    reads: [outputGradient, input],
    writes: [inputGradient],
    uniforms: { count },
    workgroups: workgroupsFor(count),
  });
}
