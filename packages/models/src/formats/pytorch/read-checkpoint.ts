import { showValue } from '@dafl/core';
import { createReject, type Reject } from '../_reject.ts';
import { countElements, safetensorsElementBytes, type SafetensorsDataType } from '../safetensors.ts';
import { readZip } from '../zip/read-zip.ts';
import { type ParameterTensor, type StateDict } from './state-dict.ts';
import { PickleGlobal, type PickleTuple, PickleUnknown, type PickleValue, unpickle } from './unpickle.ts';

/** What holds the values of tensors: `bytes` is found once the file is read to there. */
interface Storage {
  readonly key: string;
  readonly dataType: SafetensorsDataType;
  readonly elements: number;
}

/** A view of a storage. */
class StoredTensor {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(storage: Storage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

const storageTypes: ReadonlyMap<string, SafetensorsDataType> = new Map([
  ['torch.FloatStorage', 'F32'],
  ['torch.DoubleStorage', 'F64'],
  ['torch.HalfStorage', 'F16'],
  ['torch.BFloat16Storage', 'BF16'],
  ['torch.LongStorage', 'I64'],
  ['torch.IntStorage', 'I32'],
  ['torch.ShortStorage', 'I16'],
  ['torch.CharStorage', 'I8'],
  ['torch.ByteStorage', 'U8'],
  ['torch.BoolStorage', 'BOOL'],
]);

/** Names that mean nothing here and may stand in a checkpoint: types and places of tensors. */
const inert =
  /^torch\.(float(16|32|64)?|half|double|bfloat16|u?int(8|16|32|64)|long|bool|Tensor|device|strided|contiguous_format)$|^(builtins|__builtin__)\.(bool|dict|float|int|list|set|str|tuple)$/;

/** What training programs keep beside weights: settings, numbers and places. None of it is made; all that it is given is left out. */
const leftOut =
  /^(argparse\.Namespace|types\.SimpleNamespace|datetime\.\w+|pathlib\.(_local\.)?\w*Path|numpy\.(dtype|ndarray|float64|dtypes\.\w+)|numpy\.(_core|core)\.multiarray\.(scalar|_reconstruct)|(pytorch_lightning|lightning(\.pytorch|_fabric|\.fabric)?)(\.\w+)*\.AttributeDict)$/;

const parameterTypes: readonly string[] = ['torch.nn.parameter.Parameter', 'torch.nn.parameter.Buffer'];

/** The first pickle of a file of before torch 1.6. */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const LEGACY_PROTOCOL = 1001;
const MOST_TENSORS = 100_000;
/** What checkpoints keep weights under; in this order where there are several. */
const weightKeys = ['state_dict', 'model_state_dict', 'model', 'net', 'network', 'weights', 'module', 'params'];
const DEEPEST = 4;

/** How to bring a model that is stored as Python objects, in three lines. */
const exportAdvice =
  "it holds a whole module, which only Python can run. Export it there:\n  model = torch.load('FILE', weights_only=False).eval()\n  torch.onnx.export(model, torch.zeros(1, 3, HEIGHT, WIDTH), 'model.onnx', input_names=['input'])\n  # then read model.onnx\nor store its weights alone: torch.save(model.state_dict(), 'weights.pt')";

/**
 * Reads the weights that `torch.save` wrote, as an archive or in the form of before torch 1.6. The pickle in it is never
 * run: see `unpickle`.
 *
 * @throws {DaflError} `MODEL` if it is damaged, or holds more than tensors, dicts, lists, numbers and strings: the unknown names are listed.
 */
export function readCheckpoint(bytes: Uint8Array, name: string): StateDict {
  const reject = createReject(name, 'a PyTorch checkpoint');
  const { value, unknown, contentOf } = bytes[0] === 0x80 ? readLegacy(bytes, reject) : readArchive(bytes, reject);
  if (unknown.size > 0) {
    const names = [...unknown];
    if (
      value instanceof PickleUnknown ||
      names.some((path) => /^(torch|torchvision|timm)\.(nn|models|ops|layers)\./.test(path))
    )
      reject(exportAdvice.replace('FILE', name.replace(/^.*[/\\]/, '').replaceAll("'", '')), showValue(names));
    reject(
      "it must hold only tensors, dicts, lists, numbers and strings (store the weights alone: torch.save(model.state_dict(), 'weights.pt'))",
      showValue(names, 1000),
    );
  }
  const notes: string[] = [];
  const found = findTensors(value, notes, reject);
  const tensors = new Map<string, ParameterTensor>();
  let elements = 0;
  for (const [key, tensor] of found) {
    elements += countElements(tensor.shape)!;
    // Tensors may share what they hold, but not so much that a small file asks for a large memory.
    if (!(elements <= bytes.length)) reject('its tensors must have at most as many elements as it has bytes', `more`);
    tensors.set(key, {
      dataType: tensor.storage.dataType,
      shape: tensor.shape,
      bytes: () => gather(tensor, contentOf(tensor.storage)),
    });
  }
  return { tensors, notes, metadata: new Map(), isOrdered: true };
}

/** An archive of TorchScript holds its code, one of torch.export its graph. */
function refuseProgram(path: string, reject: Reject): void {
  if (/^[^/]+\/models\/[^/]+\.json$/.test(path)) {
    reject(
      "it holds a program of torch.export, which only torch can run. Export it there:\n  model = torch.export.load('FILE').module()\n  torch.onnx.export(model, (torch.zeros(1, 3, HEIGHT, WIDTH),), 'model.onnx', input_names=['input'])\n  # then read model.onnx",
      showValue(path),
    );
  }
  if (!/^[^/]+\/(code\/|constants\.pkl$)/.test(path)) return;
  reject(
    "it holds a TorchScript program, which only torch can run. Export the module that it was made of:\n  model = ...  # the Python module, .eval()\n  torch.onnx.export(model, torch.zeros(1, 3, HEIGHT, WIDTH), 'model.onnx', input_names=['input'])\n  # then read model.onnx\nor store its weights alone: torch.save(torch.jit.load('FILE').state_dict(), 'weights.pt')",
    showValue(path),
  );
}

interface Stored {
  readonly value: PickleValue;
  readonly unknown: ReadonlySet<string>;
  readonly contentOf: (storage: Storage) => Uint8Array;
}

function readArchive(bytes: Uint8Array, reject: Reject): Stored {
  const entries = readZip(bytes, reject, { look: (path) => refuseProgram(path, reject) });
  const folder = [...entries.keys()]
    .map((path) => /^(.*\/)data\.pkl$/.exec(path)?.[1])
    .find((path) => path !== undefined);
  if (folder === undefined)
    return reject('it must hold a data.pkl, as torch.save writes it', showValue([...entries.keys()]));
  const order = entries.get(`${folder}byteorder`)?.view();
  if (order !== undefined && new TextDecoder().decode(order) !== 'little')
    reject('its bytes must be little-endian', showValue(new TextDecoder().decode(order.subarray(0, 16))));
  const pickle = entries.get(`${folder}data.pkl`)!.view();
  const { value, unknown } = unpickle(pickle, 0, createOptions(reject), reject);
  return {
    value,
    unknown,
    contentOf: ({ key, dataType, elements }) => {
      const entry = entries.get(`${folder}data/${key}`);
      const expected = elements * safetensorsElementBytes.get(dataType)!;
      if (entry?.sizeBytes !== expected)
        return reject(
          `its data/${showValue(key).slice(1, -1)} must have ${expected} bytes`,
          String(entry?.sizeBytes ?? 'none'),
        );
      return entry.view();
    },
  };
}

/** Pickles one after another: a magic number, a version, the machine, the object, the keys of its storages; then these. */
function readLegacy(bytes: Uint8Array, reject: Reject): Stored {
  const options = createOptions(reject);
  const magic = unpickle(bytes, 0, options, reject);
  if (magic.value !== LEGACY_MAGIC) {
    reject(
      'it must be written by torch.save (this is another pickle)',
      magic.unknown.size > 0 ? showValue([...magic.unknown]) : 'no magic number',
    );
  }
  const version = unpickle(bytes, magic.end, options, reject);
  if (version.value !== LEGACY_PROTOCOL) reject(`its version must be ${LEGACY_PROTOCOL}`, 'another');
  const machine = unpickle(bytes, version.end, options, reject);
  if (machine.value instanceof Map && machine.value.get('little_endian') === false)
    reject('its bytes must be little-endian', 'big-endian');
  const object = unpickle(bytes, machine.end, options, reject);
  if (object.unknown.size > 0) return { ...object, contentOf: () => new Uint8Array() };
  const keys = unpickle(bytes, object.end, options, reject);
  if (!Array.isArray(keys.value)) return reject('it must list its storages', 'no list');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const widths = new Map(options.storages.map(({ key, dataType }) => [key, safetensorsElementBytes.get(dataType)!]));
  const contents = new Map<string, Uint8Array>();
  let position = keys.end;
  for (const key of keys.value) {
    const width = widths.get(String(key));
    if (width === undefined) return reject('it must list its storages', showValue(key));
    if (position + 8 > bytes.length) reject('it must hold its storages', `${bytes.length} bytes, cut off there`);
    const length = Number(view.getBigUint64(position, true)) * width;
    position += 8;
    if (!(position + length <= bytes.length))
      reject('it must hold its storages', `${bytes.length} bytes, cut off there`);
    contents.set(String(key), bytes.subarray(position, position + length));
    position += length;
  }
  return {
    ...object,
    contentOf: ({ key, dataType, elements }) => {
      const expected = elements * safetensorsElementBytes.get(dataType)!;
      const content = contents.get(key);
      if (content?.length !== expected)
        return reject(`its storage ${showValue(key)} must have ${expected} bytes`, String(content?.length ?? 'none'));
      return content;
    },
  };
}

function createOptions(reject: Reject) {
  const storages: Storage[] = [];
  const isKnown = (name: string): boolean =>
    builders.has(name) ||
    storageTypes.has(name) ||
    inert.test(name) ||
    leftOut.test(name) ||
    parameterTypes.includes(name);
  return {
    storages,
    isKnown,
    call: (name: string, parameters: PickleTuple): PickleValue | undefined => {
      if (/^torch\.device$/.test(name)) return 'device';
      if (leftOut.test(name)) return new PickleUnknown(name);
      return builders.get(name)?.(parameters, reject);
    },
    load: (id: PickleValue): PickleValue => {
      const [kind, type, key, , elements, view] = Array.isArray(id) ? (id as PickleTuple) : [];
      const dataType = type instanceof PickleGlobal ? storageTypes.get(type.name) : undefined;
      const isSound = kind === 'storage' && typeof key === 'string' && countElements([elements]) !== undefined;
      if (dataType === undefined && isSound && type instanceof PickleGlobal)
        return reject(`its storages must be of [${[...storageTypes.keys()].join(', ')}]`, showValue(type.name));
      if (dataType === undefined || !isSound)
        return reject('its storages must have a type, a key and a size', 'others');
      if (view !== undefined && view !== null) return reject('its storages must be whole', 'a view of one');
      const storage: Storage = { key, dataType, elements: elements as number };
      storages.push(storage);
      return storage;
    },
  };
}

/** All that a pickle may call. */
const builders: ReadonlyMap<string, (parameters: PickleTuple, reject: Reject) => PickleValue | undefined> = new Map([
  ['collections.OrderedDict', ([items]: PickleTuple) => makeDict(items)],
  // What it makes of a key that is missing is never asked for.
  ['collections.defaultdict', ([, items]: PickleTuple) => makeDict(items)],
  ['collections.Counter', ([items]: PickleTuple) => makeDict(items)],
  ['builtins.set', ([items]: PickleTuple) => (Array.isArray(items) ? items : [])],
  ['__builtin__.set', ([items]: PickleTuple) => (Array.isArray(items) ? items : [])],
  ['_codecs.encode', ([text]: PickleTuple) => (typeof text === 'string' ? text : undefined)],
  ['torch.Size', ([sizes]: PickleTuple) => (Array.isArray(sizes) ? sizes : undefined)],
  ['torch._utils._rebuild_tensor', makeTensor],
  ['torch._utils._rebuild_tensor_v2', makeTensor],
  ['torch._utils._rebuild_parameter', ([tensor]: PickleTuple) => tensor],
  ['torch._utils._rebuild_parameter_with_state', ([tensor]: PickleTuple) => tensor],
  // A tensor with attributes, which are left out.
  [
    'torch._tensor._rebuild_from_type_v2',
    ([maker, , parameters]: PickleTuple, reject: Reject) =>
      maker instanceof PickleGlobal &&
      /^torch\._utils\._rebuild_(tensor|parameter)/.test(maker.name) &&
      Array.isArray(parameters)
        ? builders.get(maker.name)?.(parameters, reject)
        : undefined,
  ],
]);

function makeDict(items: PickleValue | undefined): PickleValue | undefined {
  if (items === undefined) return new Map<PickleValue, PickleValue>();
  if (items instanceof Map) return new Map(items);
  if (!Array.isArray(items)) return undefined;
  const pairs = items as PickleTuple;
  if (!pairs.every((pair) => Array.isArray(pair) && pair.length === 2)) return undefined;
  return new Map(pairs as readonly (readonly [PickleValue, PickleValue])[]);
}

function makeTensor([storage, offset, size, stride]: PickleTuple, reject: Reject): PickleValue {
  const isList = (value: PickleValue | undefined): value is number[] =>
    Array.isArray(value) && value.length <= 16 && countElements(value as PickleTuple) !== undefined;
  const isStorage = typeof storage === 'object' && storage !== null && 'elements' in storage;
  if (
    !isStorage ||
    countElements([offset]) === undefined ||
    !isList(size) ||
    !isList(stride) ||
    size.length !== stride.length
  )
    return reject('its tensors must have a storage, an offset, sizes and strides', 'others');
  const { elements } = storage as Storage;
  const count = countElements(size)!;
  const last = size.reduce((end, length, axis) => end + (length - 1) * stride[axis], offset as number);
  if (count > elements || (count > 0 && !(last < elements)))
    reject(
      `its tensors must lie inside their storages of ${elements} elements`,
      `[${size.join(', ')}] from ${offset as number} on`,
    );
  return new StoredTensor(storage as Storage, offset as number, [...size], [...stride]);
}

/** The elements in rows, copied only where they lie otherwise. */
function gather({ storage, offset, shape, strides }: StoredTensor, content: Uint8Array): Uint8Array {
  const width = safetensorsElementBytes.get(storage.dataType)!;
  const count = countElements(shape)!;
  let expected = 1;
  const isPlain = shape.every((_, index) => {
    const axis = shape.length - 1 - index;
    const fits = shape[axis] === 1 || strides[axis] === expected;
    expected *= shape[axis];
    return fits;
  });
  if (isPlain || count === 0) return content.subarray(offset * width, (offset + count) * width);
  const bytes = new Uint8Array(count * width);
  const indices = Array<number>(shape.length).fill(0);
  for (let element = 0, from = offset; element < count; element++) {
    for (let index = 0; index < width; index++) bytes[element * width + index] = content[from * width + index];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++indices[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      indices[axis] = 0;
    }
  }
  return bytes;
}

/** The dict of tensors in what was stored. */
function findTensors(value: PickleValue, notes: string[], reject: Reject): Map<string, StoredTensor> {
  let current: PickleValue = value;
  const path: string[] = [];
  /** Where other tensors are. */
  const others: string[] = [];
  const seen = new Map<PickleValue, boolean>();
  for (let depth = 0; depth < DEEPEST; depth++) {
    if (!(current instanceof Map)) break;
    const dict: ReadonlyMap<PickleValue, PickleValue> = current;
    const tensors = new Map<string, StoredTensor>();
    for (const [key, tensor] of dict) {
      if (typeof key === 'string' && tensor instanceof StoredTensor) tensors.set(key, tensor);
    }
    if (tensors.size > MOST_TENSORS) reject(`it must hold at most ${MOST_TENSORS} tensors`, String(tensors.size));
    const within = [...dict].filter(([key, held]) => typeof key === 'string' && holdsTensors(held, DEEPEST, seen));
    const chosen =
      weightKeys.map((key) => within.find(([held]) => held === key)).find((entry) => entry !== undefined) ??
      (within.length === 1 ? within[0] : undefined);
    if (tensors.size > 0 && (chosen === undefined || tensors.size > 1)) {
      const rest = others.length > 0 ? `; others, under ${showValue(others)}, are left out` : '';
      if (path.length > 0) notes.push(`Its weights are those under '${path.join("' > '")}'${rest}`);
      return tensors;
    }
    if (chosen === undefined) {
      if (within.length > 1)
        reject(
          `it must keep its weights under one of [${weightKeys.join(', ')}]`,
          showValue(within.map(([key]) => key)),
        );
      break;
    }
    path.push(typeof chosen[0] === 'string' ? chosen[0] : '');
    others.push(...within.flatMap(([key]) => (typeof key === 'string' && key !== chosen[0] ? [key] : [])));
    current = chosen[1];
  }
  const found = current instanceof StoredTensor ? 'a tensor' : current instanceof Map ? 'a dict without' : 'no dict';
  return reject('it must hold a dict of tensors by name (model.state_dict())', found);
}

/**
 * Whether a dict has tensors by name, or has such a dict in it. An optimizer's are by number.
 *
 * @param seen What is known of dicts: they may hold themselves.
 */
function holdsTensors(value: PickleValue, depth: number, seen: Map<PickleValue, boolean>): boolean {
  if (!(value instanceof Map) || depth <= 0) return false;
  const known = seen.get(value);
  if (known !== undefined) return known;
  seen.set(value, false);
  for (const [key, held] of value as ReadonlyMap<PickleValue, PickleValue>) {
    if (typeof key !== 'string' || !(held instanceof StoredTensor || holdsTensors(held, depth - 1, seen))) continue;
    seen.set(value, true);
    return true;
  }
  return false;
}
