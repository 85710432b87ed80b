import { showValue } from '@dafl/core';
import type { Reject } from '../_reject.ts';
import { decodeFloat32 } from '../float32.ts';
import type { Constant } from './constant.ts';
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
  const element = half === undefined ? elementTypes[dataType] : { bytes: 2 };
  if (element === undefined)
    return reject(`${place} must have a type of numbers that is read here`, `data type ${dataType}`);
  const size = shape.reduce((total, length) => total * length, 1);
  const isFloat = half !== undefined || dataType === 1;
  const raw = tensor.external === undefined ? tensor.raw : readExternal(tensor.external, siblings, place, reject);
  const found = raw === undefined ? tensor.values.length * element.bytes : raw.length;
  if (found !== size * element.bytes)
    return reject(`${place} must hold ${size} values, as its shape says`, `${found} bytes`);
  if (raw === undefined) {
    // The typed fields hold bit patterns of half-precision numbers.
    const values = half === undefined ? tensor.values : decodeFloat32(packHalves(tensor.values, half))!;
    return { shape, dataType, values: isFloat ? Float32Array.from(values) : Float64Array.from(values) };
  }
  if (half !== undefined) return { shape, dataType, values: decodeFloat32({ dataType: half, shape, bytes: raw })! };
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const values = isFloat ? new Float32Array(size) : new Float64Array(size);
  const { read, bytes } = element as ElementType;
  for (let index = 0; index < size; index++) values[index] = read(view, index * bytes);
  return { shape, dataType, values };
}

function packHalves(values: readonly number[], dataType: 'F16' | 'BF16') {
  const bytes = new Uint8Array(values.length * 2);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => view.setUint16(index * 2, value, true));
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

function readExternal(
  external: ReadonlyMap<string, string>,
  siblings: ReadonlyMap<string, Uint8Array>,
  place: string,
  reject: Reject,
): Uint8Array {
  const name = externalFile(external, place, reject);
  const bytes = siblings.get(name);
  if (bytes === undefined) return reject(`${place} must lie in ${showValue(name)} beside it`, 'no such file');
  const offset = Number(external.get('offset') ?? 0);
  const length = Number(external.get('length') ?? bytes.length - offset);
  if (
    !Number.isInteger(offset) ||
    !Number.isInteger(length) ||
    offset < 0 ||
    length < 0 ||
    offset + length > bytes.length
  )
    reject(
      `${place} must lie within the ${bytes.length} bytes of ${showValue(name)}`,
      `${length} bytes from ${offset}`,
    );
  return bytes.subarray(offset, offset + length);
}
