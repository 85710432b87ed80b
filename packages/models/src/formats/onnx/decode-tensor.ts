import { showValue } from '@dafl/core';
import type { Reject } from '../_reject.ts';
import { decodeFloat32 } from '../float32.ts';
import { type Constant, unalignedConstant } from './constant.ts';
import type { OnnxTensor } from './parse-onnx.ts';

/** How values of a type lie in the bytes. */
interface ElementType {
  readonly bytes: number;
  readonly read: (view: DataView, offset: number) => number;
}

/** By number of `TensorProto.DataType`; float16 and bfloat16 stand apart. */
const elementTypes: Readonly<Record<number, ElementType>> = {
  1: { bytes: 4, read: (view, offset) => view.getFloat32(offset, true) },
  2: { bytes: 1, read: (view, offset) => view.getUint8(offset) },
  3: { bytes: 1, read: (view, offset) => view.getInt8(offset) },
  4: { bytes: 2, read: (view, offset) => view.getUint16(offset, true) },
  5: { bytes: 2, read: (view, offset) => view.getInt16(offset, true) },
  6: { bytes: 4, read: (view, offset) => view.getInt32(offset, true) },
  7: { bytes: 8, read: (view, offset) => Number(view.getBigInt64(offset, true)) },
  9: { bytes: 1, read: (view, offset) => view.getUint8(offset) },
  11: { bytes: 8, read: (view, offset) => view.getFloat64(offset, true) },
  12: { bytes: 4, read: (view, offset) => view.getUint32(offset, true) },
  13: { bytes: 8, read: (view, offset) => Number(view.getBigUint64(offset, true)) },
};
/** Types of four bits, two of which make a byte, the lower first. */
const quarterTypes: Readonly<Record<number, { readonly isSigned: boolean }>> = {
  21: { isSigned: false },
  22: { isSigned: true },
};
const halfTypes: Readonly<Record<number, 'F16' | 'BF16'>> = { 10: 'F16', 16: 'BF16' };

/**
 * The values of a tensor. Nothing is allocated before its content was found to be as long as its shape says.
 *
 * @param siblings Content of files beside the model, by plain name.
 */
export function decodeTensor(tensor: OnnxTensor, siblings: ReadonlyMap<string, Uint8Array>, reject: Reject): Constant {
  const { shape, dataType } = tensor;
  const place = `tensor ${showValue(tensor.name)}`;
  const half = halfTypes[dataType];
  const quarter = quarterTypes[dataType];
  const byteLength = byteLengthOf(tensor, reject);
  const element = elementTypes[dataType];
  const size = shape.reduce((total, length) => total * length, 1);
  const isFloat = half !== undefined || dataType === 1;
  const raw =
    tensor.external === undefined ? tensor.raw : readExternal(tensor.external, byteLength, siblings, place, reject);
  const perValue = quarter === undefined ? byteLength / Math.max(1, size) : 1;
  const found = raw?.length ?? tensor.values.length * perValue;
  if (found !== byteLength) return reject(`${place} must hold ${size} values, as its shape says`, `${found} bytes`);
  if (quarter !== undefined) {
    // The typed fields hold bytes of two values.
    const pairs = raw ?? Uint8Array.from(tensor.values);
    const values = Float64Array.from({ length: size }, (_, index) => {
      const bits = (pairs[index >> 1] >> (4 * (index & 1))) & 15;
      return quarter.isSigned && bits > 7 ? bits - 16 : bits;
    });
    return { shape, dataType, values };
  }
  if (raw === undefined) {
    if (half === undefined)
      return { shape, dataType, values: isFloat ? singles(tensor.values) : doubles(tensor.values) };
    // The typed fields hold bit patterns of half-precision numbers.
    return { shape, dataType, values: decodeFloat32(packHalves(tensor.values, half))! };
  }
  if (half !== undefined) return { shape, dataType, values: decodeFloat32({ dataType: half, shape, bytes: raw })! };
  if (isFloat && isLittleEndian) {
    // As it lies in the file, where that is possible: files are large.
    return raw.byteOffset % 4 === 0
      ? { shape, dataType, values: new Float32Array(raw.buffer, raw.byteOffset, size) }
      : unalignedConstant(raw, shape);
  }
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const values = isFloat ? new Float32Array(size) : new Float64Array(size);
  const { read, bytes } = element;
  for (let index = 0; index < size; index++) values[index] = read(view, index * bytes);
  return { shape, dataType, values };
}

const isLittleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

function singles(values: Float32Array | Float64Array): Float32Array {
  return values instanceof Float32Array ? values : Float32Array.from(values);
}

function doubles(values: Float32Array | Float64Array): Float64Array {
  return values instanceof Float64Array ? values : Float64Array.from(values);
}

function packHalves(values: ArrayLike<number>, dataType: 'F16' | 'BF16') {
  const bytes = new Uint8Array(values.length * 2);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < values.length; index++) view.setUint16(index * 2, values[index], true);
  return { dataType, shape: [values.length], bytes };
}

/** Name of the file that holds a tensor's content; it must be the name of a file in the model's folder. */
export function externalFile(external: ReadonlyMap<string, string>, place: string, reject: Reject): string {
  const name = external.get('location') ?? '';
  // Written by whoever made the file: it must not lead anywhere else.
  if (!/^[^/\\:\0]+$/.test(name) || name === '.' || name === '..')
    return reject(`${place} must lie in a file beside the model, called by its plain name`, showValue(name));
  return name;
}

/** Where a tensor's content lies in another file; a length that is not given is what its shape needs. */
export function externalRange(
  external: ReadonlyMap<string, string>,
  byteLength: number,
  place: string,
  reject: Reject,
): { offset: number; length: number } {
  const numberAt = (key: string, otherwise: number): number => {
    const text = external.get(key);
    if (text === undefined) return otherwise;
    return /^\d{1,15}$/.test(text) ? Number(text) : reject(`${place} must have a whole ${key}`, showValue(text));
  };
  const range = { offset: numberAt('offset', 0), length: numberAt('length', byteLength) };
  if (range.length !== byteLength)
    reject(`${place} must hold ${byteLength} bytes, as its shape says`, `${range.length} bytes`);
  return range;
}

function readExternal(
  external: ReadonlyMap<string, string>,
  byteLength: number,
  siblings: ReadonlyMap<string, Uint8Array>,
  place: string,
  reject: Reject,
): Uint8Array {
  const name = externalFile(external, place, reject);
  const { offset, length } = externalRange(external, byteLength, place, reject);
  const bytes = siblings.get(name);
  if (bytes === undefined) return reject(`${place} must lie in ${showValue(name)} beside it`, 'no such file');
  if (offset + length > bytes.length)
    reject(
      `${place} must lie within the ${bytes.length} bytes of ${showValue(name)}`,
      `${length} bytes from ${offset}`,
    );
  return bytes.subarray(offset, offset + length);
}

/** Files beside a model and how many bytes each must have at least, by what the tensors in them say. */
export function externalFiles(tensors: readonly OnnxTensor[], reject: Reject): Map<string, number> {
  const files = new Map<string, number>();
  for (const tensor of tensors) {
    if (tensor.external === undefined) continue;
    const place = `tensor ${showValue(tensor.name)}`;
    const name = externalFile(tensor.external, place, reject);
    const { offset, length } = externalRange(tensor.external, byteLengthOf(tensor, reject), place, reject);
    files.set(name, Math.max(files.get(name) ?? 0, offset + length));
  }
  return files;
}

function byteLengthOf({ name, shape, dataType }: OnnxTensor, reject: Reject): number {
  if (dataType in quarterTypes) return Math.ceil(shape.reduce((total, length) => total * length, 1) / 2);
  const bytes = dataType in halfTypes ? 2 : elementTypes[dataType]?.bytes;
  if (bytes === undefined)
    return reject(`tensor ${showValue(name)} must have a type of numbers that is read here`, `data type ${dataType}`);
  return shape.reduce((total, length) => total * length, bytes);
}
