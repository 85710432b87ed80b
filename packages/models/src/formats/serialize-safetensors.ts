import { DaflError, showValue } from '@dafl/core';
import {
  countElements,
  LARGEST_HEADER_BYTES,
  METADATA_KEY,
  MOST_TENSORS,
  safetensorsElementBytes,
  type SafetensorsFile,
  type SafetensorsTensor,
} from './safetensors.ts';

/** Data starts at a multiple of it, so that readers can map float64 values in place. */
const ALIGNMENT = 8;

/**
 * Writes a safetensors file. The same content gives the same bytes, whatever the order of the maps: metadata by key;
 * tensors by element size, largest first (which aligns each), then by name; the header padded with spaces so that the
 * data starts at a multiple of 8.
 *
 * @throws {DaflError} `MODEL` if a tensor's bytes do not fit its type and shape, or the file would break a limit of
 * `parseSafetensors`.
 * @example
 * ```ts
 * const tensor = { dataType: 'F32', shape: [2], bytes: encodeFloat32(Float32Array.of(1, 2)) } as const;
 * const bytes = serializeSafetensors({ metadata: new Map(), tensors: new Map([['bias', tensor]]) });
 * ```
 */
export function serializeSafetensors(file: SafetensorsFile): Uint8Array<ArrayBuffer> {
  const reject = (rule: string, value: string): never => {
    throw new DaflError('MODEL', `Cannot write safetensors as ${rule}: current value is ${value}`);
  };
  if (file.tensors.size > MOST_TENSORS)
    reject(`there must be at most ${MOST_TENSORS} tensors`, String(file.tensors.size));
  const entries = [...file.tensors].map(([name, tensor]) => ({
    name,
    tensor,
    elementBytes: check(name, tensor, reject),
  }));
  entries.sort((a, b) => b.elementBytes - a.elementBytes || compare(a.name, b.name));

  // Written piece by piece: an object would sort keys that look like numbers first and swallow '__proto__'.
  const fields: string[] = [];
  if (file.metadata.size > 0) {
    const metadata = [...file.metadata].sort(([a], [b]) => compare(a, b));
    const pairs = metadata.map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`);
    fields.push(`"${METADATA_KEY}":{${pairs.join(',')}}`);
  }
  let dataBytes = 0;
  for (const { name, tensor } of entries) {
    const offsets = [dataBytes, (dataBytes += tensor.bytes.length)];
    const value = { dtype: tensor.dataType, shape: tensor.shape, data_offsets: offsets };
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(value)}`);
  }
  const header = new TextEncoder().encode(`{${fields.join(',')}}`);
  const headerBytes = Math.ceil(header.length / ALIGNMENT) * ALIGNMENT;
  if (headerBytes > LARGEST_HEADER_BYTES) {
    reject(`the header must have at most ${LARGEST_HEADER_BYTES} bytes`, String(headerBytes));
  }

  const bytes = new Uint8Array(8 + headerBytes + dataBytes);
  new DataView(bytes.buffer).setUint32(0, headerBytes, true);
  bytes.fill(0x20, 8, 8 + headerBytes);
  bytes.set(header, 8);
  let position = 8 + headerBytes;
  for (const { tensor } of entries) {
    bytes.set(tensor.bytes, position);
    position += tensor.bytes.length;
  }
  return bytes;
}

/** Returns the bytes of one element. */
function check(name: string, tensor: SafetensorsTensor, reject: (rule: string, value: string) => never): number {
  const elementBytes = safetensorsElementBytes.get(tensor.dataType);
  const elements = countElements(tensor.shape);
  if (name === METADATA_KEY) reject(`no tensor must be named '${METADATA_KEY}'`, showValue(name));
  if (elementBytes === undefined)
    return reject(`tensor ${showValue(name)} must have a known type`, showValue(tensor.dataType));
  if (elements === undefined || tensor.bytes.length !== elements * elementBytes) {
    return reject(
      `tensor ${showValue(name)} must have the bytes of ${tensor.dataType} ${showValue(tensor.shape)}`,
      String(tensor.bytes.length),
    );
  }
  return elementBytes;
}

/** By UTF-16 code units, as `<` has it: the same everywhere, unlike a locale's order. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
