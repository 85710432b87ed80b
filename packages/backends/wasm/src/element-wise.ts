import type { BinaryOperation, Shape, UnaryOperation } from '@dafl/core';
import { broadcastStrides, isSameShape, sizeOf, stridesOf } from '@dafl/core/backend-base';
import * as ids from './kernel-operations.ts';
import { CHUNK_ELEMENTS, type KernelRunner } from './kernel-runner.ts';
import { runStridedCopy } from './layout.ts';
import { repeatsToVectors } from './repeats-to-vectors.ts';
import type { WasmTensor } from './wasm-tensor.ts';

const UNARY_IDS: Readonly<Record<UnaryOperation, number>> = {
  negate: ids.UNARY_NEGATE,
  abs: ids.UNARY_ABS,
  sign: ids.UNARY_SIGN,
  exp: ids.UNARY_EXP,
  log: ids.UNARY_LOG,
  sqrt: ids.UNARY_SQRT,
  square: ids.UNARY_SQUARE,
  reciprocal: ids.UNARY_RECIPROCAL,
  tanh: ids.UNARY_TANH,
  sigmoid: ids.UNARY_SIGMOID,
  erf: ids.UNARY_ERF,
  step: ids.UNARY_STEP,
};

const BINARY_IDS: Readonly<Record<BinaryOperation, number>> = {
  add: ids.BINARY_ADD,
  subtract: ids.BINARY_SUBTRACT,
  multiply: ids.BINARY_MULTIPLY,
  divide: ids.BINARY_DIVIDE,
  maximum: ids.BINARY_MAXIMUM,
  minimum: ids.BINARY_MINIMUM,
  greater: ids.BINARY_GREATER,
  equal: ids.BINARY_EQUAL,
};

/** Computes each element. */
export function runUnary(runner: KernelRunner, operation: UnaryOperation, input: WasmTensor, output: WasmTensor): void {
  // Transcendental functions take some twenty times as long as the rest.
  runner.runElements('unary', input.size, input.size * 8, {
    operation: UNARY_IDS[operation],
    input: input.address,
    output: output.address,
  });
}

/** Computes each pair, with broadcasting. */
export function runBinary(
  runner: KernelRunner,
  operation: BinaryOperation,
  a: WasmTensor,
  b: WasmTensor,
  result: WasmTensor,
): void {
  const id = BINARY_IDS[operation];
  const { shape, size } = result;
  if (size === 0) return;
  if (a.size === size && b.size === size) {
    runAligned(runner, id, ids.FORM_SAME, a.address, b.address, result, 4);
  } else if (a.size === size && b.size === 1) {
    runAligned(runner, id, ids.FORM_RIGHT_SCALAR, a.address, b.address, result, 4);
  } else if (b.size === size && a.size === 1) {
    runAligned(runner, id, ids.FORM_LEFT_SCALAR, a.address, b.address, result, 4);
  } else if (a.size === size && runBinaryVector(runner, id, a, b, result, true)) {
    return;
  } else if (b.size === size && runBinaryVector(runner, id, b, a, result, false)) {
    return;
  } else {
    // Rare: bring both to the full shape first.
    withBroadcast(runner, a, shape, (leftAddress) =>
      withBroadcast(runner, b, shape, (rightAddress) =>
        runAligned(runner, id, ids.FORM_SAME, leftAddress, rightAddress, result, 4),
      ),
    );
  }
}

function runAligned(
  runner: KernelRunner,
  operation: number,
  form: number,
  left: number,
  right: number,
  result: WasmTensor,
  period: number,
): void {
  const chunkSize = period * Math.max(1, Math.floor(CHUNK_ELEMENTS / period));
  runner.run('binary', Math.ceil(result.size / chunkSize), result.size, {
    operation,
    form,
    left,
    right,
    output: result.address,
    count: result.size,
    chunkSize,
    period,
  });
}

/** Handles `vector` along the last axes or along the first ones of `full`; returns whether it was either. */
function runBinaryVector(
  runner: KernelRunner,
  operation: number,
  full: WasmTensor,
  vector: WasmTensor,
  result: WasmTensor,
  isRight: boolean,
): boolean {
  const { shape } = result;
  const core = withoutLeadingOnes(vector.shape);
  const ordered = (address: number): [number, number] => (isRight ? [full.address, address] : [address, full.address]);
  if (isSameShape(core, shape.slice(shape.length - core.length))) {
    const period = vector.size;
    const repeats = repeatsToVectors(period);
    const form = isRight ? ids.FORM_RIGHT_ROW : ids.FORM_LEFT_ROW;
    if (repeats === 1) {
      runAligned(runner, operation, form, ...ordered(vector.address), result, period);
    } else {
      runner.withTemporary(period * repeats * 4, (address) => {
        runStridedCopy(runner, vector.address, [0, 1], address, [period, 1], [repeats, period]);
        runAligned(runner, operation, form, ...ordered(address), result, period * repeats);
      });
    }
    return true;
  }
  if (vector.shape.length !== shape.length) return false;
  let trailing = shape.length;
  while (trailing > 0 && vector.shape[trailing - 1] === 1) trailing -= 1;
  if (!isSameShape(vector.shape.slice(0, trailing), shape.slice(0, trailing))) return false;
  const form = isRight ? ids.FORM_RIGHT_COLUMN : ids.FORM_LEFT_COLUMN;
  runAligned(runner, operation, form, ...ordered(vector.address), result, sizeOf(shape.slice(trailing)));
  return true;
}

function withBroadcast(runner: KernelRunner, source: WasmTensor, shape: Shape, body: (address: number) => void): void {
  if (source.size === sizeOf(shape)) {
    body(source.address);
    return;
  }
  const strides = broadcastStrides(source.shape, shape);
  runner.withTemporary(sizeOf(shape) * 4, (address) => {
    runStridedCopy(runner, source.address, strides, address, stridesOf(shape), shape);
    body(address);
  });
}

function withoutLeadingOnes(shape: Shape): Shape {
  let first = 0;
  while (first < shape.length && shape[first] === 1) first += 1;
  return shape.slice(first);
}
