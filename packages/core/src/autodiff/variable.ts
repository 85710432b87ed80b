import type { Shape, Tensor, TensorBackend } from '../backend.ts';

/** A named tensor that training changes: a weight, or a running statistic. */
export class Variable {
  readonly name: string;
  /** Whether optimizers update it (weights) or the forward pass does (running statistics). */
  readonly trainable: boolean;
  /** Root mean square of a kernel's first values; undefined of biases and all else. */
  readonly firstScale: number | undefined;
  readonly #backend: TensorBackend;
  #tensor: Tensor;

  /** Takes ownership of `tensor`. */
  constructor(backend: TensorBackend, name: string, tensor: Tensor, trainable: boolean, firstScale?: number) {
    this.#backend = backend;
    this.name = name;
    this.#tensor = tensor;
    this.trainable = trainable;
    this.firstScale = firstScale;
  }

  /** The current value. It stays the variable's: the caller must not dispose it. */
  get tensor(): Tensor {
    return this.#tensor;
  }

  get shape(): Shape {
    return this.#tensor.shape;
  }

  /** Takes ownership of a new value of the same shape and disposes the old one. */
  assign(tensor: Tensor): void {
    this.#backend.dispose(this.#tensor);
    this.#tensor = tensor;
  }

  dispose(): void {
    this.#backend.dispose(this.#tensor);
  }
}
