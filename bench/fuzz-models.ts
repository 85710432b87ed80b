/**
 * Mutates model files and reads them: `npm run bench:fuzz -- [COUNT] [SEED] [EXTENSION,...]`. Each must end in a model or in a DaflError, in a
 * second and in bounded memory. What does not is written to `fuzz-SEED-INDEX.onnx` (or with another extension) in the folder at hand.
 *
 * Mutations know the format: fields of ONNX's messages, numbers of JSON headers and configurations, entries of archives (their
 * checksums are put right, some are deflated), operations of pickles, fields of HDF5.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { createRandomStream, DaflError } from '@dafl/core';
import { importModel } from '@dafl/models';
import { crc32 } from '../packages/models/src/formats/_crc32.ts';
import { buildZip, type ZipSketch } from '../packages/models/src/formats/zip/_testing/build-zip.ts';
import { storeResult } from './_store-result.ts';

const [count = 100_000, seed = 1] = process.argv.slice(2, 4).map(Number);
/** Extensions alone that are mutated, with commas between them. */
const only = process.argv[4]?.split(',');
/** Longer than this is a hang. */
const MOST_MS = 1_000;
/** More than so many times the file, beyond what the runtime itself moves, is large. */
const MOST_TIMES = 4;
const RUNTIME_BYTES = 64 * 2 ** 20;

const fixtures = new URL('../test-fixtures/', import.meta.url);

/** A file that is mutated, and what lies beside it. */
interface Seed {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly folder: URL;
}

const extensions = /\.(onnx|safetensors|pt|pth|keras|h5|json)$/;
const folders = [
  './',
  'onnx/',
  'pytorch/',
  'pytorch/conventions/',
  'keras/',
  ...readdirSync(new URL('tfjs/', fixtures)).map((name) => `tfjs/${name}/`),
];
const seeds = folders
  .map((folder) => new URL(folder, fixtures))
  .flatMap((folder) => {
    const names = readNames(folder).filter((name) => extensions.test(name));
    // Records of what networks compute are no models.
    const models = names.filter((name) => !name.endsWith('.json') || name === 'model.json');
    return models.map((name): Seed => ({ name, bytes: readFileSync(new URL(name, folder)), folder }));
  })
  .filter(
    ({ name, bytes }) => bytes.length < 300_000 && (only?.includes(name.slice(name.lastIndexOf('.') + 1)) ?? true),
  );

function readNames(folder: URL): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // A file among the folders.
    return [];
  }
}

const random = createRandomStream(seed, 'fuzz');
const below = (bound: number): number => random.integers(1, bound)[0];

/** A field of a message, with where its tag begins, its content begins and it ends. */
interface Field {
  readonly start: number;
  readonly content: number;
  readonly end: number;
  readonly type: number;
}

function readVarint(bytes: Uint8Array, at: number): { value: number; end: number } {
  let value = 0;
  let scale = 1;
  for (let end = at; end < bytes.length && end < at + 10; end++, scale *= 128) {
    value += (bytes[end] & 0x7f) * scale;
    if (bytes[end] < 0x80) return { value, end: end + 1 };
  }
  return { value: Infinity, end: bytes.length };
}

function fieldsOf(bytes: Uint8Array, start: number, end: number): Field[] {
  const fields: Field[] = [];
  for (let at = start; at < end;) {
    const tag = readVarint(bytes, at);
    const type = tag.value & 7;
    const length = type === 2 ? readVarint(bytes, tag.end) : { value: type === 1 ? 8 : 4, end: tag.end };
    const field =
      type === 0
        ? { start: at, content: tag.end, end: readVarint(bytes, tag.end).end, type }
        : { start: at, content: length.end, end: length.end + length.value, type };
    if (!(field.end <= end) || ![0, 1, 2, 5].includes(type)) return [];
    fields.push(field);
    at = field.end;
  }
  return fields;
}

function writeVarint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    if (rest < 0x80n) return [...bytes, Number(rest)];
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
}

const telling = [
  0,
  1,
  2,
  3,
  7,
  16,
  255,
  256,
  65_535,
  65_536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 40,
  2 ** 53,
  -1,
  -2,
  -(2 ** 31),
];

/** Rewrites a message with one field changed, and the lengths of all messages around it put right. */
function mutateMessage(bytes: Uint8Array, start: number, end: number, depth: number): Uint8Array {
  const fields = fieldsOf(bytes, start, end);
  if (fields.length === 0) return mutateBytes(bytes.subarray(start, end));
  const chosen = fields[below(fields.length)];
  const tag = bytes.subarray(chosen.start, readVarint(bytes, chosen.start).end);
  const whole = bytes.subarray(chosen.start, chosen.end);
  const join = (...parts: (Uint8Array | readonly number[])[]): Uint8Array =>
    Uint8Array.from([
      ...bytes.subarray(start, chosen.start),
      ...parts.flatMap((part) => [...part]),
      ...bytes.subarray(chosen.end, end),
    ]);
  const action = below(10);
  if (action === 0) return join();
  if (action === 1) return join(whole, whole);
  if (action === 2) return join(fieldBytes(bytes, fields[below(fields.length)]), whole);
  if (chosen.type === 0) return join(tag, writeVarint(telling[below(telling.length)]));
  if (chosen.type !== 2)
    return join(
      tag,
      Array.from({ length: chosen.end - chosen.content }, () => [0, 0x7f, 0x80, 0xff][below(4)]),
    );
  const content = bytes.subarray(chosen.content, chosen.end);
  const changed =
    depth < 8 && (action > 3 || content.length > 64) && fieldsOf(bytes, chosen.content, chosen.end).length > 0
      ? mutateMessage(bytes, chosen.content, chosen.end, depth + 1)
      : mutateBytes(content);
  // A wrong length, seldom: the reader is done with the file there.
  const length = below(40) === 0 ? telling[below(telling.length)] : changed.length;
  return join(tag, writeVarint(length), changed);
}

const fieldBytes = (bytes: Uint8Array, field: Field): Uint8Array => bytes.subarray(field.start, field.end);

const operators = [
  'Reshape',
  'Slice',
  'Transpose',
  'Conv',
  'MaxPool',
  'Gemm',
  'Concat',
  'Expand',
  'Tile',
  'Pad',
  'Resize',
  'Einsum',
  'Split',
  'Gather',
  'Flatten',
  'Unsqueeze',
  'Squeeze',
  'Softmax',
  'MatMul',
  'ReduceMean',
  'Range',
  'ConstantOfShape',
  'LayerNormalization',
  'ConvTranspose',
  'DepthToSpace',
  'ScatterND',
];

function mutateBytes(content: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(content);
  const action = below(6);
  if (bytes.length === 0 || action === 0) return new TextEncoder().encode(operators[below(operators.length)]);
  if (action === 1) return bytes.subarray(0, below(bytes.length));
  if (action === 2) return Uint8Array.from([...bytes, ...bytes.subarray(0, 16)]);
  for (let change = below(4); change >= 0; change--)
    bytes[below(bytes.length)] = action === 3 ? below(256) : [0, 1, 0x7f, 0x80, 0xff][below(5)];
  return bytes;
}

/** The header of a safetensors file with a number or a few characters changed, and its length put right. */
function mutateSafetensors(bytes: Uint8Array): Uint8Array {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  let header = new TextDecoder().decode(bytes.subarray(8, 8 + length));
  const numbers = [...header.matchAll(/-?\d+(\.\d+)?/g)];
  const { index, 0: found } = numbers[below(numbers.length)];
  const change = [String(telling[below(telling.length)]), '1e999', 'null', '""', '[]', '{}', '0.5', ''][below(8)];
  header = header.slice(0, index) + change + header.slice(index + found.length);
  if (below(4) === 0) header = header.replace(/"kind"/, '"kin"');
  const text = new TextEncoder().encode(header);
  const made = new Uint8Array(8 + text.length + bytes.length - 8 - length);
  new DataView(made.buffer).setBigUint64(0, BigInt(text.length), true);
  made.set(text, 8);
  made.set(bytes.subarray(8 + length), 8 + text.length);
  return made;
}

/** A number, a word or a bracket of JSON with another in its place. */
function mutateJson(bytes: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(bytes);
  const tokens = [...text.matchAll(/-?\d+(\.\d+)?|"[^"]*"|true|false|null/g)];
  if (tokens.length === 0) return mutateBytes(bytes);
  const { index, 0: found } = tokens[below(tokens.length)];
  const other = tokens[below(tokens.length)][0];
  const changes = [String(telling[below(telling.length)]), '1e999', 'null', '""', '[]', '{}', other, '[[[[]]]]'];
  return new TextEncoder().encode(
    text.slice(0, index) + changes[below(changes.length)] + text.slice(index + found.length),
  );
}

/** Operations that pickles of tensors are made of. */
const pickleCodes = Array.from(
  '(.0125}])NKMJBXq)hrju}eas\x85\x86\x87\x88\x89\x8a\x8c\x8d\x93\x94\x81\x92tlR bQcG',
  (code) => code.charCodeAt(0),
);
const globals = [
  'torch._utils\n_rebuild_tensor_v2\n',
  'collections\nOrderedDict\n',
  'torch\nFloatStorage\n',
  'torch\nSize\n',
  'os\nsystem\n',
  '_codecs\nencode\n',
  'torch._tensor\n_rebuild_from_type_v2\n',
];

function mutatePickle(bytes: Uint8Array): Uint8Array {
  const made = Uint8Array.from(bytes);
  const at = below(made.length);
  const end = Math.min(made.length, at + 1 + below(40));
  switch (below(7)) {
    case 0:
      return Uint8Array.from([...made.subarray(0, at), pickleCodes[below(pickleCodes.length)], ...made.subarray(at)]);
    case 1:
      return Uint8Array.from([...made.subarray(0, at), ...made.subarray(end)]);
    case 2:
      return Uint8Array.from([...made.subarray(0, end), ...made.subarray(at)]);
    case 3: {
      // A number behind K, M or J.
      const places = [...made.keys()].filter(
        (place) => [0x4b, 0x4d, 0x4a].includes(made[place]) && place + 5 < made.length,
      );
      const place = places[below(Math.max(1, places.length))] ?? at;
      new DataView(made.buffer).setInt32(
        Math.min(place + 1, made.length - 4),
        Number(BigInt.asIntN(32, BigInt(telling[below(telling.length)]))),
        true,
      );
      return made;
    }
    case 4:
      return Uint8Array.from([
        ...made.subarray(0, at),
        0x63,
        ...new TextEncoder().encode(globals[below(globals.length)]),
        0x29,
        0x52,
        ...made.subarray(at),
      ]);
    default:
      made[at] = pickleCodes[below(pickleCodes.length)];
      return made;
  }
}

/** An entry of an archive changed, and the archive put together anew, without compression. */
function mutateArchive(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: { name: string; content: Uint8Array }[] = [];
  for (let at = 0; at + 46 <= bytes.length; at++) {
    if (view.getUint32(at, true) !== 0x02014b50) continue;
    const [method, stored, length, local] = [
      view.getUint16(at + 10, true),
      view.getUint32(at + 20, true),
      view.getUint16(at + 28, true),
      view.getUint32(at + 42, true),
    ];
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + length));
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const content = bytes.subarray(start, start + stored);
    entries.push({ name, content: method === 8 ? inflateRawSync(content) : content });
    at += 45 + length;
  }
  const chosen = below(entries.length);
  const { name, content } = entries[chosen];
  const change = (): { name: string; content: Uint8Array }[] => {
    const action = below(20);
    if (action === 0) return entries.filter((_, index) => index !== chosen);
    if (action === 1) return [...entries, entries[chosen]];
    if (action === 2)
      return entries.map((entry, index) => (index === chosen ? { ...entry, name: `../${name}` } : entry));
    const made = name.endsWith('.pkl')
      ? mutatePickle(content)
      : name.endsWith('.json')
        ? mutateJson(content)
        : name.endsWith('.h5')
          ? mutateFields(content)
          : mutateBytes(content);
    return entries.map((entry, index) => (index === chosen ? { ...entry, content: made } : entry));
  };
  return buildZip(change().map((entry) => (below(20) === 0 ? mutateEntry(entry) : entry)));
}

/** An entry that is deflated, or of which the archive does not say what is so. */
function mutateEntry(entry: ZipSketch): ZipSketch {
  const { content } = entry;
  const number = telling[below(telling.length)];
  const action = below(8);
  if (action < 4) {
    const deflated = {
      ...entry,
      content: Uint8Array.from(deflateRawSync(content)),
      method: 8,
      checksum: crc32(content),
    };
    return { ...deflated, unpackedSize: action === 0 ? number : content.length };
  }
  if (action === 4) return { ...entry, size: number, isWide: below(2) === 0 };
  if (action === 5) return { ...entry, offset: number, isWide: below(2) === 0 };
  return action === 6 ? { ...entry, localName: 'other' } : { ...entry, flags: 1 << below(16) };
}

/** Whole numbers of a binary file, at any place, with telling values. */
function mutateFields(bytes: Uint8Array): Uint8Array {
  const made = Uint8Array.from(bytes);
  const view = new DataView(made.buffer);
  for (let count = below(4); count >= 0; count--) {
    const width = [1, 2, 4, 8][below(4)];
    // Structure lies near the front.
    const at = below(below(2) === 0 ? Math.min(4096, made.length - 8) : made.length - 8);
    const value = BigInt(telling[below(telling.length)]);
    if (width === 8) view.setBigUint64(at, BigInt.asUintN(64, value), true);
    else if (width === 4) view.setUint32(at, Number(BigInt.asUintN(32, value)), true);
    else if (width === 2) view.setUint16(at, Number(BigInt.asUintN(16, value)), true);
    else made[at] = below(256);
  }
  return made;
}

function mutateOnce(name: string, made: Uint8Array<ArrayBuffer>): Uint8Array {
  if (below(20) === 0) {
    made[below(made.length)] ^= 1 << below(8);
    return made;
  }
  if (name.endsWith('.onnx')) return mutateMessage(made, 0, made.length, 0);
  if (name.endsWith('.safetensors')) return mutateSafetensors(made);
  if (name.endsWith('.json')) return mutateJson(made);
  if (made[0] === 0x50) return mutateArchive(made);
  return made[0] === 0x80 ? mutatePickle(made) : mutateFields(made);
}

function mutate(name: string, bytes: Uint8Array): Uint8Array {
  let made = Uint8Array.from(bytes);
  if (below(20) === 0) return made.subarray(0, below(made.length));
  for (let change = below(3); change >= 0; change--) made = Uint8Array.from(mutateOnce(name, made));
  return made;
}

/** What lies beside a model, at times cut off. */
function beside(folder: URL, name: string): Uint8Array {
  if (name !== basename(name)) throw new RangeError(`a path was asked for: ${name}`);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(new URL(encodeURIComponent(name), folder));
  } catch {
    throw new DaflError('MODEL', `Cannot read '${name}' as it must be beside the model: no such file`);
  }
  return below(8) === 0 ? bytes.subarray(0, below(bytes.length + 1)) : bytes;
}

const outcome = { models: 0, refused: 0, crashes: 0, hangs: 0, large: 0 };
let slowestMs = 0;
let largestBytes = 0;
for (let index = 0; index < count; index++) {
  const { name, bytes, folder } = seeds[below(seeds.length)];
  let made: Uint8Array;
  try {
    made = mutate(name, bytes);
  } catch {
    continue;
  }
  const before = process.memoryUsage();
  // The processor's time: cores are shared.
  const start = process.cpuUsage();
  let fault: 'crashes' | 'hangs' | 'large' | undefined;
  try {
    await importModel(made, name, { readSibling: async (sibling) => await Promise.resolve(beside(folder, sibling)) });
    outcome.models++;
  } catch (error) {
    if (error instanceof DaflError) outcome.refused++;
    else {
      fault = 'crashes';
      process.stderr.write(`${index} ${name}: ${error instanceof Error ? error.stack : String(error)}\n`);
    }
  }
  const { user, system } = process.cpuUsage(start);
  const milliseconds = (user + system) / 1000;
  const after = process.memoryUsage();
  const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  slowestMs = Math.max(slowestMs, milliseconds);
  largestBytes = Math.max(largestBytes, grown);
  if (fault === undefined && milliseconds > MOST_MS) fault = 'hangs';
  if (fault === undefined && grown > MOST_TIMES * made.length + RUNTIME_BYTES) fault = 'large';
  if (fault === undefined) continue;
  outcome[fault]++;
  process.stderr.write(
    `${index} ${name}: ${fault}, ${milliseconds.toFixed(0)} ms, ${(grown / 2 ** 20).toFixed(0)} MiB\n`,
  );
  writeFileSync(`fuzz-${seed}-${index}${name.slice(name.lastIndexOf('.'))}`, made);
}
const names =
  only === undefined
    ? { file: 'fuzz-models', flag: '' }
    : { file: `fuzz-${only.join('-')}`, flag: ` ${only.join(',')}` };
await storeResult(names.file, `npm run bench:fuzz -- ${count} ${seed}${names.flag}`, {
  files: count,
  formats: [...new Set(seeds.map(({ name }) => name.slice(name.lastIndexOf('.'))))].sort(),
  seed,
  ...outcome,
  slowestMs,
  largestBytes,
});
