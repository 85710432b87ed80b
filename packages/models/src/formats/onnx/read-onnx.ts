import { showValue } from '@dafl/core';
import type { PixelConvention } from '../../set-pixel-convention.ts';
import { createReject, type Reject } from '../_reject.ts';
import { finishImport, type ImportedModel } from '../finish-import.ts';
import { chooseOutput } from './choose-output.ts';
import { externalFiles } from './decode-tensor.ts';
import { type Activation, GraphBuilder, sameOrder, usualOrder } from './graph-builder.ts';
import { expandFused } from './expand-fused.ts';
import { expandQuantized } from './expand-quantized.ts';
import { inlineFunctions } from './inline-functions.ts';
import { lowerGraph } from './lower-graph.ts';
import { nodesBefore } from './nodes-before.ts';
import { type OnnxModel, type OnnxValue, parseOnnx } from './parse-onnx.ts';
import { readClassNames } from './read-class-names.ts';
import { readPreprocessing } from './read-preprocessing.ts';
import { allInitializers, namesRead } from './subgraphs.ts';
import { restoreFlattening } from './reorder-flattening.ts';

/** Options of `readOnnx`. */
export interface ReadOnnxOptions {
  /** Content of the files beside the model that hold its weights, by name. */
  readonly siblings?: ReadonlyMap<string, Uint8Array>;
  /** What the network takes; absent: what arithmetic on its input tells, or 0..1. */
  readonly pixels?: PixelConvention;
  /** Height and width of the pictures, where the file leaves them open. */
  readonly inputSize?: readonly [height: number, width: number];
}

/** Opset of the oldest files that are read. */
const LEAST_OPSET = 7;

/**
 * Reads an image classifier from an ONNX file. Maps become channels last, the logits are found before a softmax at the
 * end, the features are what the last dense layer reads, and arithmetic on the input becomes preprocessing.
 *
 * @param name How errors call it, and what the model is called after.
 * @throws {DaflError} `MODEL` if it is damaged, or has nodes that can't be turned into dafl's: all are named.
 */
export function readOnnx(bytes: Uint8Array, name: string, options: ReadOnnxOptions = {}): ImportedModel {
  return openOnnx(bytes, name).read(options);
}

/** An ONNX file that was parsed, and which files beside it it needs. */
export interface OpenedOnnx {
  /** How many bytes each of those files must have at least, by plain name. */
  readonly siblings: ReadonlyMap<string, number>;
  /** Makes it dafl's. */
  readonly read: (options: ReadOnnxOptions) => ImportedModel;
}

/** Parses an ONNX file. See `readOnnx`. */
export function openOnnx(bytes: Uint8Array, name: string): OpenedOnnx {
  const reject = createReject(name, 'an ONNX model');
  const file = expandFused(expandQuantized(inlineFunctions(parseOnnx(bytes, reject), reject)));
  return {
    siblings: externalFiles(allInitializers(file), reject),
    read(options) {
      const { model, notes } = buildModel(file, name, options, reject);
      return { model: restoreFlattening(model, file.metadata), notes };
    },
  };
}

/** How a graph is read that another format was turned into. */
interface BuildOptions extends ReadOnnxOptions {
  /** Whether maps have their channels last; absent: where the graph says so. */
  readonly isChannelsLast?: boolean;
}

/** Makes a parsed graph dafl's. */
export function buildModel(file: OnnxModel, name: string, options: BuildOptions, reject: Reject): ImportedModel {
  if (file.opset < LEAST_OPSET) reject(`its opset must be >= ${LEAST_OPSET}`, String(file.opset));
  const chosen = chooseOutput(file) ?? reject('it must have an output', 'none');
  const inputs = inputsBefore(file, chosen.name);
  if (inputs.length !== 1) reject('it must have one input', showValue(inputs.map((input) => input.name)));
  const { isChannelsLast } = options;
  const isPicture = isSinglePicture(inputs[0], file.outputs.find((output) => output.name === chosen.output)?.shape);
  const usual = isChannelsLast === true ? sameOrder : undefined;
  const builder = isPicture ? new GraphBuilder(1, false, usual) : new GraphBuilder(inputs[0].shape?.[0], true, usual);
  const describe = isPicture ? describePicture : describeInput;
  const { inputShape, input } = describe(
    sizeInput(countChannels(inputs[0], file), options.inputSize, reject),
    isChannelsLast ?? readsChannelsLast(file, inputs[0]),
    builder,
    reject,
  );
  const lowered = lowerGraph(
    file,
    {
      builder,
      input,
      inputName: inputs[0].name,
      outputName: chosen.name,
      siblings: options.siblings ?? new Map(),
    },
    reject,
  );
  for (const note of chosen.notes) builder.notes.add(note);
  return finishImport(builder, lowered.output, {
    name,
    inputShape,
    reject,
    pixels: options.pixels,
    classNames: readClassNames(file.metadata) ?? chosen.classNames,
    preprocessing: readPreprocessing(file.metadata, inputShape.at(-1)!),
  });
}

/** Inputs without a value of their own that a tensor needs; all of them where it needs none. */
function inputsBefore(file: OnnxModel, tensor: string): OnnxValue[] {
  const initialized = new Set(file.initializers.map(({ name }) => name));
  const inputs = file.inputs.filter(({ name }) => !initialized.has(name));
  const read = new Set([tensor, ...nodesBefore(file, tensor).flatMap(namesRead)]);
  const needed = inputs.filter(({ name }) => read.has(name));
  return needed.length === 0 ? inputs : needed;
}

/** Fills in the channels where the file leaves them open, by the first convolution that reads its input. */
function countChannels(input: OnnxValue, file: OnnxModel): OnnxValue {
  const { shape = [undefined, undefined, undefined, undefined] } = input;
  if (shape.length !== 4 || shape[1] !== undefined || shape[3] !== undefined) return input;
  const first = file.nodes.find(({ operator, inputs }) => operator === 'Conv' && inputs[0] === input.name);
  const kernel = file.initializers.find(({ name }) => name === first?.inputs[1]);
  const groups = first?.attributes.get('group') ?? 1;
  return kernel?.shape.length === 4 && typeof groups === 'number'
    ? { ...input, shape: shape.with(1, kernel.shape[1] * groups) }
    : input;
}

/** Fills in the height and width, where the file leaves them open. */
function sizeInput(input: OnnxValue, inputSize: ReadOnnxOptions['inputSize'], reject: Reject): OnnxValue {
  const { shape } = input;
  if (inputSize === undefined || shape?.length !== 4) return input;
  const isSized = !shape.slice(1).includes(undefined);
  const first = isSized
    ? [1, 2].find((axis) => shape.slice(axis, axis + 2).join() === inputSize.join())
    : shape[1] === undefined && shape[3] !== undefined
      ? 1
      : 2;
  const sized = shape.map((size, axis) => (axis === 0 ? size : (size ?? inputSize[axis - (first ?? 2)])));
  if (first === undefined || sized.slice(first, first + 2).join() !== inputSize.join())
    reject("'inputSize' must be that of its input", `[${inputSize.join(', ')}] for [${sized.slice(1).join(', ')}]`);
  return { ...input, shape: sized };
}

/**
 * Whether a network takes one picture of three axes, without a batch: then it gives one row, which is not that of as many
 * pictures.
 */
function isSinglePicture({ shape }: OnnxValue, output: OnnxValue['shape']): boolean {
  return shape?.length === 3 && shape[0] !== undefined && output?.length === 1 && output[0] !== shape[0];
}

function describePicture({ shape = [] }: OnnxValue, isChannelsLast: boolean): ReturnType<typeof describeInput> {
  const sizes = shape as number[];
  const order = isChannelsLast ? [0, 1, 2] : [1, 2, 0];
  return { inputShape: order.map((axis) => sizes[axis]), input: { node: 'input', shape: sizes, order } };
}

function describeInput(
  { name, shape }: OnnxValue,
  isChannelsLast: boolean,
  builder: GraphBuilder,
  reject: Reject,
): { inputShape: number[]; input: Activation } {
  if (shape === undefined || shape.length < 2 || shape.length > 4 || shape.slice(1).includes(undefined)) {
    const shown = shape?.map((size) => size ?? '?').join(', ') ?? 'unknown';
    return reject("its input must be pictures of a known size where 'inputSize' is not given", `[${shown}]`);
  }
  const [, ...sizes] = shape as number[];
  if (sizes.length === 3) {
    const order = isChannelsLast ? [1, 2, 3] : usualOrder([1, ...sizes]);
    return {
      inputShape: order.map((axis) => sizes[axis - 1]),
      input: { node: 'input', shape: [1, ...sizes], order },
    };
  }
  if (sizes.length === 1) return { inputShape: sizes, input: { node: 'input', shape: [1, ...sizes], order: [1] } };
  const node = builder.add(name, { kind: 'reshape', shape: sizes }, ['input']);
  return { inputShape: [...sizes, 1], input: { node, shape: [1, ...sizes], order: [1, 2] } };
}

/** Element-wise operators that may stand between an input and the transposition that says how it lies. */
const onTheWay: ReadonlySet<string> = new Set(['Sub', 'Mul', 'Div', 'Add', 'Cast', 'Identity']);

/** How many channels pictures have. */
const usualChannels: ReadonlySet<number | undefined> = new Set([1, 3, 4]);

/**
 * Whether the input is turned from channels last to channels first at once, as converters from TensorFlow do. What dafl wrote says
 * how it lies.
 */
function readsChannelsLast(file: OnnxModel, { name: input, shape = [] }: OnnxValue): boolean {
  const said = file.producer === 'dafl' ? file.metadata.get('layout') : undefined;
  if (said !== undefined) return said === 'nhwc';
  const [first, last] = [shape[shape.length - 3], shape[shape.length - 1]];
  if (last !== undefined && usualChannels.has(first) && !usualChannels.has(last)) return false;
  const readers = new Map(file.nodes.toReversed().flatMap((node) => node.inputs.map((name) => [name, node] as const)));
  let tensor = input;
  for (let step = 0; step < file.nodes.length; step++) {
    const reader = readers.get(tensor);
    if (reader === undefined) return false;
    if (reader.operator === 'Transpose') {
      const permutation = reader.attributes.get('perm');
      return Array.isArray(permutation) && ['0,3,1,2', '2,0,1'].includes(permutation.join());
    }
    if (!onTheWay.has(reader.operator)) return false;
    [tensor] = reader.outputs;
  }
  return false;
}
