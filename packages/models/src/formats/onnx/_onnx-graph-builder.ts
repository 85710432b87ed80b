import type { HostTensor } from '@dafl/core';
import { floatTensor, integerTensor, type OnnxAttribute, type OnnxNode, type OnnxTensor } from './_onnx-messages.ts';

/**
 * A tensor of the graph in the making. Values of shape `[height, width, channels]` lie as NCHW in the file, all others
 * as they are in dafl, behind the batch.
 */
export interface OnnxValue {
  readonly name: string;
  /** Of one example, as dafl has it: channels last. */
  readonly shape: readonly number[];
  /** Whether it is the same for each example, and lies once for all of them. */
  readonly isFixed: boolean;
}

/** Shape of one example in the file. */
export function storedShape(shape: readonly number[]): readonly number[] {
  return shape.length === 3 ? [shape[2], shape[0], shape[1]] : shape;
}

/** Gathers the nodes and tensors of an ONNX graph and gives each a name of its own. */
export class OnnxGraphBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly tensors: OnnxTensor[] = [];
  readonly #outputs: ReadonlyMap<string, string>;
  readonly #taken: Set<string>;

  /**
   * @param outputs Nodes whose results leave the graph, with the names under which they do.
   * @param taken Further names that nothing inside may have.
   */
  constructor(outputs: ReadonlyMap<string, string>, taken: readonly string[]) {
    this.#outputs = outputs;
    this.#taken = new Set([...taken, ...outputs.values()]);
  }

  /** A name that is free; ':' is in no name of dafl's. */
  name(wanted: string): string {
    let name = wanted;
    for (let count = 2; this.#taken.has(name); count++) name = `${wanted}:${count}`;
    this.#taken.add(name);
    return name;
  }

  tensor(wanted: string, dataType: number, shape: readonly number[], bytes: Uint8Array): string {
    const name = this.name(wanted);
    this.tensors.push({ name, dataType, shape, bytes });
    return name;
  }

  floats(wanted: string, values: HostTensor): string {
    const name = this.name(wanted);
    this.tensors.push(floatTensor(name, values));
    return name;
  }

  scalar(wanted: string, value: number): string {
    return this.floats(wanted, { shape: [], data: Float32Array.of(value) });
  }

  integers(wanted: string, values: readonly number[]): string {
    const name = this.name(wanted);
    this.tensors.push(integerTensor(name, values));
    return name;
  }

  /** Constants for each channel, shaped to broadcast over values of `rank` sizes an example; one constant for all. */
  channels(wanted: string, values: readonly number[], rank: number): string {
    const behind = rank === 3 ? [1, 1] : [];
    const shape = values.length === 1 ? [] : [values.length, ...behind];
    return this.floats(wanted, { shape, data: Float32Array.from(values) });
  }

  /** Appends an operator; returns the name of its result. */
  emit(
    operator: string,
    inputs: readonly string[],
    output: string,
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
  ): string {
    const value = this.#outputs.get(output) ?? output;
    this.nodes.push({ name: output, operator, inputs, outputs: [value], attributes });
    return value;
  }

  /** Appends an operator whose result is nobody's node. */
  step(
    operator: string,
    inputs: readonly string[],
    wanted: string,
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
  ): string {
    return this.emit(operator, inputs, this.name(wanted), attributes);
  }
}
