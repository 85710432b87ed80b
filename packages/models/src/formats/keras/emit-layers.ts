import {
  fail,
  type HostTensor,
  inferShapes,
  type Model,
  type ModelNode,
  type NodeOfKind,
  type Padding2d,
  type Size2d,
  validateModel,
} from '@dafl/core';
import { nodesReadFor } from '../nodes-read-for.ts';

/** Whose layers are written. */
export type LayerFamily = 'keras' | 'tfjs';

/** A weight of a layer, and where its values come from. */
export interface EmittedWeight {
  /** As Keras calls it: `kernel`. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Key among the model's weights. */
  readonly source: string;
  /** Row i is row `rows[i]` of the source; absent: as they lie. */
  readonly rows?: readonly number[];
}

/** A layer to be written. */
export interface EmittedLayer {
  readonly className: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Layers that it reads. */
  readonly inputs: readonly string[];
  /** Of one example. */
  readonly shape: readonly number[];
  readonly weights: readonly EmittedWeight[];
}

/** A model as layers: the first is its input, the last its output. */
export interface EmittedModel {
  readonly name: string;
  readonly layers: readonly EmittedLayer[];
}

/** What is written beside the network. */
export interface EmitOptions {
  /** Whether it takes pixels in 0..255 and preprocesses them itself. Default false. */
  readonly includesPreprocessing?: boolean;
  /** Whether it gives probabilities instead of logits. Default false. */
  readonly includesSoftmax?: boolean;
}

/** Functions that Keras has by name, which of its families too. */
const activationNames: Readonly<Record<string, Partial<Record<LayerFamily, string>>>> = {
  sigmoid: { keras: 'sigmoid', tfjs: 'sigmoid' },
  tanh: { keras: 'tanh', tfjs: 'tanh' },
  softplus: { keras: 'softplus', tfjs: 'softplus' },
  softsign: { keras: 'softsign', tfjs: 'softsign' },
  selu: { keras: 'selu', tfjs: 'selu' },
  silu: { keras: 'silu', tfjs: 'swish' },
  mish: { keras: 'mish', tfjs: 'mish' },
  gelu: { keras: 'gelu', tfjs: 'gelu' },
  geluTanh: { tfjs: 'gelu_new' },
  exp: { keras: 'exponential' },
  hardSwish: { keras: 'hard_silu' },
  softmax: { keras: 'softmax', tfjs: 'softmax' },
};

const NO_PADDING: Padding2d = { top: 0, bottom: 0, left: 0, right: 0 };
const samePadding = (a: Padding2d, b: Padding2d): boolean =>
  a.top === b.top && a.bottom === b.bottom && a.left === b.left && a.right === b.right;

/** Says that a node has no layer. */
class NoLayer extends Error {}

function refuse(reason = ''): never {
  throw new NoLayer(reason);
}

/**
 * Turns a model's nodes, up to its logits, into layers of Keras.
 *
 * @throws {DaflError} `MODEL` if it has nodes that these layers can't express: all are named.
 */
export function emitLayers(model: Model, family: LayerFamily, options: EmitOptions = {}): EmittedModel {
  validateModel(model);
  const { graph } = model;
  const owner = family === 'keras' ? 'Keras' : 'TensorFlow.js';
  const reject = (rule: string, value: string): never => {
    fail({ code: 'MODEL', cannot: `write model '${graph.name}'`, as: `${owner} as ${rule}`, value });
  };
  const { logits } = graph.outputs;
  if (logits === undefined)
    return reject("it must have an output 'logits'", `[${Object.keys(graph.outputs).join(', ')}]`);
  const nodes = nodesReadFor(logits, graph.nodes);
  const emitter = new Emitter(family, nodes, inferShapes(graph), graph.inputShape);
  if (options.includesPreprocessing === true) {
    const { preprocessing } = graph;
    if (preprocessing === undefined)
      return reject("preprocessing can only be inside where the model has 'preprocessing'", 'undefined');
    const { mean, standardDeviation } = preprocessing;
    emitter.rescaleInput(
      standardDeviation.map((deviation) => 1 / (255 * deviation)),
      mean.map((value, channel) => 0 - value / standardDeviation[channel]),
    );
  }
  const refused: string[] = [];
  for (const node of nodes) {
    try {
      emitter.emit(node);
    } catch (error) {
      if (!(error instanceof NoLayer)) throw error;
      emitter.skip(node);
      refused.push(`${node.kind} '${node.name}'${error.message && ` (${error.message})`}`);
    }
  }
  if (refused.length > 0)
    reject(
      'its nodes must be ones that it has layers for',
      `${refused.length === 1 ? 'one is not' : `${refused.length} are not`}: ${refused.join(', ')}`,
    );
  emitter.finish(logits, options.includesSoftmax === true);
  return { name: graph.name, layers: orderAsKeras(emitter.layers) };
}

/**
 * Layers in the order in which Keras lists those of a model, which decides whose weights are whose in its files: by their
 * distance to the output, those of one distance as a walk from the output to the input first meets them.
 */
function orderAsKeras(layers: readonly EmittedLayer[]): EmittedLayer[] {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const met = new Map<string, number>();
  const stack = [layers[layers.length - 1].name];
  for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
    if (met.has(name)) continue;
    met.set(name, met.size);
    // The first of its inputs is walked first, to the end.
    stack.push(...byName.get(name)!.inputs.toReversed());
  }
  const distances = new Map<string, number>();
  for (const { name, inputs } of layers.toReversed()) {
    const next = (distances.get(name) ?? 0) + 1;
    for (const input of inputs) distances.set(input, Math.max(next, distances.get(input) ?? 0));
  }
  const distanceOf = ({ name }: EmittedLayer): number => distances.get(name) ?? 0;
  return layers
    .filter(({ name }) => met.has(name))
    .sort((a, b) => distanceOf(b) - distanceOf(a) || met.get(a.name)! - met.get(b.name)!);
}

/** What a layer is made of beside its name. */
interface Step {
  readonly className: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly weights?: readonly EmittedWeight[];
}

class Emitter {
  readonly layers: EmittedLayer[] = [];
  readonly #family: LayerFamily;
  readonly #shapes: ReturnType<typeof inferShapes>;
  readonly #inputShape: readonly number[];
  readonly #nodes: ReadonlyMap<string, ModelNode>;
  readonly #readers = new Map<string, ModelNode[]>();
  /** Layers by the node whose result they give. */
  readonly #made = new Map<string, string>();
  readonly #names = new Set<string>();
  /** Order of the rows of dense layers that read a flattening in another order, by the node that they read. */
  readonly #rows = new Map<string, readonly number[]>();

  constructor(
    family: LayerFamily,
    nodes: readonly ModelNode[],
    shapes: ReturnType<typeof inferShapes>,
    inputShape: readonly number[],
  ) {
    this.#family = family;
    this.#shapes = shapes;
    this.#inputShape = inputShape;
    this.#nodes = new Map(nodes.map((node) => [node.name, node]));
    for (const node of nodes)
      for (const input of node.inputs) this.#readers.set(input, [...(this.#readers.get(input) ?? []), node]);
    const shape = [null, ...inputShape];
    const config =
      family === 'keras'
        ? { batch_shape: shape, sparse: false, ragged: false }
        : { batch_input_shape: shape, sparse: false };
    this.#made.set('input', this.#add('input', { className: 'InputLayer', config }, [], inputShape));
  }

  rescaleInput(scale: readonly number[], offset: readonly number[]): void {
    const step = { className: 'Rescaling', config: { scale: short(scale), offset: short(offset) } };
    this.#made.set('input', this.#add('preprocessing', step, [this.#made.get('input')!], this.#inputShape));
  }

  /** Stands in for a node that was refused, so that those behind it are looked at as well. */
  skip(node: ModelNode): void {
    this.#made.set(node.name, this.#made.get('input')!);
  }

  finish(logits: string, hasSoftmax: boolean): void {
    const [last] = this.layers.slice(-1);
    const output = this.#made.get(logits)!;
    const shape = this.#shapeOf(logits);
    if (hasSoftmax) this.#add('probabilities', { className: 'Softmax', config: { axis: -1 } }, [output], shape);
    else if (last.name !== output) this.#add('output', linear, [output], shape);
  }

  emit(node: ModelNode): void {
    const { name, inputs } = node;
    const steps = this.#steps(node);
    const shape = this.#shapeOf(name);
    let reads = inputs.map((input) => this.#made.get(input)!);
    // TensorFlow.js adds what is negative.
    if (node.kind === 'subtract' && this.#family === 'tfjs') {
      const turned = { className: 'Rescaling', config: { scale: -1, offset: 0 } };
      reads = [reads[0], this.#add(`${name}_negative`, turned, [reads[1]], this.#shapeOf(inputs[1]))];
    }
    for (const [index, step] of steps.entries()) {
      const isLast = index === steps.length - 1;
      // Only Keras's tensors say their shapes, and Keras does not check them.
      reads = [this.#add(isLast ? name : `${name}_${step.className.toLowerCase()}`, step, reads, shape)];
    }
    this.#made.set(name, reads[0]);
    if (node.kind === 'activation' && node.function === 'hardSwish' && this.#family === 'tfjs') {
      const gate = reads[0];
      const product = this.#add(
        `${name}_product`,
        { className: 'Multiply' },
        [this.#made.get(inputs[0])!, gate],
        shape,
      );
      this.#made.set(name, product);
    }
  }

  #add(wanted: string, step: Step, inputs: readonly string[], shape: readonly number[]): string {
    // Slashes mean folders to Keras.
    const base = wanted.replaceAll('/', '_');
    let name = base;
    for (let count = 2; this.#names.has(name); count++) name = `${base}_${count}`;
    this.#names.add(name);
    const { className, config = {}, weights = [] } = step;
    this.layers.push({ className, name, config, inputs, shape, weights });
    return name;
  }

  #shapeOf(name: string): readonly number[] {
    return this.#shapes.get(name)?.output ?? this.#inputShape;
  }

  #weight(node: ModelNode, name: string, source: string, shape?: readonly number[]): EmittedWeight {
    const own = this.#shapes.get(node.name)!.weights[source].shape;
    return { name, source: `${node.name}.${source}`, shape: shape ?? own };
  }

  #steps(node: ModelNode): Step[] {
    const [input = this.#inputShape] = node.inputs.map((name) => this.#shapeOf(name));
    switch (node.kind) {
      case 'activation':
        return this.#activation(node);
      case 'add':
      case 'multiply':
      case 'maximum':
      case 'minimum':
      case 'subtract': {
        if (node.inputs.length === 1) return [linear];
        const subtract = this.#family === 'keras' ? 'Subtract' : 'Add';
        const classes = { add: 'Add', multiply: 'Multiply', maximum: 'Maximum', minimum: 'Minimum', subtract };
        return [{ className: classes[node.kind] }];
      }
      case 'affine':
        return [{ className: 'Rescaling', config: { scale: short(node.factor), offset: short(node.summand) } }];
      case 'averagePool2d':
        return this.#averagePool(node, input);
      case 'batchNorm':
        return [
          {
            className: 'BatchNormalization',
            config: {
              axis: -1,
              momentum: 1 - node.momentum,
              epsilon: node.epsilon,
              center: node.affine,
              scale: node.affine,
            },
            weights: [
              ...(node.affine ? [this.#weight(node, 'gamma', 'scale'), this.#weight(node, 'beta', 'offset')] : []),
              this.#weight(node, 'moving_mean', 'runningMean'),
              this.#weight(node, 'moving_variance', 'runningVariance'),
            ],
          },
        ];
      case 'clip': {
        const { minimum, maximum } = node;
        if (minimum === undefined && maximum === undefined) return [linear];
        if (minimum === undefined) {
          const turned = { className: 'Rescaling', config: { scale: -1, offset: maximum! } };
          return [turned, this.#relu(), turned];
        }
        const most = maximum === undefined ? undefined : maximum - minimum;
        if (minimum === 0) return [this.#relu(most)];
        const shift = (offset: number): Step => ({ className: 'Rescaling', config: { scale: 1, offset } });
        return [shift(-minimum), this.#relu(most), shift(minimum)];
      }
      case 'concat': {
        if (node.inputs.length === 1) return [linear];
        const axis = node.axis ?? input.length - 1;
        return [{ className: 'Concatenate', config: { axis: axis === input.length - 1 ? -1 : axis + 1 } }];
      }
      case 'conv2d':
        return this.#convolution(node, input);
      case 'dense': {
        const rows = this.#rows.get(node.inputs[0]);
        const kernel = this.#weight(node, 'kernel', 'kernel');
        return [
          {
            className: 'Dense',
            config: { units: node.units, activation: 'linear', use_bias: node.useBias },
            weights: [
              rows === undefined ? kernel : { ...kernel, rows },
              ...(node.useBias ? [this.#weight(node, 'bias', 'bias')] : []),
            ],
          },
        ];
      }
      case 'dropout':
        return [{ className: 'Dropout', config: { rate: node.rate, seed: null, noise_shape: null } }];
      case 'flatten':
        return this.#flatten(node, input);
      case 'globalAveragePool2d':
        return [this.#global('GlobalAveragePooling2D')];
      case 'groupNorm':
      case 'instanceNorm':
        if (this.#family === 'tfjs') return refuse();
        return [
          {
            className: 'GroupNormalization',
            config: {
              groups: node.kind === 'groupNorm' ? node.groups : -1,
              axis: -1,
              epsilon: node.epsilon,
              center: node.affine,
              scale: node.affine,
            },
            weights: this.#affineWeights(node),
          },
        ];
      case 'layerNorm':
        return [
          {
            className: 'LayerNormalization',
            config: { axis: -1, epsilon: node.epsilon, center: node.affine, scale: node.affine },
            weights: this.#affineWeights(node),
          },
        ];
      case 'maxPool2d':
        return this.#maxPool(node, input);
      case 'pad2d':
        if ((node.mode ?? 'constant') !== 'constant' || (node.value ?? 0) !== 0)
          refuse('it pads with other than zeros');
        return [zeros(node.padding)];
      case 'prelu': {
        const slope = this.#weight(node, 'alpha', 'slope', [...input.slice(0, -1).map(() => 1), input.at(-1)!]);
        const shared = input.slice(0, -1).map((_, axis) => axis + 1);
        return [{ className: 'PReLU', config: { shared_axes: shared }, weights: [slope] }];
      }
      case 'reduce':
        return this.#reduce(node, input);
      case 'reshape':
        return [{ className: 'Reshape', config: { target_shape: node.shape } }];
      case 'resize2d':
        return this.#resize(node, input);
      case 'slice': {
        const strides = node.strides ?? node.size.map(() => 1);
        const isCrop = input.length === 3 && strides.every((stride) => stride === 1) && node.size[2] === input[2];
        if (!isCrop) return refuse('it takes apart other than rows and columns');
        const [top, left] = node.begin;
        const cropping = [
          [top, input[0] - top - node.size[0]],
          [left, input[1] - left - node.size[1]],
        ];
        return [{ className: 'Cropping2D', config: { cropping, data_format: 'channels_last' } }];
      }
      case 'softmax':
        if (!node.logarithm) return [{ className: 'Softmax', config: { axis: node.axis + 1 } }];
        if (node.axis !== input.length - 1) return refuse('its logarithm is taken along another axis than the last');
        return [{ className: 'Activation', config: { activation: 'log_softmax' } }];
      case 'transpose':
        return [{ className: 'Permute', config: { dims: node.permutation.map((axis) => axis + 1) } }];
      case 'transposedConv2d':
        return this.#transposedConvolution(node, input);
      case 'upsampleNearest2d':
        return [
          {
            className: 'UpSampling2D',
            config: { size: node.factors, data_format: 'channels_last', interpolation: 'nearest' },
          },
        ];
      default:
        return refuse();
    }
  }

  #relu(most?: number): Step {
    const config = { max_value: most ?? null, ...(this.#family === 'keras' && { negative_slope: 0, threshold: 0 }) };
    return { className: 'ReLU', config };
  }

  #activation(node: NodeOfKind<'activation'>): Step[] {
    const isKeras = this.#family === 'keras';
    switch (node.function) {
      case 'relu':
        return [this.#relu()];
      case 'relu6':
        return [this.#relu(6)];
      case 'leakyRelu': {
        const slope = node.slope ?? 0.01;
        return [{ className: 'LeakyReLU', config: isKeras ? { negative_slope: slope } : { alpha: slope } }];
      }
      case 'elu':
        return [{ className: 'ELU', config: { alpha: node.alpha ?? 1 } }];
      case 'hardSigmoid':
      case 'hardSwish': {
        const { alpha = 1 / 6, beta = 0.5 } = node;
        const [known, knownBeta] = isKeras ? [1 / 6, 0.5] : [0.2, 0.5];
        if (isKeras && node.function === 'hardSwish') break;
        if (node.function === 'hardSigmoid' && alpha === known && beta === knownBeta)
          return [{ className: 'Activation', config: { activation: 'hard_sigmoid' } }];
        return [{ className: 'Rescaling', config: { scale: alpha, offset: beta } }, this.#relu(1)];
      }
      default:
    }
    const name = activationNames[node.function]?.[this.#family];
    return name === undefined ? refuse(node.function) : [{ className: 'Activation', config: { activation: name } }];
  }

  #affineWeights(node: NodeOfKind<'groupNorm' | 'instanceNorm' | 'layerNorm'>): EmittedWeight[] {
    return node.affine ? [this.#weight(node, 'gamma', 'scale'), this.#weight(node, 'beta', 'offset')] : [];
  }

  #global(className: string, keeps = false): Step {
    return {
      className,
      config: { data_format: 'channels_last', ...(this.#family === 'keras' && { keepdims: keeps }) },
    };
  }

  #averagePool(node: NodeOfKind<'averagePool2d'>, input: readonly number[]): Step[] {
    const { windowSize, strides, padding, countsPadding } = node;
    const pool = (kind: string): Step => ({
      className: 'AveragePooling2D',
      config: { pool_size: windowSize, strides, padding: kind, data_format: 'channels_last' },
    });
    if (samePadding(padding, NO_PADDING)) return [pool('valid')];
    if (countsPadding) return [zeros(padding), pool('valid')];
    if (samePadding(padding, paddingOf(input, windowSize, strides))) return [pool('same')];
    return refuse('its padding, which does not count');
  }

  #maxPool(node: NodeOfKind<'maxPool2d'>, input: readonly number[]): Step[] {
    const { windowSize, strides, padding } = node;
    const pool = (kind: string): Step => ({
      className: 'MaxPooling2D',
      config: { pool_size: windowSize, strides, padding: kind, data_format: 'channels_last' },
    });
    if (samePadding(padding, NO_PADDING)) return [pool('valid')];
    if (samePadding(padding, paddingOf(input, windowSize, strides))) return [pool('same')];
    // Zeros are less than nothing of what is >= 0.
    if (this.#isPositive(node.inputs[0])) return [zeros(padding), pool('valid')];
    return refuse('its padding, beside values below 0');
  }

  /** Whether a node gives nothing below 0. */
  #isPositive(name: string, depth = 0): boolean {
    const node = this.#nodes.get(name);
    if (node === undefined || depth > 50) return false;
    const all = (): boolean => node.inputs.every((input) => this.#isPositive(input, depth + 1));
    switch (node.kind) {
      case 'activation':
        return ['relu', 'relu6', 'sigmoid', 'hardSigmoid', 'softplus', 'exp', 'abs', 'softmax'].includes(node.function);
      case 'clip':
        return node.minimum !== undefined && node.minimum >= 0;
      case 'add':
      case 'multiply':
      case 'maximum':
      case 'concat':
      case 'dropout':
      case 'maxPool2d':
      case 'averagePool2d':
        return all();
      default:
        return false;
    }
  }

  #convolution(node: NodeOfKind<'conv2d'>, input: readonly number[]): Step[] {
    const { filters, kernelSize, strides, dilations, groups, useBias } = node;
    const channels = input[2];
    const isDepthwise = groups > 1 && groups === channels;
    if (dilations.some((rate) => rate !== 1) && strides.some((stride) => stride !== 1))
      refuse('it is dilated and has strides');
    if (this.#family === 'tfjs' && groups > 1 && !isDepthwise) refuse(`its ${groups} groups`);
    if (isDepthwise && strides[0] !== strides[1]) refuse('its strides differ');
    if (this.#family === 'tfjs' && isDepthwise && dilations.some((rate) => rate !== 1))
      refuse('it is dilated and depthwise');
    const same = paddingOf(input, kernelSize, strides, dilations);
    const kind = samePadding(node.padding, NO_PADDING) ? 'valid' : samePadding(node.padding, same) ? 'same' : undefined;
    const config = {
      kernel_size: kernelSize,
      strides,
      padding: kind ?? 'valid',
      data_format: 'channels_last',
      dilation_rate: dilations,
      activation: 'linear',
      use_bias: useBias,
    };
    const bias = useBias ? [this.#weight(node, 'bias', 'bias')] : [];
    const depthwiseShape = [...kernelSize, channels, filters / groups];
    const layer: Step = isDepthwise
      ? {
          className: 'DepthwiseConv2D',
          config: { ...config, depth_multiplier: filters / groups },
          weights: [this.#weight(node, 'depthwise_kernel', 'kernel', depthwiseShape), ...bias],
        }
      : {
          className: 'Conv2D',
          config: { filters, ...config, ...(this.#family === 'keras' && { groups }) },
          weights: [this.#weight(node, 'kernel', 'kernel'), ...bias],
        };
    return kind === undefined ? [zeros(node.padding), layer] : [layer];
  }

  #transposedConvolution(node: NodeOfKind<'transposedConv2d'>, input: readonly number[]): Step[] {
    const { filters, kernelSize, strides, dilations, groups, useBias, padding, outputPadding } = node;
    if (groups !== 1) refuse(`its ${groups} groups`);
    if (dilations.some((rate) => rate !== 1)) refuse('it is dilated');
    const kind = (['valid', 'same'] as const).find((candidate) =>
      ([0, 1] as const).every((axis) => {
        const reach = kernelSize[axis];
        const output = input[axis] * strides[axis] + (candidate === 'valid' ? Math.max(reach - strides[axis], 0) : 0);
        const total = candidate === 'same' ? Math.max(0, reach - strides[axis]) : 0;
        const rest = output - ((input[axis] - 1) * strides[axis] + reach - total);
        const [before, after] = axis === 0 ? [padding.top, padding.bottom] : [padding.left, padding.right];
        return before === Math.floor(total / 2) && after === Math.ceil(total / 2) && outputPadding[axis] === rest;
      }),
    );
    if (kind === undefined) return refuse('its padding');
    const config = {
      filters,
      kernel_size: kernelSize,
      strides,
      padding: kind,
      data_format: 'channels_last',
      dilation_rate: dilations,
      activation: 'linear',
      use_bias: useBias,
    };
    const bias = useBias ? [this.#weight(node, 'bias', 'bias')] : [];
    return [{ className: 'Conv2DTranspose', config, weights: [this.#weight(node, 'kernel', 'kernel'), ...bias] }];
  }

  /** Rows of maps in another order than Keras flattens in: the dense layers behind get their rows in Keras's, if they may. */
  #flatten(node: NodeOfKind<'flatten'>, input: readonly number[]): Step[] {
    if (input.length === 1) return [linear];
    const flatten: Step = { className: 'Flatten', config: { data_format: 'channels_last' } };
    if (node.order === 'hwc' || input.length !== 3 || input[0] * input[1] === 1 || input[2] === 1) return [flatten];
    const [height, width, channels] = input;
    const passed = this.#denseBehind(node.name);
    if (passed === undefined) return [{ className: 'Permute', config: { dims: [3, 1, 2] } }, flatten];
    const rows = Array.from({ length: height * width * channels }, (_, index) => {
      const channel = index % channels;
      return channel * height * width + Math.floor(index / channels);
    });
    for (const name of passed) this.#rows.set(name, rows);
    return [flatten];
  }

  /** Nodes between a flattening and the dense layers that alone read it; undefined where others do. */
  #denseBehind(name: string): string[] | undefined {
    const passed = [name];
    for (const current of passed) {
      const readers = this.#readers.get(current) ?? [];
      if (readers.length === 0) return undefined;
      for (const reader of readers) {
        if (reader.kind === 'dense') continue;
        const isEach = reader.kind === 'dropout' || (reader.kind === 'activation' && reader.function !== 'softmax');
        if (!isEach) return undefined;
        passed.push(reader.name);
      }
    }
    return passed;
  }

  #reduce(node: NodeOfKind<'reduce'>, input: readonly number[]): Step[] {
    const { operation, axes, keepDimensions } = node;
    const word = { mean: 'Average', max: 'Max', sum: undefined, min: undefined }[operation];
    if (word === undefined) return refuse(operation);
    const reshape: Step = { className: 'Reshape', config: { target_shape: this.#shapeOf(node.name) } };
    const behind = keepDimensions && this.#family === 'tfjs' ? [reshape] : [];
    if (input.length === 3 && axes.join() === '0,1')
      return [this.#global(`Global${word}Pooling2D`, keepDimensions), ...behind];
    if (input.length === 2 && axes.join() === '0')
      return [this.#global(`Global${word}Pooling1D`, keepDimensions), ...behind];
    return refuse(`along [${axes.join(', ')}]`);
  }

  #resize(node: NodeOfKind<'resize2d'>, input: readonly number[]): Step[] {
    const { size, mode, coordinates } = node;
    const factors = [size[0] / input[0], size[1] / input[1]];
    const wanted = this.#family === 'keras' ? 'halfPixel' : 'asymmetric';
    if (mode !== 'bilinear' || coordinates !== wanted || !factors.every(Number.isInteger))
      return refuse(`${mode}, ${coordinates}`);
    return [
      { className: 'UpSampling2D', config: { size: factors, data_format: 'channels_last', interpolation: 'bilinear' } },
    ];
  }
}

const linear: Step = { className: 'Activation', config: { activation: 'linear' } };

/** One number for all channels where they are equal. */
function short(values: readonly number[]): number | readonly number[] {
  return values.length === 1 ? values[0] : values;
}

function zeros({ top, bottom, left, right }: Padding2d): Step {
  const padding = [
    [top, bottom],
    [left, right],
  ];
  return { className: 'ZeroPadding2D', config: { padding, data_format: 'channels_last' } };
}

/** What Keras calls the padding 'same'. */
function paddingOf(input: readonly number[], window: Size2d, strides: Size2d, dilations: Size2d = [1, 1]): Padding2d {
  const around = (axis: 0 | 1): readonly [before: number, after: number] => {
    const reach = (window[axis] - 1) * dilations[axis] + 1;
    const total = Math.max(0, (Math.ceil(input[axis] / strides[axis]) - 1) * strides[axis] + reach - input[axis]);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  };
  const [[top, bottom], [left, right]] = [around(0), around(1)];
  return { top, bottom, left, right };
}

/** The values of a layer's weight. */
export function storedTensor({ source, shape, rows }: EmittedWeight, weights: Model['weights']): HostTensor {
  const { data } = weights.get(source)!;
  if (rows === undefined) return { shape, data };
  const width = shape[1];
  const moved = new Float32Array(data.length);
  for (const [index, row] of rows.entries()) moved.set(data.subarray(row * width, (row + 1) * width), index * width);
  return { shape, data: moved };
}

/** The way back of `storedTensor`: the node's weight, of the shape `shape`. */
export function restoredTensor({ rows }: EmittedWeight, { data }: HostTensor, shape: readonly number[]): HostTensor {
  if (rows === undefined) return { shape, data };
  const width = shape[1];
  const moved = new Float32Array(data.length);
  for (const [index, row] of rows.entries()) moved.set(data.subarray(index * width, (index + 1) * width), row * width);
  return { shape, data: moved };
}
