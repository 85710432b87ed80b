import { DaflError } from '@dafl/core';
import type { OperationAttribute, TensorflowBinding } from './tensorflow-binding.ts';

/** A tensor of TensorFlow's, by its number. */
export type TensorId = number;

/** Attributes of an operation by name. Numbers with a fraction are told from integers by their kind, not their value. */
export type Attributes = Readonly<Record<string, Attribute>>;

/** One attribute's kind and value. */
export type Attribute =
  | { readonly kind: 'type'; readonly value: 'float32' | 'int32' }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'integer'; readonly value: number | readonly number[] }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean };

export const FLOAT32: Attribute = { kind: 'type', value: 'float32' };
export const INT32: Attribute = { kind: 'type', value: 'int32' };

/** Small constant tensors (shapes, axes, factors) that are kept for their next use. */
const MOST_CONSTANTS = 512;

/** Runs TensorFlow's operations and owns their temporary results. */
export class Tensorflow {
  readonly binding: TensorflowBinding;
  readonly #constants = new Map<string, TensorId>();
  #temporaries: TensorId[] = [];

  constructor(binding: TensorflowBinding) {
    this.binding = binding;
  }

  /** Runs an operation of one result. */
  run(name: string, inputs: readonly TensorId[], attributes: Attributes = {}): TensorId {
    return this.runMany(name, inputs, attributes, 1)[0];
  }

  /**
   * Runs an operation of `outputCount` results.
   *
   * @throws {DaflError} `OUT_OF_MEMORY` if there is no memory for the results.
   */
  runMany(name: string, inputs: readonly TensorId[], attributes: Attributes, outputCount: number): TensorId[] {
    try {
      const listed = Object.entries(attributes).map(([key, attribute]) => this.#attribute(key, attribute));
      return this.binding.executeOp(name, listed, inputs, outputCount).map(({ id }) => id);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (/OOM|out of memory|RESOURCE_EXHAUSTED|failed to allocate/i.test(message)) {
        throw new DaflError('OUT_OF_MEMORY', `Cannot run ${name} as its result must fit into memory: ${message}`, {
          cause: error,
        });
      }
      throw error;
    }
  }

  /** Runs an operation whose result is freed when the innermost `scope` ends. */
  temporary(name: string, inputs: readonly TensorId[], attributes: Attributes = {}): TensorId {
    return this.keep(this.run(name, inputs, attributes));
  }

  /** Frees a tensor when the innermost `scope` ends. */
  keep(id: TensorId): TensorId {
    this.#temporaries.push(id);
    return id;
  }

  /** Frees a temporary tensor now, before its scope ends. */
  release(id: TensorId): void {
    const index = this.#temporaries.lastIndexOf(id);
    if (index === -1) throw new DaflError('USAGE', `Cannot release tensor ${id} as it must be temporary in this scope`);
    this.#temporaries.splice(index, 1);
    this.free(id);
  }

  /** Runs `compute` and frees the temporaries that it made. What it returns must not be one of them. */
  scope<Result>(compute: () => Result): Result {
    const outer = this.#temporaries;
    this.#temporaries = [];
    try {
      return compute();
    } finally {
      for (const id of this.#temporaries) this.free(id);
      this.#temporaries = outer;
    }
  }

  /** Makes a tensor of an array that nobody writes to any longer. */
  create(data: Float32Array | Int32Array, shape: readonly number[]): TensorId {
    const { TF_FLOAT, TF_INT32 } = this.binding;
    return this.binding.createTensor(shape, data instanceof Int32Array ? TF_INT32 : TF_FLOAT, data);
  }

  /** A vector of integers: a shape, axes, paddings. It must not be freed. */
  integers(values: readonly number[], shape: readonly number[] = [values.length]): TensorId {
    return this.#constant(`i${shape.join()}:${values.join()}`, () => this.create(Int32Array.from(values), shape));
  }

  /** Floats that a key names. They must not be freed. */
  floats(key: string, shape: readonly number[], create: () => Float32Array): TensorId {
    return this.#constant(`k${shape.join()}:${key}`, () => this.create(create(), shape));
  }

  /** Integers that a key names. They must not be freed. */
  table(key: string, shape: readonly number[], create: () => Int32Array): TensorId {
    return this.#constant(`t${shape.join()}:${key}`, () => this.create(create(), shape));
  }

  /** A float scalar. It must not be freed. */
  scalar(value: number): TensorId {
    return this.#constant(`f${Object.is(value, -0) ? '-0' : value}`, () => this.create(Float32Array.of(value), []));
  }

  free(id: TensorId): void {
    this.binding.deleteTensor(id);
  }

  /** Frees the constants. */
  close(): void {
    for (const id of this.#constants.values()) this.free(id);
    this.#constants.clear();
  }

  #constant(key: string, create: () => TensorId): TensorId {
    const known = this.#constants.get(key);
    if (known !== undefined) {
      // Moved to the end: the first one is the one that was not used for longest.
      this.#constants.delete(key);
      this.#constants.set(key, known);
      return known;
    }
    const id = create();
    this.#constants.set(key, id);
    return id;
  }

  /** Forgets the constants that were not used for longest. Called between kernels, when none is an argument. */
  trimConstants(): void {
    for (const [key, id] of this.#constants) {
      if (this.#constants.size <= MOST_CONSTANTS) return;
      this.#constants.delete(key);
      this.free(id);
    }
  }

  #attribute(name: string, attribute: Attribute): OperationAttribute {
    const { binding } = this;
    switch (attribute.kind) {
      case 'type': {
        const value = attribute.value === 'int32' ? binding.TF_INT32 : binding.TF_FLOAT;
        return { name, type: binding.TF_ATTR_TYPE, value };
      }
      case 'string':
        return { name, type: binding.TF_ATTR_STRING, value: attribute.value };
      case 'integer':
        return { name, type: binding.TF_ATTR_INT, value: attribute.value };
      case 'float':
        return { name, type: binding.TF_ATTR_FLOAT, value: attribute.value };
      case 'boolean':
        return { name, type: binding.TF_ATTR_BOOL, value: attribute.value };
    }
  }
}
