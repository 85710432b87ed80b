import { showValue } from '@dafl/core';
import { type JsonValue, parseJson } from './_parse-json.ts';
import { createReject, type Reject } from './_reject.ts';
import {
  countElements,
  LARGEST_HEADER_BYTES,
  METADATA_KEY,
  MOST_TENSORS,
  safetensorsElementBytes,
  type SafetensorsDataType,
  type SafetensorsFile,
  type SafetensorsTensor,
} from './safetensors.ts';

/** A tensor as the header announces it. */
interface Entry {
  readonly name: string;
  readonly dataType: SafetensorsDataType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads a safetensors file: 8 bytes with the header's length, a JSON header, the tensors' bytes.
 *
 * Stricter than the format's own rules where those leave two readers room to differ: a header of at most 8 MiB that
 * holds no key twice, at most 10,000 tensors, no unknown fields or types, and tensors that fill the file without
 * overlaps, holes or bytes left over. Nothing is allocated by what the header claims.
 *
 * Source: https://huggingface.co/docs/safetensors (format).
 *
 * @param bytes The whole file. The tensors are views into it, not copies.
 * @param name How errors call it.
 * @throws {DaflError} `MODEL` if it breaks a rule.
 * @example
 * ```ts
 * const { tensors } = parseSafetensors(bytes, 'teacher.safetensors');
 * tensors.get('conv1.bias')?.shape; // [6]
 * ```
 */
export function parseSafetensors(bytes: Uint8Array, name = 'file'): SafetensorsFile {
  const reject: Reject = createReject(name, 'safetensors');
  if (bytes.length < 10) reject('it must hold at least 10 bytes', String(bytes.length));
  const headerBytes = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true);
  if (headerBytes > LARGEST_HEADER_BYTES) {
    reject(`its header must have at most ${LARGEST_HEADER_BYTES} bytes`, String(headerBytes));
  }
  const dataStart = 8 + Number(headerBytes);
  if (headerBytes < 2) reject('its header must have at least 2 bytes', String(headerBytes));
  if (dataStart > bytes.length) {
    reject(`it must hold the ${dataStart} bytes that its header needs`, `${bytes.length} (cut off there)`);
  }
  const header = bytes.subarray(8, dataStart);
  if (header[0] !== 0x7b) reject("its header must start with '{'", `byte ${header[0]}`);

  const fields = parseJson(decodeText(header, reject), 'its header', reject);
  if (!(fields instanceof Map)) return reject('its header must be a JSON object', showValue(fields));
  const metadata = parseMetadata(fields.get(METADATA_KEY), reject);
  const entries = [...fields]
    .filter(([key]) => key !== METADATA_KEY)
    .map(([key, value]) => parseEntry(key, value, reject));
  if (entries.length > MOST_TENSORS) reject(`it must hold at most ${MOST_TENSORS} tensors`, String(entries.length));
  checkLayout(entries, bytes.length, dataStart, reject);

  const data = bytes.subarray(dataStart);
  const tensors = new Map<string, SafetensorsTensor>();
  for (const { name: key, dataType, shape, begin, end } of entries) {
    tensors.set(key, { dataType, shape, bytes: data.subarray(begin, end) });
  }
  return { metadata, tensors };
}

function decodeText(header: Uint8Array, reject: Reject): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return reject('its header must be UTF-8', 'other bytes');
  }
}

function parseMetadata(value: JsonValue | undefined, reject: Reject): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  if (value === undefined) return metadata;
  if (!(value instanceof Map)) return reject(`'${METADATA_KEY}' must be an object`, showValue(value));
  for (const [key, text] of value as ReadonlyMap<string, JsonValue>) {
    if (typeof text !== 'string') reject(`metadata ${showValue(key)} must be a string`, showValue(text));
    else metadata.set(key, text);
  }
  return metadata;
}

function parseEntry(name: string, value: JsonValue, reject: Reject): Entry {
  const tensor = `tensor ${showValue(name)}`;
  const expected = ['dtype', 'shape', 'data_offsets'];
  if (!(value instanceof Map)) return reject(`${tensor} must be an object`, showValue(value));
  const fields: ReadonlyMap<string, JsonValue> = value;
  if (fields.size !== expected.length || expected.some((field) => !fields.has(field))) {
    reject(`${tensor} must have the fields [${expected.join(', ')}]`, showKeys(fields));
  }
  const [dataType, shape, offsets] = expected.map((field) => fields.get(field));

  const elementBytes = typeof dataType === 'string' ? safetensorsElementBytes.get(dataType) : undefined;
  if (elementBytes === undefined) {
    return reject(
      `${tensor} must have a type of [${[...safetensorsElementBytes.keys()].join(', ')}]`,
      showValue(dataType),
    );
  }
  const elements = Array.isArray(shape) ? countElements(shape) : undefined;
  if (elements === undefined || !Number.isSafeInteger(elements * elementBytes)) {
    return reject(`${tensor} must have a shape of integers >= 0 whose product is below 2^53`, showValue(shape));
  }
  if (
    !Array.isArray(offsets) ||
    offsets.length !== 2 ||
    offsets.some((offset) => countElements([offset]) === undefined)
  ) {
    return reject(`${tensor} must have two offsets, integers >= 0`, showValue(offsets));
  }
  const [begin, end] = offsets as number[];
  if (begin > end) reject(`${tensor} must begin before it ends`, showValue(offsets));
  if (end - begin !== elements * elementBytes) {
    reject(`${tensor} must have the ${elements * elementBytes} bytes of its type and shape`, String(end - begin));
  }
  return { name, dataType: dataType as SafetensorsDataType, shape: shape as readonly number[], begin, end };
}

function showKeys(fields: ReadonlyMap<string, JsonValue>): string {
  return showValue([...fields.keys()]);
}

/** Tensors must fill the data exactly. */
function checkLayout(entries: readonly Entry[], fileBytes: number, dataStart: number, reject: Reject): void {
  const ordered = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  const needed = dataStart + ordered.reduce((last, { end }) => Math.max(last, end), 0);
  if (needed !== fileBytes) {
    const cut = fileBytes < needed ? ' (cut off there)' : '';
    reject(`it must hold the ${needed} bytes that its header names`, `${fileBytes}${cut}`);
  }
  let filled = 0;
  for (const { name, begin, end } of ordered) {
    if (begin !== filled) {
      const rule = begin < filled ? 'must not overlap another' : 'must follow the one before it without a hole';
      reject(`tensor ${showValue(name)} ${rule}`, `[${begin}, ${end}] after byte ${filled}`);
    }
    filled = end;
  }
}
