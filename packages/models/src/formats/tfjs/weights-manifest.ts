import { showValue } from '@dafl/core';
import type { JsonObject, JsonValue } from '../_parse-json.ts';
import { recognizeFormat } from '../_recognize-format.ts';
import type { Reject } from '../_reject.ts';
import { decodeFloat32 } from '../float32.ts';

/** How a weight's numbers were made smaller: value = stored x scale + least. */
interface Quantization {
  readonly scale: number;
  readonly least: number;
}

/** A weight as the manifest lists it. */
interface ListedWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dataType: string;
  /** Of what is stored. */
  readonly storedType: string;
  readonly quantization: Quantization;
  readonly byteLength: number;
}

/** Files that hold weights one after another. */
interface WeightGroup {
  readonly files: readonly string[];
  readonly weights: readonly ListedWeight[];
  readonly byteLength: number;
}

/** A weight's values. */
export interface TfjsWeight {
  readonly shape: readonly number[];
  /** As TensorFlow.js calls it: `float32`, `int32`, `bool`. */
  readonly dataType: string;
  readonly values: Float32Array;
}

const elementBytes: ReadonlyMap<string, number> = new Map([
  ['float32', 4],
  ['int32', 4],
  ['float16', 2],
  ['uint16', 2],
  ['uint8', 1],
  ['bool', 1],
]);
const MOST_WEIGHTS = 20_000;
const MOST_FILES = 10_000;
const HIGHEST_RANK = 6;

/** The weights of a model.json: which files hold them, and how. */
export class WeightsManifest {
  readonly #groups: readonly WeightGroup[];
  readonly #reject: Reject;

  constructor(manifest: JsonValue | undefined, reject: Reject) {
    this.#reject = reject;
    const groups = asList(manifest, "its 'weightsManifest'", reject);
    const names = new Set<string>();
    const files = new Set<string>();
    this.#groups = groups.map((entry): WeightGroup => {
      const group = asObject(entry, "a group of its 'weightsManifest'", reject);
      const weights = asList(group.get('weights'), "a group's 'weights'", reject).map((weight) =>
        readWeight(weight, reject),
      );
      for (const { name } of weights) {
        if (names.has(name)) reject('each weight must be listed once', `${showValue(name)} twice`);
        if (names.add(name).size > MOST_WEIGHTS) reject(`it must list at most ${MOST_WEIGHTS} weights`, 'more');
      }
      const paths = asList(group.get('paths'), "a group's 'paths'", reject).map((path) => readPath(path, reject));
      for (const path of paths) {
        if (files.has(path)) reject('each file of weights must be listed once', `${showValue(path)} twice`);
        if (files.add(path).size > MOST_FILES) reject(`it must list at most ${MOST_FILES} files of weights`, 'more');
      }
      return { files: paths, weights, byteLength: weights.reduce((total, { byteLength }) => total + byteLength, 0) };
    });
  }

  /** How many bytes each file must have at least, by name. Where several share weights, only their sum is known. */
  get files(): ReadonlyMap<string, number> {
    return new Map(
      this.#groups.flatMap(({ files, byteLength }) =>
        files.map((file) => [file, files.length === 1 ? byteLength : 0] as const),
      ),
    );
  }

  /** Decodes all weights. Nothing is allocated before the files were found to be as long as the weights say. */
  decode(contents: ReadonlyMap<string, Uint8Array>): Map<string, TfjsWeight> {
    const decoded = new Map<string, TfjsWeight>();
    for (const group of this.#groups) {
      const bytes = this.#join(group, contents);
      let position = 0;
      for (const weight of group.weights) {
        decoded.set(weight.name, decodeWeight(weight, bytes.subarray(position, position + weight.byteLength)));
        position += weight.byteLength;
      }
    }
    return decoded;
  }

  #join({ files, byteLength }: WeightGroup, contents: ReadonlyMap<string, Uint8Array>): Uint8Array {
    const parts = files.map((file) => {
      const content = contents.get(file);
      if (content === undefined)
        return this.#reject(`its weights must lie in ${showValue(file)} beside it`, 'no such file');
      // A page that says "not found" has any length.
      const text = content.length === byteLength ? undefined : recognizeFormat(content, file);
      if (text === 'an HTML page' || text?.startsWith('a Git LFS pointer') === true)
        this.#reject(`its file ${showValue(file)} must hold weights`, text);
      return content;
    });
    const found = parts.reduce((total, { length }) => total + length, 0);
    if (found !== byteLength) {
      const shown = files
        .map((file, index) => `${file}: ${parts[index].length}`)
        .slice(0, 20)
        .join(', ');
      this.#reject(`its files of weights must hold ${byteLength} bytes together`, `${found} (${shown})`);
    }
    if (parts.length === 1) return parts[0];
    const whole = new Uint8Array(byteLength);
    let position = 0;
    for (const part of parts) {
      whole.set(part, position);
      position += part.length;
    }
    return whole;
  }
}

function readWeight(value: JsonValue, reject: Reject): ListedWeight {
  const fields = asObject(value, 'a weight of its manifest', reject);
  const name = fields.get('name');
  if (typeof name !== 'string' || name === '') return reject('each weight must have a name', showValue(name));
  const place = `weight ${showValue(name)}`;
  const shape = asList(fields.get('shape'), `the shape of ${place}`, reject);
  const isShape = shape.every((size): size is number => Number.isSafeInteger(size) && (size as number) >= 0);
  if (!isShape || shape.length > HIGHEST_RANK)
    return reject(`${place} must have at most ${HIGHEST_RANK} sizes >= 0`, showValue(shape));
  const dataType = fields.get('dtype');
  if (typeof dataType !== 'string' || !['float32', 'int32', 'bool', 'float16'].includes(dataType))
    return reject(`${place} must have a type of [float32, int32, bool, float16]`, showValue(dataType));
  const given = fields.get('quantization');
  const quantization =
    given === undefined || given === null ? undefined : asObject(given, `the quantization of ${place}`, reject);
  const storedType = quantization?.get('dtype') ?? dataType;
  const bytes = typeof storedType === 'string' ? elementBytes.get(storedType) : undefined;
  if (typeof storedType !== 'string' || bytes === undefined)
    return reject(`${place} must be stored as one of [${[...elementBytes.keys()].join(', ')}]`, showValue(storedType));
  const numberOf = (key: string, otherwise: number): number => {
    const number = quantization?.get(key) ?? otherwise;
    return typeof number === 'number' && Number.isFinite(number)
      ? number
      : reject(`the ${key} of ${place} must be a number`, showValue(number));
  };
  const byteLength = shape.reduce((total, size) => total * size, bytes);
  if (!Number.isSafeInteger(byteLength)) reject(`${place} must have fewer than 2^53 bytes`, showValue(shape));
  const isScaled = quantization !== undefined && storedType.startsWith('uint');
  return {
    name,
    shape,
    dataType,
    storedType,
    quantization: isScaled ? { scale: numberOf('scale', 1), least: numberOf('min', 0) } : { scale: 1, least: 0 },
    byteLength,
  };
}

/** The plain name of a file: written by whoever made the model, it must not lead anywhere else. */
function readPath(path: JsonValue, reject: Reject): string {
  if (typeof path === 'string' && /^[^/\\:\0]+$/.test(path) && path !== '.' && path !== '..') return path;
  return reject('its weights must lie in files beside it, called by their plain names', showValue(path));
}

function decodeWeight(
  { shape, dataType, storedType, quantization, byteLength }: ListedWeight,
  bytes: Uint8Array,
): TfjsWeight {
  const { scale, least } = quantization;
  const view = new DataView(bytes.buffer, bytes.byteOffset, byteLength);
  if (storedType === 'float32' || storedType === 'float16') {
    const values = decodeFloat32({ dataType: storedType === 'float32' ? 'F32' : 'F16', shape, bytes })!;
    return { shape, dataType: 'float32', values };
  }
  const size = byteLength / elementBytes.get(storedType)!;
  const read = {
    int32: (index: number) => view.getInt32(index * 4, true),
    uint16: (index: number) => view.getUint16(index * 2, true),
    uint8: (index: number) => view.getUint8(index),
    bool: (index: number) => view.getUint8(index),
  }[storedType as 'int32' | 'uint16' | 'uint8' | 'bool'];
  const isWhole = dataType === 'int32';
  const values = Float32Array.from({ length: size }, (_, index) => {
    const value = read(index) * scale + least;
    return isWhole ? Math.round(value) : value;
  });
  return { shape, dataType, values };
}

function asObject(value: JsonValue | undefined, what: string, reject: Reject): JsonObject {
  return value instanceof Map ? (value as JsonObject) : reject(`${what} must be an object`, showValue(value));
}

function asList(value: JsonValue | undefined, what: string, reject: Reject): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : reject(`${what} must be a list`, showValue(value));
}
