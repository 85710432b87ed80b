import {
  type ActivationFunction,
  fail,
  type Graph,
  inferShapes,
  type ModelNode,
  type Padding2d,
  type Preprocessing,
} from '@dafl/core';

/** What an architecture may be asked for, whatever it is. */
export interface ArchitectureOptions {
  /** Number of classes, an integer >= 2. Default: the architecture's own. */
  readonly classes?: number;
  /** `[height, width, channels]`. Default: the architecture's own. */
  readonly inputShape?: readonly [height: number, width: number, channels: number];
  /** Name of the graph. Default: the architecture's. */
  readonly name?: string;
}

/** What an architecture is where the options say nothing. */
export interface ArchitectureDefaults {
  readonly name: string;
  readonly classes: number;
  readonly inputShape: readonly [height: number, width: number, channels: number];
  /** For as many channels as `inputShape` has; other inputs are brought to -1..1. */
  readonly preprocessing: Preprocessing;
}

/** Mean and deviation of the pixels (0..1) of CIFAR-10's training images. */
export const cifarPreprocessing: Preprocessing = {
  resize: 'bilinear',
  mean: [0.4914, 0.4822, 0.4465],
  standardDeviation: [0.247, 0.2435, 0.2616],
};

/** Mean and deviation of the pixels (0..1) of ImageNet's training images. */
export const imageNetPreprocessing: Preprocessing = {
  resize: 'bilinear',
  mean: [0.485, 0.456, 0.406],
  standardDeviation: [0.229, 0.224, 0.225],
};

/** What a graph of one's own is made for: `classes` and `inputShape` have no defaults there. */
export interface GraphBuilderOptions extends ArchitectureOptions {
  /** Of as many channels as `inputShape` has. Default: pixels are brought to -1..1. */
  readonly preprocessing?: Preprocessing;
}

const noDefaults: ArchitectureDefaults = {
  name: 'network',
  classes: Number.NaN,
  inputShape: [] as unknown as ArchitectureDefaults['inputShape'],
  preprocessing: { resize: 'bilinear', mean: [], standardDeviation: [] },
};

/** How a convolution differs from one of stride 1 that keeps the size. */
export interface ConvolutionOptions {
  readonly kernel?: number;
  readonly stride?: number;
  /** Default: half of the kernel. */
  readonly padding?: number;
  readonly groups?: number;
  readonly useBias?: boolean;
  /** Default: the last node. */
  readonly from?: string;
}

/**
 * Puts the nodes of a classifier together; each reads the one before it unless told otherwise, and each method returns
 * the name of its node. Convolutions keep the size and have no bias unless told otherwise.
 *
 * @example
 * ```ts
 * const builder = new GraphBuilder({ name: 'mine', classes: 10, inputShape: [28, 28, 1] });
 * builder.convolution('conv', 8, { useBias: true });
 * builder.activation('relu');
 * builder.maxPool('pool', 2);
 * builder.flatten('features', 'chw');
 * const graph = builder.classifier();
 * ```
 */
export class GraphBuilder {
  /** Number of classes. */
  readonly classes: number;
  readonly #options: GraphBuilderOptions;
  readonly #defaults: ArchitectureDefaults;
  readonly #nodes: ModelNode[] = [];

  /**
   * @param defaults Where the options say nothing; none for a graph of one's own.
   * @throws {DaflError} `USAGE` if an option is out of range, or missing without a default.
   */
  constructor(options: GraphBuilderOptions, defaults: ArchitectureDefaults = noDefaults) {
    this.#options = options;
    this.#defaults = defaults;
    this.classes = options.classes ?? defaults.classes;
    const reject = (name: string, rule: string, value: unknown): never => {
      fail({ cannot: `create ${defaults.name}`, as: `'${name}' must ${rule}`, value });
    };
    if (!(Number.isInteger(this.classes) && this.classes >= 2)) reject('classes', 'be an integer >= 2', this.classes);
    if (this.inputShape.length !== 3 || this.inputShape.some((size) => !Number.isInteger(size) || size < 1))
      reject('inputShape', 'be three integers >= 1', `[${this.inputShape.join(', ')}]`);
  }

  /** `[height, width, channels]`. */
  get inputShape(): readonly [number, number, number] {
    return this.#options.inputShape ?? this.#defaults.inputShape;
  }

  /** Name of the last node. */
  get last(): string {
    return this.#nodes.at(-1)?.name ?? 'input';
  }

  /** Any other kind of node. */
  append(node: ModelNode): string {
    this.#nodes.push(node);
    return node.name;
  }

  /** @param filters Number of output channels, >= 1. */
  convolution(name: string, filters: number, options: ConvolutionOptions = {}): string {
    const { kernel = 3, stride = 1, groups = 1, useBias = false, from = this.last } = options;
    return this.append({
      kind: 'conv2d',
      name,
      inputs: [from],
      filters,
      kernelSize: [kernel, kernel],
      strides: [stride, stride],
      padding: around(options.padding ?? Math.floor(kernel / 2)),
      dilations: [1, 1],
      groups,
      useBias,
    });
  }

  batchNorm(name: string): string {
    return this.append({ kind: 'batchNorm', name, inputs: [this.last], epsilon: 1e-5, momentum: 0.1, affine: true });
  }

  activation(name: string, kind: ActivationFunction = 'relu'): string {
    return this.append({ kind: 'activation', name, inputs: [this.last], function: kind });
  }

  maxPool(name: string, size: number, stride: number = size, padding = 0): string {
    return this.append({
      kind: 'maxPool2d',
      name,
      inputs: [this.last],
      windowSize: [size, size],
      strides: [stride, stride],
      padding: around(padding),
    });
  }

  add(name: string, inputs: readonly string[]): string {
    return this.append({ kind: 'add', name, inputs });
  }

  globalAveragePool(name: string): string {
    return this.append({ kind: 'globalAveragePool2d', name, inputs: [this.last] });
  }

  /** @param order As the published network reads its maps, which are channels first. */
  flatten(name: string, order: 'hwc' | 'chw' = 'hwc'): string {
    return this.append({ kind: 'flatten', name, inputs: [this.last], order });
  }

  /** @param rate Share of the values that training drops, 0..1; none adds no node. */
  dropout(name: string, rate: number): void {
    if (rate > 0) this.append({ kind: 'dropout', name, inputs: [this.last], rate });
  }

  dense(name: string, units: number): string {
    return this.append({ kind: 'dense', name, inputs: [this.last], units, useBias: true });
  }

  /** Ends with a dense layer of the classes. `features` is what it reads. @throws {DaflError} `MODEL` if sizes do not fit. */
  classifier(features: string = this.last): Graph {
    return this.graph(this.dense('logits', this.classes), features);
  }

  /** Ends with the nodes that are there. @throws {DaflError} `MODEL` if sizes do not fit. */
  graph(logits: string, features: string): Graph {
    const { name } = this.#defaults;
    const preprocessing = this.#options.preprocessing ?? this.#defaults.preprocessing;
    const channels = this.inputShape[2];
    const neutral = Array<number>(channels).fill(0.5);
    const graph: Graph = {
      name: this.#options.name ?? name,
      inputShape: this.inputShape,
      nodes: this.#nodes,
      outputs: { logits, features },
      preprocessing:
        preprocessing.mean.length === channels
          ? preprocessing
          : { resize: 'bilinear', mean: neutral, standardDeviation: neutral },
    };
    inferShapes(graph);
    return graph;
  }
}

function around(size: number): Padding2d {
  return { top: size, bottom: size, left: size, right: size };
}
