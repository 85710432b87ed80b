import type { HostTensor } from '@dafl/core';
import { decodeFloat32 } from '../float32.ts';
import type { Hdf5Dataset } from './hdf5-file.ts';

/** An array as float32; undefined where it does not hold numbers. */
export function decodeDataset({ shape, type, bytes }: Hdf5Dataset): HostTensor | undefined {
  const size = shape.reduce((total, length) => total * length, 1);
  if (type.class === 'text' || type.class === 'heap text' || type.class === 'other') return undefined;
  const { isBigEndian } = type;
  if (type.class === 'float' && type.bytes <= 4 && !isBigEndian) {
    const dataType = type.bytes === 4 ? 'F32' : type.isBrain ? 'BF16' : 'F16';
    return { shape, data: decodeFloat32({ dataType, shape, bytes })! };
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = (at: number): number => {
    if (type.class === 'float') {
      if (type.bytes === 8) return view.getFloat64(at, !isBigEndian);
      return type.bytes === 4 ? view.getFloat32(at, !isBigEndian) : Number.NaN;
    }
    const { isSigned } = type;
    if (type.bytes === 8)
      return Number(isSigned ? view.getBigInt64(at, !isBigEndian) : view.getBigUint64(at, !isBigEndian));
    if (type.bytes === 4) return isSigned ? view.getInt32(at, !isBigEndian) : view.getUint32(at, !isBigEndian);
    if (type.bytes === 2) return isSigned ? view.getInt16(at, !isBigEndian) : view.getUint16(at, !isBigEndian);
    return isSigned ? view.getInt8(at) : view.getUint8(at);
  };
  if (type.class === 'float' && type.bytes === 2) return undefined;
  return { shape, data: Float32Array.from({ length: size }, (_, index) => read(index * type.bytes)) };
}
