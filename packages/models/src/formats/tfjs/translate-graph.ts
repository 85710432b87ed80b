import { showValue } from '@dafl/core';
import type { JsonObject, JsonValue } from '../_parse-json.ts';
import type { Reject } from '../_reject.ts';
import type { OnnxAttribute, OnnxModel, OnnxNode, OnnxTensor, OnnxValue } from '../onnx/parse-onnx.ts';
import { decodeBase64, type GraphDefNode, readGraphDef } from './graph-def.ts';
import type { TfjsWeight } from './weights-manifest.ts';

/** Operators that ONNX has as well, with their inputs in the same order. */
const alike: Readonly<Record<string, string>> = {
  Abs: 'Abs',
  Add: 'Add',
  AddN: 'Sum',
  AddV2: 'Add',
  Div: 'Div',
  Erf: 'Erf',
  Exp: 'Exp',
  Identity: 'Identity',
  Log: 'Log',
  LogSoftmax: 'LogSoftmax',
  Maximum: 'Max',
  Minimum: 'Min',
  Mul: 'Mul',
  Neg: 'Neg',
  Pow: 'Pow',
  RealDiv: 'Div',
  Reciprocal: 'Reciprocal',
  Relu: 'Relu',
  Selu: 'Selu',
  Shape: 'Shape',
  Sigmoid: 'Sigmoid',
  Softmax: 'Softmax',
  Softplus: 'Softplus',
  Softsign: 'Softsign',
  Sqrt: 'Sqrt',
  StopGradient: 'Identity',
  Sub: 'Sub',
  Tanh: 'Tanh',
};

const reductions: Readonly<Record<string, string>> = {
  Max: 'ReduceMax',
  Mean: 'ReduceMean',
  Min: 'ReduceMin',
  Prod: 'ReduceProd',
  Sum: 'ReduceSum',
};

/** The opset whose operators are written here. */
const OPSET = 13;
const FLOAT = 1;
const INT64 = 7;
const TO_CHANNELS_FIRST = [0, 3, 1, 2];
const TO_CHANNELS_LAST = [0, 2, 3, 1];

/** Thrown by a translation that can't go on; the node then stands as it is, for the reader to refuse by name. */
class Untranslated extends Error {}

/**
 * Turns a graph of TensorFlow into one of ONNX, operator by operator, so that one importer makes both dafl's. Operators
 * that are not known keep their names under the domain `tensorflow`, and are refused by name with all others.
 */
export function translateGraph(
  topology: JsonObject,
  weights: ReadonlyMap<string, TfjsWeight>,
  signature: JsonValue | undefined,
  reject: Reject,
): OnnxModel {
  const definitions = readGraphDef(topology, reject);
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const constants = new Map<string, TfjsWeight>();
  const inputs: OnnxValue[] = [];
  for (const node of definitions) {
    if (node.operator === 'Const') {
      const weight = weights.get(node.name) ?? inlineConstant(node, reject);
      constants.set(node.name, weight);
      const values = weight.dataType === 'float32' ? weight.values : Float64Array.from(weight.values);
      const dataType = weight.dataType === 'float32' ? FLOAT : INT64;
      initializers.push({ name: node.name, shape: weight.shape, dataType, values });
    } else if (node.operator === 'Placeholder') inputs.push({ name: node.name, shape: shapeOf(node) });
  }
  const translator = new Translator(nodes, initializers, constants);
  for (const node of definitions) {
    if (['Const', 'Placeholder', 'NoOp'].includes(node.operator)) continue;
    const { length } = nodes;
    try {
      translator.translate(node);
    } catch (error) {
      if (!(error instanceof Untranslated)) throw error;
      nodes.length = length;
      nodes.push({
        name: node.name,
        operator: node.operator,
        domain: 'tensorflow',
        inputs: node.inputs.filter((input) => !constants.has(input)),
        outputs: [node.name],
        attributes: new Map(),
      });
    }
  }
  const outputs = outputsOf(definitions, signature).map((name) => ({ name }));
  return {
    irVersion: 8,
    producer: 'tensorflow',
    opset: OPSET,
    graphName: 'graph',
    nodes: sortNodes(nodes, reject),
    initializers,
    inputs,
    outputs,
    metadata: new Map(),
  };
}

/** Nodes behind those that they read: TensorFlow does not order them. */
function sortNodes(nodes: readonly OnnxNode[], reject: Reject): OnnxNode[] {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const missing = new Map<OnnxNode, number>();
  const readers = new Map<OnnxNode, OnnxNode[]>();
  for (const node of nodes) {
    const before = new Set(node.inputs.flatMap((name) => makers.get(name) ?? []));
    missing.set(node, before.size);
    for (const maker of before) readers.set(maker, [...(readers.get(maker) ?? []), node]);
  }
  const sorted = nodes.filter((node) => missing.get(node) === 0);
  for (const node of sorted) {
    for (const reader of readers.get(node) ?? []) {
      const left = missing.get(reader)! - 1;
      missing.set(reader, left);
      if (left === 0) sorted.push(reader);
    }
  }
  if (sorted.length < nodes.length) {
    const rest = nodes.filter((node) => missing.get(node)! > 0).map(({ name }) => name);
    reject('its nodes must not read each other in a circle', showValue(rest.slice(0, 5)));
  }
  return sorted;
}

/** What the signature says, or what nobody reads. */
function outputsOf(nodes: readonly GraphDefNode[], signature: JsonValue | undefined): string[] {
  const outputs = signature instanceof Map ? (signature as JsonObject).get('outputs') : undefined;
  if (outputs instanceof Map) {
    const named = [...(outputs as JsonObject).values()].flatMap((output) => {
      const name = output instanceof Map ? (output as JsonObject).get('name') : undefined;
      return typeof name === 'string' ? [name.replace(/:0$/, '')] : [];
    });
    if (named.length > 0) return named;
  }
  const read = new Set(nodes.flatMap((node) => node.inputs));
  return nodes
    .filter(({ name, operator }) => !read.has(name) && !['Const', 'NoOp', 'Placeholder'].includes(operator))
    .map(({ name }) => name);
}

function shapeOf({ attributes }: GraphDefNode): (number | undefined)[] | undefined {
  const shape = fieldOf(fieldOf(attributes.get('shape'), 'shape'), 'dim');
  if (!Array.isArray(shape)) return undefined;
  return shape.map((dimension: JsonValue) => {
    const size = Number(fieldOf(dimension, 'size') ?? 0);
    return Number.isInteger(size) && size >= 1 ? size : undefined;
  });
}

function fieldOf(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return value instanceof Map ? (value as JsonObject).get(key) : undefined;
}

/** A constant that stands in the graph itself: a number or a few. */
function inlineConstant(node: GraphDefNode, reject: Reject): TfjsWeight {
  const tensor = fieldOf(node.attributes.get('value'), 'tensor');
  const shape = fieldOf(fieldOf(tensor, 'tensorShape'), 'dim');
  const sizes = Array.isArray(shape) ? shape.map((dimension: JsonValue) => Number(fieldOf(dimension, 'size'))) : [];
  for (const [key, dataType] of [
    ['floatVal', 'float32'],
    ['intVal', 'int32'],
    ['boolVal', 'bool'],
  ] as const) {
    const values = fieldOf(tensor, key);
    if (!Array.isArray(values)) continue;
    const size = sizes.reduce((total, length) => total * length, 1);
    // One value may stand for all.
    if (values.length === size || (values.length === 1 && size <= 4096))
      return {
        shape: sizes,
        dataType,
        values: Float32Array.from({ length: size }, (_, index) => Number(values[values.length === 1 ? 0 : index])),
      };
  }
  return reject(`constant ${showValue(node.name)} must be one of its weights`, 'none');
}

class Translator {
  readonly #nodes: OnnxNode[];
  readonly #initializers: OnnxTensor[];
  readonly #constants: ReadonlyMap<string, TfjsWeight>;
  #count = 0;

  constructor(nodes: OnnxNode[], initializers: OnnxTensor[], constants: ReadonlyMap<string, TfjsWeight>) {
    this.#nodes = nodes;
    this.#initializers = initializers;
    this.#constants = constants;
  }

  /** Adds a node; without `output` its result has a name that nothing in the file has. */
  #emit(
    name: string,
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    output: string = `${name}\u0000${this.#count++}`,
  ): string {
    // A node that lacks an input is refused by its own name.
    if (inputs.includes(undefined as unknown as string)) throw new Untranslated();
    const entries = Object.entries(attributes).filter(([, value]) => value !== undefined);
    this.#nodes.push({ name, operator, domain: '', inputs, outputs: [output], attributes: new Map(entries) });
    return output;
  }

  #integers(name: string, values: readonly number[]): string {
    const tensor = `${name}\u0000${this.#count++}`;
    this.#initializers.push({
      name: tensor,
      shape: [values.length],
      dataType: INT64,
      values: Float64Array.from(values),
    });
    return tensor;
  }

  translate(node: GraphDefNode): void {
    const { name, operator, inputs } = node;
    const emit = (kind: string, reads: readonly string[], attributes: Readonly<Record<string, OnnxAttribute>> = {}) =>
      this.#emit(name, kind, reads, attributes, name);
    if (Object.hasOwn(alike, operator)) {
      emit(alike[operator], inputs);
      return;
    }
    if (Object.hasOwn(reductions, operator)) {
      const axes = this.#constant(inputs[1]);
      emit(reductions[operator], operator === 'Sum' ? [inputs[0], this.#integers(name, axes)] : [inputs[0]], {
        ...(operator !== 'Sum' && { axes }),
        keepdims: booleanOf(node, 'keep_dims') || booleanOf(node, 'keepDims') ? 1 : 0,
      });
      return;
    }
    switch (operator) {
      case 'Conv2D':
      case '_FusedConv2D':
      case 'FusedConv2D':
      case 'DepthwiseConv2dNative':
      case 'FusedDepthwiseConv2dNative':
      case '_FusedDepthwiseConv2dNative':
        this.#convolution(node);
        return;
      case 'MatMul':
      case '_FusedMatMul': {
        const product = this.#emit(name, 'Gemm', inputs.slice(0, 2), {
          transA: booleanOf(node, 'transpose_a') ? 1 : 0,
          transB: booleanOf(node, 'transpose_b') ? 1 : 0,
        });
        this.#fused(node, product, inputs.slice(2), 2);
        return;
      }
      case 'BatchMatMul':
      case 'BatchMatMulV2':
        if (booleanOf(node, 'adj_x') || booleanOf(node, 'adj_y')) throw new Untranslated();
        emit('MatMul', inputs);
        return;
      case 'BiasAdd':
        if (formatOf(node) === 'NCHW') {
          const size = this.#constants.get(inputs[1])?.shape[0] ?? throwUntranslated();
          const bias = this.#emit(name, 'Reshape', [inputs[1], this.#integers(name, [1, size, 1, 1])]);
          emit('Add', [inputs[0], bias]);
        } else emit('Add', inputs);
        return;
      case 'FusedBatchNorm':
      case 'FusedBatchNormV2':
      case 'FusedBatchNormV3':
        this.#channelsFirst(node, inputs[0], (maps) =>
          this.#emit(name, 'BatchNormalization', [maps, ...inputs.slice(1, 5)], {
            epsilon: numberOf(node, 'epsilon', 1e-4),
            training_mode: booleanOf(node, 'is_training', false) ? 1 : 0,
          }),
        );
        return;
      case 'MaxPool':
      case 'AvgPool': {
        const [window, strides] = [this.#pair(node, 'ksize'), this.#pair(node, 'strides')];
        this.#channelsFirst(node, inputs[0], (maps) =>
          this.#emit(name, operator === 'MaxPool' ? 'MaxPool' : 'AveragePool', [maps], {
            kernel_shape: window,
            strides,
            ...this.#padding(node),
          }),
        );
        return;
      }
      case 'Relu6':
        this.#relu6(name, inputs[0], name);
        return;
      case 'Elu':
        emit('Elu', inputs);
        return;
      case 'LeakyRelu':
        emit('LeakyRelu', inputs, { alpha: numberOf(node, 'alpha', 0.2) });
        return;
      case 'Square':
        emit('Mul', [inputs[0], inputs[0]]);
        return;
      case 'SquaredDifference': {
        const difference = this.#emit(name, 'Sub', inputs);
        emit('Mul', [difference, difference]);
        return;
      }
      case 'Rsqrt':
        emit('Reciprocal', [this.#emit(name, 'Sqrt', inputs)]);
        return;
      case 'Reshape':
        emit('Reshape', inputs);
        return;
      case 'Transpose':
        emit('Transpose', inputs.slice(0, 1), { perm: this.#constant(inputs[1]) });
        return;
      case 'ExpandDims':
        emit('Unsqueeze', [inputs[0], this.#integers(name, this.#constant(inputs[1]))]);
        return;
      case 'Squeeze': {
        const axes = listOf(node, 'squeeze_dims') ?? listOf(node, 'axis') ?? [];
        emit('Squeeze', axes.length === 0 ? [inputs[0]] : [inputs[0], this.#integers(name, axes)]);
        return;
      }
      case 'ConcatV2':
        emit('Concat', inputs.slice(0, -1), { axis: this.#constant(inputs.at(-1))[0] });
        return;
      case 'Pack': {
        const axis = this.#integers(name, [numberOf(node, 'axis', 0)]);
        const parts = inputs.map((input) => this.#emit(name, 'Unsqueeze', [input, axis]));
        emit('Concat', parts, { axis: numberOf(node, 'axis', 0) });
        return;
      }
      case 'StridedSlice':
        this.#stridedSlice(node);
        return;
      case 'Pad':
      case 'PadV2':
        this.#pad(node);
        return;
      case 'Cast':
        emit('Cast', inputs, { to: typeOf(node, 'DstT') === 'DT_FLOAT' ? FLOAT : INT64 });
        return;
      case 'Prelu': {
        emit('PRelu', inputs);
        return;
      }
      case 'ResizeBilinear':
      case 'ResizeNearestNeighbor': {
        const size = this.#constant(inputs[1]);
        const isBilinear = operator === 'ResizeBilinear';
        const isAligned = booleanOf(node, 'align_corners');
        const isHalf = booleanOf(node, 'half_pixel_centers');
        this.#channelsFirst(node, inputs[0], (maps) => {
          const shape = this.#emit(name, 'Shape', [maps]);
          const [start, end] = [this.#integers(name, [0]), this.#integers(name, [2])];
          const head = this.#emit(name, 'Slice', [shape, start, end]);
          const sizes = this.#emit(name, 'Concat', [head, this.#integers(name, size)], { axis: 0 });
          return this.#emit(name, 'Resize', [maps, '', '', sizes], {
            mode: isBilinear ? 'linear' : 'nearest',
            coordinate_transformation_mode: isAligned
              ? 'align_corners'
              : isHalf && isBilinear
                ? 'half_pixel'
                : isHalf
                  ? 'half_pixel'
                  : 'asymmetric',
            nearest_mode: isAligned || isHalf ? 'round_prefer_ceil' : 'floor',
          });
        });
        return;
      }
      case 'DepthToSpace':
      case 'SpaceToDepth':
        this.#channelsFirst(node, inputs[0], (maps) =>
          this.#emit(name, operator, [maps], { blocksize: numberOf(node, 'block_size', 2) }),
        );
        return;
      default:
        throw new Untranslated();
    }
  }

  /** Values of a constant that tells how an operator works. */
  #constant(name: string | undefined): number[] {
    const constant = name === undefined ? undefined : this.#constants.get(name);
    return constant === undefined ? throwUntranslated() : [...constant.values];
  }

  /** Puts an operator that has channels first between transpositions, unless its node has them first itself. */
  #channelsFirst(node: GraphDefNode, input: string, make: (maps: string) => string): void {
    this.#finishMaps(node, make(this.#maps(node, input)), node.name);
  }

  #maps(node: GraphDefNode, input: string): string {
    if (formatOf(node) === 'NCHW') return input;
    return this.#emit(node.name, 'Transpose', [input], { perm: TO_CHANNELS_FIRST });
  }

  #finishMaps(node: GraphDefNode, maps: string, output?: string): string {
    if (formatOf(node) === 'NCHW') return this.#emit(node.name, 'Identity', [maps], {}, output);
    return this.#emit(node.name, 'Transpose', [maps], { perm: TO_CHANNELS_LAST }, output);
  }

  /** The two sizes of maps among four. */
  #pair(node: GraphDefNode, key: string): number[] {
    const sizes = listOf(node, key) ?? [1, 1, 1, 1];
    if (sizes.length !== 4) throw new Untranslated();
    return formatOf(node) === 'NCHW' ? sizes.slice(2) : sizes.slice(1, 3);
  }

  #padding(node: GraphDefNode): Readonly<Record<string, OnnxAttribute>> {
    const padding = textOf(node, 'padding');
    if (padding === 'SAME') return { auto_pad: 'SAME_UPPER' };
    if (padding === 'VALID' || padding === undefined) return {};
    const explicit = listOf(node, 'explicit_paddings') ?? [];
    if (padding !== 'EXPLICIT' || explicit.length !== 8) throw new Untranslated();
    const [top, bottom, left, right] = formatOf(node) === 'NCHW' ? explicit.slice(4) : explicit.slice(2, 6);
    return { pads: [top, left, bottom, right] };
  }

  #convolution(node: GraphDefNode): void {
    const { name, inputs, operator } = node;
    const kernel = this.#constants.get(inputs[1]);
    if (kernel?.shape.length !== 4) throw new Untranslated();
    const [height, width, channels, last] = kernel.shape;
    const isDepthwise = operator.includes('Depthwise');
    const grouped = isDepthwise
      ? this.#emit(name, 'Reshape', [inputs[1], this.#integers(name, [height, width, 1, channels * last])])
      : inputs[1];
    const weights = this.#emit(name, 'Transpose', [grouped], { perm: [3, 2, 0, 1] });
    const dilations = listOf(node, 'dilations')?.length === 4 ? this.#pair(node, 'dilations') : [1, 1];
    const maps = this.#emit(name, 'Conv', [this.#maps(node, inputs[0]), weights], {
      kernel_shape: [height, width],
      strides: this.#pair(node, 'strides'),
      dilations,
      group: isDepthwise ? channels : 1,
      ...this.#padding(node),
    });
    this.#fused(node, this.#finishMaps(node, maps), inputs.slice(2), 4);
  }

  /** The operators that were fused into a node, one after another. */
  #fused(node: GraphDefNode, result: string, operands: readonly string[], rank: number): void {
    const { name } = node;
    const rest = [...operands];
    let value = result;
    const operations = textsOf(node, 'fused_ops');
    for (const operation of operations) {
      if (operation === 'BiasAdd') value = this.#emit(name, 'Add', [value, rest.shift() ?? throwUntranslated()]);
      else if (operation === 'Relu6') value = this.#relu6(name, value);
      else if (operation === 'LeakyRelu')
        value = this.#emit(name, 'LeakyRelu', [value], { alpha: numberOf(node, 'leakyrelu_alpha', 0.2) });
      else if (operation === 'Prelu') value = this.#emit(name, 'PRelu', [value, rest.shift() ?? throwUntranslated()]);
      else if (operation === 'FusedBatchNorm' && rank === 4) {
        const maps = this.#emit(name, 'BatchNormalization', [this.#maps(node, value), ...rest.splice(0, 4)], {
          epsilon: numberOf(node, 'epsilon', 1e-4),
        });
        value = this.#finishMaps(node, maps);
      } else if (['Relu', 'Elu', 'Sigmoid', 'Tanh'].includes(operation)) value = this.#emit(name, operation, [value]);
      else throw new Untranslated();
    }
    if (formatOf(node) === 'NCHW' && operations.includes('BiasAdd')) throw new Untranslated();
    this.#emit(name, 'Identity', [value], {}, name);
  }

  #relu6(name: string, input: string, output?: string): string {
    const bounds = [0, 6].map((value) => {
      const tensor = `${name}\u0000${this.#count++}`;
      this.#initializers.push({ name: tensor, shape: [], dataType: FLOAT, values: Float32Array.of(value) });
      return tensor;
    });
    return this.#emit(name, 'Clip', [input, ...bounds], {}, output);
  }

  #pad(node: GraphDefNode): void {
    const { name, inputs } = node;
    const paddings = this.#constant(inputs[1]);
    const value = inputs.length > 2 ? this.#constant(inputs[2])[0] : 0;
    const fill = `${name}\u0000${this.#count++}`;
    this.#initializers.push({ name: fill, shape: [], dataType: FLOAT, values: Float32Array.of(value) });
    const around = (axes: readonly number[]) =>
      this.#integers(name, [...axes.map((axis) => paddings[axis * 2]), ...axes.map((axis) => paddings[axis * 2 + 1])]);
    if (paddings.length !== 8) {
      const axes = Array.from({ length: paddings.length / 2 }, (_, axis) => axis);
      this.#emit(name, 'Pad', [inputs[0], around(axes), fill], {}, name);
      return;
    }
    const maps = this.#emit(name, 'Transpose', [inputs[0]], { perm: TO_CHANNELS_FIRST });
    const padded = this.#emit(name, 'Pad', [maps, around(TO_CHANNELS_FIRST), fill]);
    this.#emit(name, 'Transpose', [padded], { perm: TO_CHANNELS_LAST }, name);
  }

  /** Slices as shapes are taken apart: from an entry to another, with axes that vanish. */
  #stridedSlice(node: GraphDefNode): void {
    const { name, inputs } = node;
    const [begin, end, strides] = [1, 2, 3].map((index) => this.#constant(inputs[index]));
    if (end.length !== begin.length || strides.length !== begin.length) throw new Untranslated();
    const mask = (key: string, axis: number) => ((numberOf(node, key, 0) >> axis) & 1) === 1;
    if (numberOf(node, 'ellipsis_mask', 0) !== 0 || numberOf(node, 'new_axis_mask', 0) !== 0) throw new Untranslated();
    const starts = begin.map((start, axis) => (mask('begin_mask', axis) ? 0 : start));
    const shrunk = begin.flatMap((_, axis) => (mask('shrink_axis_mask', axis) ? [axis] : []));
    const ends = end.map((stop, axis) => {
      if (mask('shrink_axis_mask', axis)) return starts[axis] === -1 ? 2 ** 31 : starts[axis] + 1;
      return mask('end_mask', axis) ? 2 ** 31 : stop;
    });
    if (strides.some((stride) => stride < 1)) throw new Untranslated();
    const lists = [starts, ends, begin.map((_, axis) => axis), strides].map((list) => this.#integers(name, list));
    const sliced = this.#emit(name, 'Slice', [inputs[0], ...lists], {}, shrunk.length === 0 ? name : undefined);
    if (shrunk.length > 0) this.#emit(name, 'Squeeze', [sliced, this.#integers(name, shrunk)], {}, name);
  }
}

function throwUntranslated(): never {
  throw new Untranslated();
}

/** A value of an attribute: `{"i": "3"}`. */
function attribute({ attributes }: GraphDefNode, name: string, key: string): JsonValue | undefined {
  return fieldOf(attributes.get(name), key);
}

function numberOf(node: GraphDefNode, name: string, otherwise: number): number {
  const value = attribute(node, name, 'i') ?? attribute(node, name, 'f');
  if (value === undefined) return otherwise;
  const number = Number(value);
  return Number.isFinite(number) ? number : throwUntranslated();
}

function booleanOf(node: GraphDefNode, name: string, otherwise = false): boolean {
  return attribute(node, name, 'b') === undefined ? otherwise : attribute(node, name, 'b') === true;
}

function textOf(node: GraphDefNode, name: string): string | undefined {
  const text = attribute(node, name, 's');
  return typeof text === 'string' ? decodeBase64(text) : undefined;
}

function typeOf(node: GraphDefNode, name: string): JsonValue | undefined {
  return attribute(node, name, 'type');
}

function listOf(node: GraphDefNode, name: string): number[] | undefined {
  const list = fieldOf(attribute(node, name, 'list'), 'i');
  return Array.isArray(list) ? list.map(Number) : undefined;
}

function textsOf(node: GraphDefNode, name: string): string[] {
  const list = fieldOf(attribute(node, name, 'list'), 's');
  return Array.isArray(list) ? list.map((text) => (typeof text === 'string' ? decodeBase64(text) : '')) : [];
}

function formatOf(node: GraphDefNode): string {
  return textOf(node, 'data_format') ?? 'NHWC';
}
