import type { Shape } from '@dafl/core';
import type { Storage as SharedStorage } from '@dafl/core/backend-base';
import { reshape, type Shaped } from './layout.ts';
import type { Tensorflow, TensorId } from './tensorflow.ts';

/**
 * The elements of tensors that share memory, which never change. TensorFlow has them in the shape that they were made
 * in; another shape is asked of it when a kernel first wants it, and kept. So are small tensors that follow from them.
 */
export class Storage implements SharedStorage {
  readonly bytes: number;
  /** Tensors that use it. */
  references = 1;
  /** What they are cut out of, or null. */
  readonly part: Part | null;
  /** The value of all of them, where it is known to be one, or null. */
  readonly value: number | null;
  #id: TensorId | null;
  readonly #tf: Tensorflow;
  /** The shape that they were made in. */
  readonly madeAs: Shape;
  readonly #madeAs: string;
  /** Other shapes, and what follows from the elements. */
  #derived: Map<string, TensorId> | null = null;

  /** Takes over the tensor. A part is cut out, and a value repeated, when TensorFlow first needs the elements. */
  constructor(tf: Tensorflow, source: TensorId | Part | { readonly value: number }, shape: Shape, bytes: number) {
    this.#tf = tf;
    this.#id = typeof source === 'number' ? source : null;
    this.part = typeof source === 'object' && 'cut' in source ? source : null;
    this.value = typeof source === 'object' && 'value' in source ? source.value : null;
    this.madeAs = shape;
    this.#madeAs = shape.join();
    this.bytes = bytes;
  }

  /** In the shape that they were made in. */
  get id(): TensorId {
    if (this.#id !== null) return this.#id;
    const { part, value } = this;
    this.#id = part === null ? this.#repeat(value!) : part.cut.take(part.index);
    return this.#id;
  }

  /** The elements in a shape; not to be freed. */
  as(shape: Shape): TensorId {
    const key = shape.join();
    return key === this.#madeAs ? this.id : this.derive(key, () => reshape(this.#tf, this.id, shape));
  }

  /** What a key names and only the elements decide, made once; not to be freed. */
  derive(key: string, make: () => TensorId): TensorId {
    const known = this.#derived?.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#derived ??= new Map();
    this.#derived.set(key, made);
    return made;
  }

  #repeat(value: number): TensorId {
    const tf = this.#tf;
    if (this.madeAs.length === 0) return tf.create(Float32Array.of(value), []);
    return tf.run('Fill', [tf.integers(this.madeAs), tf.scalar(value)]);
  }

  free(): void {
    if (this.#id !== null) this.#tf.free(this.#id);
    else this.part?.cut.pass(this.part.index);
    for (const id of this.#derived?.values() ?? []) this.#tf.free(id);
  }
}

/** One of the parts that a vector is cut into. */
export interface Part {
  readonly cut: Cut;
  readonly index: number;
}

/** A vector that is cut into parts, all at once, when one of them is first wanted. */
export class Cut {
  readonly source: Storage;
  readonly sizes: readonly number[];
  readonly #tf: Tensorflow;
  /** Null for those that were taken, or that nobody will want. */
  #parts: (TensorId | null)[] | null = null;
  readonly #unwanted = new Set<number>();

  /** The source must outlive the parts. */
  constructor(tf: Tensorflow, source: Storage, sizes: readonly number[]) {
    this.#tf = tf;
    this.source = source;
    this.sizes = sizes;
  }

  /** A part, which becomes the caller's. */
  take(index: number): TensorId {
    if (this.#parts === null) {
      const { length } = this.sizes;
      const inputs = [this.source.id, this.#tf.integers(this.sizes), this.#tf.integers([0], [])];
      this.#parts = this.#tf.runMany('SplitV', inputs, { num_split: { kind: 'integer', value: length } }, length);
      for (const unwanted of this.#unwanted) this.pass(unwanted);
    }
    const part = this.#parts[index]!;
    this.#parts[index] = null;
    return part;
  }

  /** Says that a part that was not taken is not wanted any longer. */
  pass(index: number): void {
    const part = this.#parts?.[index];
    if (part === undefined) this.#unwanted.add(index);
    else if (part !== null) {
      this.#tf.free(part);
      this.#parts![index] = null;
    }
  }
}

/** A temporary tensor as kernels hand it on. */
export function temporaryOf(tf: Tensorflow, id: TensorId, shape: Shape): Shaped {
  return {
    id,
    shape,
    as: (other) => tf.keep(reshape(tf, id, other)),
    derive: (_, make) => tf.keep(make()),
  };
}
