import { fail } from '@dafl/core';

/** A tensor whose values are known as the file is read. */
export interface Constant {
  /** All axes, in ONNX's order. */
  readonly shape: readonly number[];
  /** Floats of single or half precision as float32, all others as float64. */
  readonly values: Float32Array | Float64Array;
  /** Number of the type in `TensorProto.DataType`. */
  readonly dataType: number;
}

/** Bytes of constants whose float32 values can't be read in place. Not a field, which a changed copy would keep. */
const unalignedBytes = new WeakMap<Constant, DataView>();

/** Float32 values at any place of a file: copied when they are asked for, which transposing them does not do. */
export function unalignedConstant(bytes: Uint8Array, shape: readonly number[]): Constant {
  let copied: Float32Array | undefined;
  const constant: Constant = {
    shape,
    dataType: FLOAT,
    get values() {
      copied ??= new Float32Array(new Uint8Array(bytes).buffer);
      return copied;
    },
  };
  unalignedBytes.set(constant, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  return constant;
}

export const FLOAT = 1;
export const INT64 = 7;
export const BOOL = 9;
const floats: ReadonlySet<number> = new Set([FLOAT, 10, 11, 16]);

/** Whether values of a type are no integers. */
export function isFloatType(dataType: number): boolean {
  return floats.has(dataType);
}

/** A constant of integers. */
export function integers(values: readonly number[], shape: readonly number[] = [values.length]): Constant {
  return { shape, values: Float64Array.from(values), dataType: INT64 };
}

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((total, length) => total * length, 1);
}

/** Distances between neighbours along each axis, in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * shape[axis + 1];
  return strides;
}

/**
 * A constant whose element at each position of `shape` is read from `constant` at `offset + sum(position x strides)`:
 * transposition, slices and repetition are all of this form.
 */
export function view(constant: Constant, shape: readonly number[], strides: readonly number[], offset = 0): Constant {
  const size = sizeOf(shape);
  const bytes = unalignedBytes.get(constant);
  const given = bytes === undefined ? constant.values : new Float32Array(0);
  const values = new (given.constructor as Float64ArrayConstructor)(size);
  // The last axis has a loop of its own, which is most of the work.
  const length = shape.at(-1) ?? 1;
  const stride = strides.at(-1) ?? 0;
  const outer = shape.slice(0, -1);
  const position = Array<number>(outer.length).fill(0);
  let source = offset;
  for (let begin = 0; begin < size; begin += length) {
    if (bytes === undefined)
      for (let index = 0; index < length; index++) values[begin + index] = given[source + index * stride];
    else {
      for (let index = 0; index < length; index++)
        values[begin + index] = bytes.getFloat32(4 * (source + index * stride), true);
    }
    for (let axis = outer.length - 1; axis >= 0; axis--) {
      source += strides[axis];
      if (++position[axis] < outer[axis]) break;
      source -= strides[axis] * outer[axis];
      position[axis] = 0;
    }
  }
  return { dataType: constant.dataType, shape, values };
}

/** A constant with its axes in another order: `order[i]` is the axis that becomes axis i. */
export function transposeConstant(constant: Constant, order: readonly number[]): Constant {
  const strides = stridesOf(constant.shape);
  return view(
    constant,
    order.map((axis) => constant.shape[axis]),
    order.map((axis) => strides[axis]),
  );
}

/**
 * A constant repeated along axes of size 1 and before its first axis, to `shape`.
 *
 * @throws {DaflError} `MODEL` if it does not broadcast to that; callers that can name their node refuse it before.
 */
export function broadcastConstant(constant: Constant, shape: readonly number[]): Constant {
  if (!broadcastsTo(constant.shape, shape)) {
    fail({
      code: 'MODEL',
      cannot: 'read a constant of an ONNX model',
      as: `its shape must broadcast to [${shape.join(', ')}]`,
      value: `[${constant.shape.join(', ')}]`,
    });
  }
  const missing = shape.length - constant.shape.length;
  const strides = stridesOf(constant.shape);
  return view(
    constant,
    shape,
    shape.map((_, axis) => (axis < missing || constant.shape[axis - missing] === 1 ? 0 : strides[axis - missing])),
  );
}

/** Whether a tensor of one shape can be repeated to make one of another. */
export function broadcastsTo(shape: readonly number[], other: readonly number[]): boolean {
  const missing = other.length - shape.length;
  return missing >= 0 && shape.every((size, axis) => size === 1 || size === other[missing + axis]);
}

/** The shape that shapes broadcast to, or undefined. */
export function broadcastShape(shapes: readonly (readonly number[])[]): number[] | undefined {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result = Array<number>(rank).fill(1);
  for (const shape of shapes) {
    for (const [index, size] of shape.entries()) {
      const axis = rank - shape.length + index;
      if (size === 1 || size === result[axis]) continue;
      if (result[axis] !== 1) return undefined;
      result[axis] = size;
    }
  }
  return result;
}
