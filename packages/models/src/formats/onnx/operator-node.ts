import { type Constant, sizeOf } from './constant.ts';
import { type Activation, type GraphBuilder, isActivation, type TraceValue, usualOrder } from './graph-builder.ts';
import type { OnnxAttribute, OnnxNode, OnnxTensor } from './parse-onnx.ts';
import { UnsupportedError } from './unsupported-error.ts';

/** Values that a constant may have whatever it is made of: masks of attention windows are larger than what asks for them. */
const SMALL_CONSTANT = 2 ** 22;

/** What the lowering of a node or layer needs to know of it to add others. */
export interface LoweringSite {
  readonly name: string;
  readonly builder: GraphBuilder;
  /** Ends the lowering of this node. */
  refuse(reason: string): never;
}

/** A node of the file as the lowering of its operator sees it. */
export class OperatorNode implements LoweringSite {
  readonly name: string;
  readonly operator: string;
  readonly opset: number;
  readonly builder: GraphBuilder;
  /** Undefined where an optional input is left out. */
  readonly inputs: readonly (TraceValue | undefined)[];
  /** How many outputs are named. */
  readonly outputCount: number;
  readonly #node: OnnxNode;
  readonly #attributes: ReadonlyMap<string, OnnxAttribute>;
  readonly #decode: (tensor: OnnxTensor) => Constant;

  constructor(
    node: OnnxNode,
    inputs: readonly (TraceValue | undefined)[],
    builder: GraphBuilder,
    opset: number,
    decode: (tensor: OnnxTensor) => Constant,
  ) {
    this.#node = node;
    this.#decode = decode;
    this.name = node.name === '' ? node.operator : node.name;
    this.operator = node.operator;
    this.opset = opset;
    this.builder = builder;
    this.inputs = inputs;
    this.outputCount = node.outputs.length;
    this.#attributes = node.attributes;
  }

  /** Ends the lowering of this node. */
  refuse(reason: string): never {
    throw new UnsupportedError(reason);
  }

  /** The same node with other inputs, and other values of some attributes: for operators that are others but for these. */
  reading(
    inputs: readonly (TraceValue | undefined)[],
    attributes: readonly (readonly [string, OnnxAttribute])[] = [],
  ): OperatorNode {
    const node = { ...this.#node, attributes: new Map([...this.#attributes, ...attributes]) };
    return new OperatorNode(node, inputs, this.builder, this.opset, this.#decode);
  }

  /**
   * Number of values of a constant that this node makes. A few numbers in a file may ask for any amount of memory: what
   * is made must be small, or not much larger than what it is made of.
   */
  sizeToMake(shape: readonly number[]): number {
    if (!shape.every((length) => Number.isInteger(length) && length >= 0))
      this.refuse(`it makes a constant of [${shape.join(', ')}]`);
    const size = sizeOf(shape);
    const given = this.inputs.reduce(
      (most, input) => (input === undefined || isActivation(input) ? most : Math.max(most, input.values.length)),
      0,
    );
    return size <= Math.max(SMALL_CONSTANT, 4 * given) ? size : this.refuse(`it makes a constant of ${size} values`);
  }

  has(attribute: string): boolean {
    return this.#attributes.has(attribute);
  }

  number(attribute: string, otherwise: number): number {
    const value = this.#attributes.get(attribute) ?? otherwise;
    return typeof value === 'number' ? value : this.refuse(`attribute ${attribute} is no number`);
  }

  text(attribute: string, otherwise: string): string {
    const value = this.#attributes.get(attribute) ?? otherwise;
    return typeof value === 'string' ? value : this.refuse(`attribute ${attribute} is no text`);
  }

  numbers(attribute: string): readonly number[] | undefined {
    const value = this.#attributes.get(attribute);
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((entry) => typeof entry === 'number')) return value;
    return this.refuse(`attribute ${attribute} is no list of numbers`);
  }

  tensor(attribute: string): Constant | undefined {
    const value = this.#attributes.get(attribute);
    if (value === undefined) return undefined;
    return typeof value === 'object' && 'dataType' in value
      ? this.#decode(value)
      : this.refuse(`attribute ${attribute} is no tensor`);
  }

  /** Numbers that are an attribute in older versions of an operator and an input in newer ones. */
  numbersAt(attribute: string, input: number): readonly number[] | undefined {
    const value = this.#attributes.get(attribute);
    if (value !== undefined) return typeof value === 'number' ? [value] : this.numbers(attribute);
    const constant = this.optionalConstant(input);
    return constant === undefined ? undefined : [...constant.values];
  }

  input(index: number): TraceValue {
    const value = this.inputs[index] ?? this.refuse(`input ${index} is missing`);
    return isActivation(value) && value.isQuantized && this.operator !== 'DequantizeLinear'
      ? this.refuse('it computes with quantised activations')
      : value;
  }

  activation(index: number): Activation {
    const value = this.input(index);
    return isActivation(value) ? value : this.refuse(`input ${index} is a constant`);
  }

  constant(index: number): Constant {
    return this.optionalConstant(index) ?? this.refuse(`input ${index} is missing`);
  }

  optionalConstant(index: number): Constant | undefined {
    const value = this.inputs[index];
    return isActivation(value) ? this.refuse(`input ${index} is not constant`) : value;
  }

  /** An input as an activation, constants as nodes. */
  operand(index: number): Activation {
    const value = this.input(index);
    return isActivation(value) ? value : this.builder.constant(`${this.name}.constant`, value);
  }

  /** An axis as a number >= 0. */
  axis(axis: number, rank: number): number {
    const found = axis < 0 ? axis + rank : axis;
    if (!Number.isInteger(found) || found < 0 || found >= rank) this.refuse(`it has no axis ${axis}`);
    return found;
  }

  /** Axes as numbers >= 0, each once. */
  distinctAxes(axes: readonly number[], rank: number): number[] {
    const found = axes.map((axis) => this.axis(axis, rank));
    if (new Set(found).size !== found.length) this.refuse(`it names an axis twice: [${axes.join(', ')}]`);
    return found;
  }

  /** The order that `perm` gives axes; reversed where there is none. */
  permutation(rank: number): readonly number[] {
    const order = this.numbers('perm') ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
    const isWhole = Array.from({ length: rank }, (_, axis) => order.includes(axis)).every(Boolean);
    if (order.length !== rank || !isWhole) this.refuse(`it orders ${rank} axes by [${order.join(', ')}]`);
    return order;
  }

  /** An input that must be maps, `[batch, channels, height, width]`, with its channels last. */
  maps(index: number): Activation {
    const value = this.activation(index);
    if (value.shape.length !== 4) this.refuse(`it reads a tensor of rank ${value.shape.length}: only 4 is supported`);
    if (value.shape[0] !== 1) this.refuse('it reads several maps of an example');
    return this.builder.arrange(this.name, value, usualOrder(value.shape));
  }
}

/** Turns a node into nodes of dafl's, and gives what it writes. */
export type Lowering = (node: OperatorNode) => TraceValue | readonly TraceValue[];

/** Lowerings by operator. */
export type Lowerings = Readonly<Record<string, Lowering>>;
