import { type HostTensor, showValue, type Padding2d, type Size2d } from '@dafl/core';
import type { JsonObject, JsonValue } from '../_parse-json.ts';
import type { Activation, GraphBuilder, NodeFields, NodeWeights } from '../onnx/graph-builder.ts';
import type { LoweringSite } from '../onnx/operator-node.ts';
import { UnsupportedError } from '../onnx/unsupported-error.ts';

/** Which rules the names of functions and defaults of layers follow. */
export type Dialect = 'keras2' | 'keras3' | 'tfjs';

/** Where the sizes of maps stand. */
export interface MapAxes {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** A call of a layer as its lowering sees it. */
export class LayerSite implements LoweringSite {
  readonly name: string;
  readonly className: string;
  readonly builder: GraphBuilder;
  readonly dialect: Dialect;
  readonly inputs: readonly Activation[];
  readonly #config: JsonObject;
  readonly #take: (names: readonly string[]) => readonly HostTensor[];

  /** @param take Gives the layer's weights, which are called as named, in Keras's order. */
  constructor(
    layer: { readonly name: string; readonly className: string; readonly config: JsonObject },
    inputs: readonly Activation[],
    builder: GraphBuilder,
    dialect: Dialect,
    take: (names: readonly string[]) => readonly HostTensor[],
  ) {
    this.name = layer.name;
    this.className = layer.className;
    this.#config = layer.config;
    this.inputs = inputs;
    this.builder = builder;
    this.dialect = dialect;
    this.#take = take;
  }

  refuse(reason: string): never {
    throw new UnsupportedError(reason);
  }

  /** The one tensor that it reads. */
  get input(): Activation {
    return this.inputs.length === 1
      ? this.inputs[0]
      : this.refuse(`it reads ${this.inputs.length} tensors in place of one`);
  }

  /** A value of its config; null counts as absent. */
  get(key: string): JsonValue | undefined {
    return this.#config.get(key) ?? undefined;
  }

  number(key: string, otherwise: number): number {
    const value = this.get(key) ?? otherwise;
    return typeof value === 'number' ? value : this.refuse(`its ${key} is ${showValue(value)}, no number`);
  }

  optionalNumber(key: string): number | undefined {
    return this.get(key) === undefined ? undefined : this.number(key, 0);
  }

  flag(key: string, otherwise: boolean): boolean {
    const value = this.get(key) ?? otherwise;
    return typeof value === 'boolean' ? value : this.refuse(`its ${key} is ${showValue(value)}, not true or false`);
  }

  text(key: string, otherwise: string): string {
    const value = this.get(key) ?? otherwise;
    return typeof value === 'string' ? value : this.refuse(`its ${key} is ${showValue(value)}, no text`);
  }

  /** A number alone is a list of one. */
  numbers(key: string): number[] | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    const list = Array.isArray(value) ? (value as readonly JsonValue[]).flat(8) : [value];
    return list.map((entry) => (typeof entry === 'number' ? entry : this.refuse(`its ${key} is no list of numbers`)));
  }

  /** Two sizes; one stands for both. */
  pair(key: string, otherwise: Size2d): Size2d {
    const sizes = this.numbers(key) ?? otherwise;
    if (sizes.length > 2 || sizes.length === 0 || sizes.some((size) => !Number.isInteger(size) || size < 1))
      return this.refuse(`its ${key} is [${sizes.join(', ')}], not two sizes`);
    return [sizes[0], sizes[1] ?? sizes[0]];
  }

  /** A weight of a known shape for each name. */
  weights<const Names extends readonly string[]>(names: Names): { readonly [Index in keyof Names]: HostTensor } {
    return this.#take(names) as { readonly [Index in keyof Names]: HostTensor };
  }

  get isChannelsFirst(): boolean {
    const format = this.text('data_format', 'channels_last');
    if (format !== 'channels_first' && format !== 'channels_last')
      this.refuse(`its data_format is ${showValue(format)}`);
    return format === 'channels_first';
  }

  /** Where the sizes of the maps that it reads stand. */
  get mapAxes(): MapAxes {
    const { shape } = this.input;
    if (shape.length !== 4) this.refuse(`it reads a tensor of rank ${shape.length}: only 4 is supported`);
    return this.isChannelsFirst ? { height: 2, width: 3, channels: 1 } : { height: 1, width: 2, channels: 3 };
  }

  /** The maps that it reads, channels last. */
  get maps(): Activation {
    const { height, width, channels } = this.mapAxes;
    return this.builder.arrange(this.name, this.input, [height, width, channels]);
  }

  /** Rows, columns and channels that it reads. */
  get mapSizes(): readonly [height: number, width: number, channels: number] {
    const { height, width, channels } = this.mapAxes;
    const { shape } = this.input;
    return [shape[height], shape[width], shape[channels]];
  }

  /** What a node makes of maps: maps of other sizes. */
  addMaps(
    fields: NodeFields,
    [height, width, channels]: readonly number[],
    weights: NodeWeights = {},
    input: Activation = this.maps,
    name: string = this.name,
  ): Activation {
    const axes = this.mapAxes;
    const shape = [1, 1, 1, 1];
    shape[axes.height] = height;
    shape[axes.width] = width;
    shape[axes.channels] = channels;
    if (shape.some((size) => !(size >= 1))) this.refuse(`it makes maps of ${height} x ${width} x ${channels}`);
    return { node: this.builder.add(name, fields, [input.node], weights), shape, order: input.order };
  }

  /** Rows and columns around maps that a window slides over, by its `padding`. */
  padding(window: Size2d, strides: Size2d, dilations: Size2d = [1, 1]): Padding2d {
    const kind = this.text('padding', 'valid').toLowerCase();
    if (kind === 'valid') return { top: 0, bottom: 0, left: 0, right: 0 };
    if (kind !== 'same') return this.refuse(`its padding is ${showValue(kind)}`);
    const sizes = this.mapSizes;
    const around = (axis: 0 | 1): readonly [before: number, after: number] => {
      const reach = (window[axis] - 1) * dilations[axis] + 1;
      const total = Math.max(0, (Math.ceil(sizes[axis] / strides[axis]) - 1) * strides[axis] + reach - sizes[axis]);
      return [Math.floor(total / 2), Math.ceil(total / 2)];
    };
    const [[top, bottom], [left, right]] = [around(0), around(1)];
    return { top, bottom, left, right };
  }

  /** An axis as a number >= 0, the batch counted. */
  axis(axis: number): number {
    const rank = this.input.shape.length;
    const found = axis < 0 ? axis + rank : axis;
    if (!Number.isInteger(found) || found < 1 || found >= rank) this.refuse(`it has no axis ${axis} beside the batch`);
    return found;
  }
}

/** Turns a call of a layer into nodes of dafl's. */
export type LayerLowering = (site: LayerSite) => Activation;

/** Lowerings by class. */
export type LayerLowerings = Readonly<Record<string, LayerLowering>>;
