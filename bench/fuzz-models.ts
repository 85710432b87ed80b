/**
 * Mutates model files and reads them: `npm run bench:fuzz -- [COUNT] [SEED]`. Each must end in a model or in a DaflError, in a
 * second and in bounded memory. What does not is written to `fuzz-SEED-INDEX.onnx` (or `.safetensors`) in the folder at hand.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRandomStream, DaflError } from '@dafl/core';
import { importModel } from '@dafl/models';
import { storeResult } from './_store-result.ts';

const [count = 100_000, seed = 1] = process.argv.slice(2).map(Number);
/** Longer than this is a hang. */
const MOST_MS = 1_000;
/** Beyond what the runtime itself moves. */
const MOST_BYTES = 256 * 2 ** 20;

const fixtures = new URL('../test-fixtures/', import.meta.url);
const seeds = [
  ...readdirSync(new URL('onnx/', fixtures))
    .filter((name) => name.endsWith('.onnx'))
    .map((name) => ({ name, bytes: readFileSync(new URL(`onnx/${name}`, fixtures)) })),
  ...readdirSync(fixtures)
    .filter((name) => name.endsWith('.safetensors'))
    .map((name) => ({ name, bytes: readFileSync(new URL(name, fixtures)) })),
].filter(({ bytes }) => bytes.length < 300_000);

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

function mutate(name: string, bytes: Uint8Array): Uint8Array {
  let made = Uint8Array.from(bytes);
  if (below(20) === 0) return made.subarray(0, below(made.length));
  for (let change = below(3); change >= 0; change--) {
    if (below(20) === 0) made[below(made.length)] ^= 1 << below(8);
    else if (name.endsWith('.onnx')) made = Uint8Array.from(mutateMessage(made, 0, made.length, 0));
    else made = Uint8Array.from(mutateSafetensors(made));
  }
  return made;
}

const outcome = { models: 0, refused: 0, crashes: 0, hangs: 0, large: 0 };
let slowestMs = 0;
let largestBytes = 0;
for (let index = 0; index < count; index++) {
  const { name, bytes } = seeds[below(seeds.length)];
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
    await importModel(made, name);
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
  if (fault === undefined && grown > MOST_BYTES) fault = 'large';
  if (fault === undefined) continue;
  outcome[fault]++;
  process.stderr.write(
    `${index} ${name}: ${fault}, ${milliseconds.toFixed(0)} ms, ${(grown / 2 ** 20).toFixed(0)} MiB\n`,
  );
  writeFileSync(`fuzz-${seed}-${index}${name.slice(name.lastIndexOf('.'))}`, made);
}
await storeResult('fuzz-models', `npm run bench:fuzz -- ${count} ${seed}`, {
  files: count,
  seed,
  ...outcome,
  slowestMs,
  largestBytes,
});
