import { type Graph, type HostTensor, validateModel, showValue } from '@dafl/core';
import { isPixelConvention, type PixelConvention, setPixelConvention } from '../../set-pixel-convention.ts';
import { createReject, type Reject } from '../_reject.ts';
import { decodeFloat32 } from '../float32.ts';
import type { ImportedModel } from '../finish-import.ts';
import { readClassNames } from '../onnx/read-class-names.ts';
import { readPreprocessing } from '../onnx/read-preprocessing.ts';
import { forEachElement, type Parameter } from './list-parameters.ts';
import { listNamed, matchArchitecture, type MatchOptions } from './match-architecture.ts';
import type { ParameterTensor, StateDict } from './state-dict.ts';

/** Options of `readStateDict`. */
export interface ReadStateDictOptions extends MatchOptions {
  /** What the network takes; absent: what the file says, or 0..1. */
  readonly pixels?: PixelConvention;
}

/**
 * Makes a model of weights by PyTorch's names: of the architecture that they fit. Kernels are brought from OIHW to HWIO.
 *
 * @param name How errors call the file, and what the model is called after.
 * @throws {DaflError} `MODEL` if they fit no architecture that is known, or several; `USAGE` if the one that was named is not known.
 */
export function readStateDict(state: StateDict, name: string, options: ReadStateDictOptions = {}): ImportedModel {
  const reject = createReject(name, 'PyTorch weights');
  const { pixels = {} } = options;
  const { graph, parameters, tensors, notes: found } = matchArchitecture(state, withMetadata(state, options), reject);
  const notes = [...state.notes, ...found];
  const weights = new Map<string, HostTensor>();
  let isRounded = false;
  for (const parameter of parameters) {
    const tensor = tensors.get(parameter.key)!;
    isRounded ||= tensor.dataType === 'F64';
    weights.set(parameter.weight, {
      shape: parameter.ownShape,
      data: arrange(parameter, decode(parameter, tensor, reject)),
    });
  }
  if (isRounded) notes.push('Its weights of 64 bits are rounded to 32');
  const channels = graph.inputShape.at(-1)!;
  const preprocessing = readPreprocessing(state.metadata, channels);
  const classNames = readClassNames(state.metadata);
  const logits = graph.nodes.find((node) => node.name === graph.outputs.logits);
  const isNamed = logits?.kind === 'dense' && classNames?.length === logits.units;
  const named: Graph = { ...graph, name: modelName(name), preprocessing, ...(isNamed ? { classNames } : {}) };
  const model = { graph: named, weights: inOrder(named, weights) };
  validateModel(model);
  if (isPixelConvention(pixels)) return { model: setPixelConvention(model, pixels), notes };
  if (preprocessing === undefined) notes.push(UNKNOWN_PIXELS);
  return { model, notes };
}

const UNKNOWN_PIXELS =
  'The file does not say which range of pixels it takes: 0..1 is assumed. Other conventions are -1..1 (--range -1..1), 0..255 (--range 0..255) and the mean and deviation of the training data (--mean, --std)';

/** What was typed goes before what the file says. */
function withMetadata({ metadata }: StateDict, options: MatchOptions): MatchOptions {
  const size = /^\[(\d{1,5}), ?(\d{1,5})\]$/.exec(metadata.get('input_size') ?? '');
  const inputSize = size === null ? undefined : ([Number(size[1]), Number(size[2])] as const);
  const said = metadata.get('architecture');
  const inputSizes = { inputSize: options.inputSize ?? inputSize };
  if (options.architecture !== undefined || said === undefined || !listNamed().includes(said))
    return { ...options, ...inputSizes };
  return { ...options, ...inputSizes, architecture: said, isNamedByFile: true };
}

function decode({ key }: Parameter, tensor: ParameterTensor, reject: Reject): ArrayLike<number> {
  const bytes = tensor.bytes();
  const values = decodeFloat32({ dataType: tensor.dataType, shape: tensor.shape, bytes });
  if (values !== undefined) return values;
  if (tensor.dataType !== 'F64')
    return reject(`weight ${showValue(key)} must have a type of [F32, F16, BF16, F64]`, tensor.dataType);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from({ length: bytes.length / 8 }, (_, index) => view.getFloat64(index * 8, true));
}

function arrange(parameter: Parameter, values: ArrayLike<number>): Float32Array {
  if (parameter.order === 'same' && values instanceof Float32Array) return values;
  const arranged = new Float32Array(values.length);
  forEachElement(parameter, (theirs, own) => {
    arranged[own] = values[theirs];
  });
  return arranged;
}

/** As the graph lists its nodes. */
function inOrder({ nodes }: Graph, weights: ReadonlyMap<string, HostTensor>): Map<string, HostTensor> {
  const positions = new Map(nodes.map(({ name }, index) => [name, index]));
  const position = (key: string): number => positions.get(key.slice(0, key.lastIndexOf('.'))) ?? 0;
  return new Map([...weights].sort(([left], [right]) => position(left) - position(right)));
}

/** Letters and digits of a file's name without its folder and extension. */
function modelName(name: string): string {
  const plain = name.replace(/^.*[/\\]/, '').replace(/\.[a-z0-9]+$/i, '');
  return plain.replaceAll(/[^\w.-]+/g, '-').slice(0, 100) || 'model';
}
