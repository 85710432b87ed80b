/**
 * Kernels that treat each element alone.
 *
 * Every tensor is padded to a multiple of 64 bytes, so the last vector may run past the end of a tensor, and no loop
 * here has a scalar remainder.
 */
import {
  BINARY_ADD,
  BINARY_DIVIDE,
  BINARY_EQUAL,
  BINARY_GREATER,
  BINARY_MAXIMUM,
  BINARY_MINIMUM,
  BINARY_MULTIPLY,
  BINARY_SUBTRACT,
  FORM_LEFT_COLUMN,
  FORM_LEFT_ROW,
  FORM_LEFT_SCALAR,
  FORM_RIGHT_COLUMN,
  FORM_RIGHT_ROW,
  FORM_RIGHT_SCALAR,
  FORM_SAME,
  UNARY_ABS,
  UNARY_ERF,
  UNARY_EXP,
  UNARY_LOG,
  UNARY_NEGATE,
  UNARY_RECIPROCAL,
  UNARY_SIGMOID,
  UNARY_SIGN,
  UNARY_SQRT,
  UNARY_SQUARE,
  UNARY_STEP,
  UNARY_TANH,
} from '../src/kernel-operations';
import {
  AffineArguments,
  BinaryArguments,
  ClipArguments,
  ClipGradientArguments,
  ElementArguments,
  FillArguments,
  GeluArguments,
  GeluGradientArguments,
  LeakyReluArguments,
  LeakyReluGradientArguments,
  OneHotArguments,
  UnaryArguments,
} from './generated/kernel-arguments';
import { errorFunction, exponential, hyperbolicTangent, logarithm, logistic } from './mathematics';
import { madd, smaller } from './simd';

/** Bytes of chunk `chunk`, rounded up to whole vectors. */
// @ts-ignore: decorator
@inline
function chunkBytes(args: ElementArguments, chunk: i32): usize {
  return ((<usize>smaller(args.chunkSize, args.count - chunk * args.chunkSize) << 2) + 15) & ~15;
}

/** Sets all elements to one value. */
export function fill(args: FillArguments, chunk: i32): void {
  const chunkSize = args.chunkSize;
  const output = args.output + (<usize>(chunk * chunkSize) << 2);
  const bytes = chunkBytes(args, chunk);
  const value = i32x4.splat(args.bits);
  for (let i: usize = 0; i < bytes; i += 16) v128.store(output + i, value);
}

// @ts-ignore: decorator
@inline
function applyUnary(operation: i32, x: v128): v128 {
  const one = f32x4.splat(1);
  const zero = f32x4.splat(0);
  if (operation == UNARY_NEGATE) return f32x4.neg(x);
  else if (operation == UNARY_ABS) return f32x4.abs(x);
  else if (operation == UNARY_SIGN) {
    return v128.bitselect(one, v128.bitselect(f32x4.splat(-1), x, f32x4.lt(x, zero)), f32x4.gt(x, zero));
  } else if (operation == UNARY_EXP) return exponential(x);
  else if (operation == UNARY_LOG) return logarithm(x);
  else if (operation == UNARY_SQRT) return f32x4.sqrt(x);
  else if (operation == UNARY_SQUARE) return f32x4.mul(x, x);
  else if (operation == UNARY_RECIPROCAL) return f32x4.div(one, x);
  else if (operation == UNARY_TANH) return hyperbolicTangent(x);
  else if (operation == UNARY_SIGMOID) return logistic(x);
  else if (operation == UNARY_ERF) return errorFunction(x);
  else return v128.and(f32x4.gt(x, zero), one);
}

// @ts-ignore: decorator
@inline
function unaryLoop(operation: i32, input: usize, output: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 16) v128.store(output + i, applyUnary(operation, v128.load(input + i)));
}

/** A function of one operand. */
export function unary(args: UnaryArguments, chunk: i32): void {
  const chunkSize = args.chunkSize;
  const offset = <usize>(chunk * chunkSize) << 2;
  const input = args.input + offset;
  const output = args.output + offset;
  const bytes = chunkBytes(args, chunk);
  switch (args.operation) {
    case UNARY_NEGATE: unaryLoop(UNARY_NEGATE, input, output, bytes); break;
    case UNARY_ABS: unaryLoop(UNARY_ABS, input, output, bytes); break;
    case UNARY_SIGN: unaryLoop(UNARY_SIGN, input, output, bytes); break;
    case UNARY_EXP: unaryLoop(UNARY_EXP, input, output, bytes); break;
    case UNARY_LOG: unaryLoop(UNARY_LOG, input, output, bytes); break;
    case UNARY_SQRT: unaryLoop(UNARY_SQRT, input, output, bytes); break;
    case UNARY_SQUARE: unaryLoop(UNARY_SQUARE, input, output, bytes); break;
    case UNARY_RECIPROCAL: unaryLoop(UNARY_RECIPROCAL, input, output, bytes); break;
    case UNARY_TANH: unaryLoop(UNARY_TANH, input, output, bytes); break;
    case UNARY_SIGMOID: unaryLoop(UNARY_SIGMOID, input, output, bytes); break;
    case UNARY_ERF: unaryLoop(UNARY_ERF, input, output, bytes); break;
    case UNARY_STEP: unaryLoop(UNARY_STEP, input, output, bytes); break;
  }
}

// @ts-ignore: decorator
@inline
function applyBinary(operation: i32, a: v128, b: v128): v128 {
  if (operation == BINARY_ADD) return f32x4.add(a, b);
  else if (operation == BINARY_SUBTRACT) return f32x4.sub(a, b);
  else if (operation == BINARY_MULTIPLY) return f32x4.mul(a, b);
  else if (operation == BINARY_DIVIDE) return f32x4.div(a, b);
  else if (operation == BINARY_MAXIMUM) return f32x4.max(a, b);
  else if (operation == BINARY_MINIMUM) return f32x4.min(a, b);
  else if (operation == BINARY_GREATER) return v128.and(f32x4.gt(a, b), f32x4.splat(1));
  else return v128.and(f32x4.eq(a, b), f32x4.splat(1));
}

// @ts-ignore: decorator
@inline
function binaryForms(
  operation: i32,
  form: i32,
  left: usize,
  right: usize,
  output: usize,
  first: usize,
  bytes: usize,
  period: usize,
): void {
  if (form == FORM_SAME) {
    for (let i = first; i < first + bytes; i += 16) {
      v128.store(output + i, applyBinary(operation, v128.load(left + i), v128.load(right + i)));
    }
  } else if (form == FORM_RIGHT_SCALAR) {
    const b = v128.load32_splat(right);
    for (let i = first; i < first + bytes; i += 16) {
      v128.store(output + i, applyBinary(operation, v128.load(left + i), b));
    }
  } else if (form == FORM_LEFT_SCALAR) {
    const a = v128.load32_splat(left);
    for (let i = first; i < first + bytes; i += 16) {
      v128.store(output + i, applyBinary(operation, a, v128.load(right + i)));
    }
  } else if (form == FORM_RIGHT_ROW || form == FORM_LEFT_ROW) {
    const isRight = form == FORM_RIGHT_ROW;
    const row = isRight ? right : left;
    const full = isRight ? left : right;
    for (let i = first; i < first + bytes; i += period) {
      const rest = min(period, first + bytes - i);
      for (let j: usize = 0; j < rest; j += 16) {
        const x = v128.load(full + i + j);
        const y = v128.load(row + j);
        v128.store(
          output + i + j,
          isRight ? applyBinary(operation, x, y) : applyBinary(operation, y, x),
        );
      }
    }
  } else {
    const isRight = form == FORM_RIGHT_COLUMN;
    const full = isRight ? left : right;
    const whole = period & ~15;
    let column = (isRight ? right : left) + (first / period) * 4;
    for (let i = first; i < first + bytes; i += period) {
      const y = v128.load32_splat(column);
      column += 4;
      let j: usize = 0;
      for (; j < whole; j += 16) {
        const x = v128.load(full + i + j);
        v128.store(output + i + j, isRight ? applyBinary(operation, x, y) : applyBinary(operation, y, x));
      }
      for (; j < period; j += 4) {
        const x = v128.load32_zero(full + i + j);
        const z = isRight ? applyBinary(operation, x, y) : applyBinary(operation, y, x);
        v128.store32_lane(output + i + j, z, 0);
      }
    }
  }
}

/** A function of two operands, of which one may be repeated. */
export function binary(args: BinaryArguments, chunk: i32): void {
  const form = args.form;
  const left = args.left;
  const right = args.right;
  const output = args.output;
  const chunkSize = args.chunkSize;
  const first = <usize>(chunk * chunkSize) << 2;
  const period = <usize>args.period << 2;
  const exact = <usize>smaller(chunkSize, args.count - chunk * chunkSize) << 2;
  // The column forms must not round up: a row more would read past the column.
  const bytes = form >= FORM_RIGHT_COLUMN ? exact : (exact + 15) & ~15;
  switch (args.operation) {
    case BINARY_ADD: binaryForms(BINARY_ADD, form, left, right, output, first, bytes, period); break;
    case BINARY_SUBTRACT: binaryForms(BINARY_SUBTRACT, form, left, right, output, first, bytes, period); break;
    case BINARY_MULTIPLY: binaryForms(BINARY_MULTIPLY, form, left, right, output, first, bytes, period); break;
    case BINARY_DIVIDE: binaryForms(BINARY_DIVIDE, form, left, right, output, first, bytes, period); break;
    case BINARY_MAXIMUM: binaryForms(BINARY_MAXIMUM, form, left, right, output, first, bytes, period); break;
    case BINARY_MINIMUM: binaryForms(BINARY_MINIMUM, form, left, right, output, first, bytes, period); break;
    case BINARY_GREATER: binaryForms(BINARY_GREATER, form, left, right, output, first, bytes, period); break;
    case BINARY_EQUAL: binaryForms(BINARY_EQUAL, form, left, right, output, first, bytes, period); break;
  }
}

/** input x factor + summand. */
export function affine(args: AffineArguments, chunk: i32): void {
  const chunkSize = args.chunkSize;
  const offset = <usize>(chunk * chunkSize) << 2;
  const input = args.input + offset;
  const output = args.output + offset;
  const bytes = chunkBytes(args, chunk);
  const factor = f32x4.splat(args.factor);
  const summand = f32x4.splat(args.summand);
  for (let i: usize = 0; i < bytes; i += 16) v128.store(output + i, madd(v128.load(input + i), factor, summand));
}

/** The input where it is positive, else input x slope. */
export function leakyRelu(args: LeakyReluArguments, chunk: i32): void {
  const chunkSize = args.chunkSize;
  const offset = <usize>(chunk * chunkSize) << 2;
  const input = args.input + offset;
  const output = args.output + offset;
  const bytes = chunkBytes(args, chunk);
  const slope = f32x4.splat(args.slope);
  const zero = f32x4.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = v128.load(input + i);
    v128.store(output + i, v128.bitselect(x, f32x4.mul(x, slope), f32x4.gt(x, zero)));
  }
}

/** Gradient of `leakyRelu`, by its output. */
export function leakyReluGradient(args: LeakyReluGradientArguments, chunk: i32): void {
  const chunkSize = args.chunkSize;
  const offset = <usize>(chunk * chunkSize) << 2;
  const gradient = args.outputGradient + offset;
  const activation = args.reluOutput + offset;
  const output = args.output + offset;
  const bytes = chunkBytes(args, chunk);
  const slope = f32x4.splat(args.slope);
  const zero = f32x4.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    const g = v128.load(gradient + i);
    const y = v128.load(activation + i);
    v128.store(output + i, v128.bitselect(g, f32x4.mul(g, slope), f32x4.gt(y, zero)));
  }
}

/** The input, kept between two bounds. */
export function clip(args: ClipArguments, chunk: i32): void {
  const chunkSize = args.chunkSize;
  const offset = <usize>(chunk * chunkSize) << 2;
  const input = args.input + offset;
  const output = args.output + offset;
  const bytes = chunkBytes(args, chunk);
  const low = f32x4.splat(args.low);
  const high = f32x4.splat(args.high);
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(output + i, f32x4.min(f32x4.max(v128.load(input + i), low), high));
  }
}

/** Gradient of `clip`. */
export function clipGradient(args: ClipGradientArguments, chunk: i32): void {
  const chunkSize = args.chunkSize;
  const offset = <usize>(chunk * chunkSize) << 2;
  const gradient = args.outputGradient + offset;
  const input = args.input + offset;
  const output = args.output + offset;
  const bytes = chunkBytes(args, chunk);
  const low = f32x4.splat(args.low);
  const high = f32x4.splat(args.high);
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = v128.load(input + i);
    const isInside = v128.and(f32x4.gt(x, low), f32x4.lt(x, high));
    v128.store(output + i, v128.and(v128.load(gradient + i), isInside));
  }
}

/** (1 + erf(x / sqrt(2))) / 2: the share of a normal distribution below x. */
// @ts-ignore: decorator
@inline
function normalShare(x: v128): v128 {
  const half = f32x4.splat(0.5);
  return f32x4.add(f32x4.mul(errorFunction(f32x4.mul(x, f32x4.splat(0.7071067811865476))), half), half);
}

/** input x `normalShare`. */
export function gelu(args: GeluArguments, chunk: i32): void {
  const chunkSize = args.chunkSize;
  const offset = <usize>(chunk * chunkSize) << 2;
  const input = args.input + offset;
  const output = args.output + offset;
  const bytes = chunkBytes(args, chunk);
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = v128.load(input + i);
    v128.store(output + i, f32x4.mul(x, normalShare(x)));
  }
}

/** Gradient of `gelu`. */
export function geluGradient(args: GeluGradientArguments, chunk: i32): void {
  const chunkSize = args.chunkSize;
  const offset = <usize>(chunk * chunkSize) << 2;
  const gradient = args.outputGradient + offset;
  const input = args.input + offset;
  const output = args.output + offset;
  const bytes = chunkBytes(args, chunk);
  const minusHalf = f32x4.splat(-0.5);
  // 1 / sqrt(2 pi)
  const height = f32x4.splat(0.3989422804014327);
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = v128.load(input + i);
    const density = f32x4.mul(exponential(f32x4.mul(f32x4.mul(x, x), minusHalf)), height);
    const slope = f32x4.add(normalShare(x), f32x4.mul(x, density));
    v128.store(output + i, f32x4.mul(v128.load(gradient + i), slope));
  }
}

/** Sets a one in each row, at its index; none where the index is out of range. */
export function oneHot(args: OneHotArguments, chunk: i32): void {
  const indices = args.indices;
  const output = args.output;
  const count = args.count;
  const depth = args.depth;
  for (let i = 0; i < count; i++) {
    const index = load<i32>(indices + (<usize>i << 2));
    if (<u32>index < <u32>depth) store<f32>(output + (<usize>(i * depth + index) << 2), 1);
  }
}
