import type { DataType, Shape, Tensor } from '../backend.ts';
import { sizeOf } from '../shape.ts';

/** Memory that tensors share after `reshape`. What it consists of is the backend's. */
export interface Storage {
  readonly bytes: number;
  /** Who needs it: 1 at first. */
  references: number;
}

/** A tensor of a backend, which may derive from it to show what its storage holds. */
export class StoredTensor<Held extends Storage> implements Tensor {
  readonly shape: Shape;
  readonly dataType: DataType;
  /** Number of elements. */
  readonly size: number;
  /** The store that made it. */
  readonly owner: object;
  /** Null once it was disposed. */
  held: Held | null;

  constructor(owner: object, shape: Shape, dataType: DataType, held: Held) {
    this.owner = owner;
    // Copied, so that a caller who reuses the array of sizes doesn't change the tensor.
    this.shape = [...shape];
    this.dataType = dataType;
    this.size = sizeOf(shape);
    this.held = held;
  }

  /** What a live tensor's elements lie in. */
  get storage(): Held {
    return this.held!;
  }
}
