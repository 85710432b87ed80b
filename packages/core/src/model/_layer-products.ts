import type { Tensor, TensorBackend } from '../backend.ts';
import { affine, square, subtract } from '../autodiff/operations/element-wise.ts';
import { mean } from '../autodiff/operations/reduction.ts';
import type { Tape, Value } from '../autodiff/tape.ts';
import { withTape } from '../autodiff/with-tape.ts';
import type { ModelNode } from './model.ts';
import type { NodeShapes } from './node-kind.ts';
import { kindOf } from './node-kinds.ts';

/** A layer that sums up what it reads, times a kernel. */
export type Layer = Extract<ModelNode, { kind: 'conv2d' | 'dense' }>;

/** Products with what a layer reads, as gradients: so that they are the same for each kind of layer, and no matrix of patches is made. */
export class LayerProducts {
  readonly #backend: TensorBackend;
  readonly #layer: Layer;
  readonly #shapes: NodeShapes;
  readonly #input: Tensor;
  readonly #batch: number;

  constructor(backend: TensorBackend, layer: Layer, shapes: NodeShapes, input: Tensor, batch: number) {
    this.#backend = backend;
    this.#layer = { ...layer, useBias: false };
    this.#shapes = shapes;
    this.#input = input;
    this.#batch = batch;
  }

  /** For each value of the kernel: the mean over all positions of what it is multiplied with, times the result less `target`. */
  gradient(kernel: Float64Array, target: Tensor | null): Promise<Float64Array> {
    return this.#derive(kernel, false, (tape, output) =>
      affine(
        tape,
        mean(tape, square(tape, target === null ? output : subtract(tape, output, tape.constant(target)))),
        0.5,
        0,
      ),
    );
  }

  /** For each value of the kernel: the mean of what it is multiplied with. */
  means(kernel: Float64Array): Promise<Float64Array> {
    return this.#derive(kernel, false, (tape, output) => mean(tape, output));
  }

  /** For each value of the kernel: the mean square of what it is multiplied with. */
  squareMeans(kernel: Float64Array): Promise<Float64Array> {
    return this.#derive(kernel, true, (tape, output) => mean(tape, output));
  }

  async #derive(
    values: Float64Array,
    isSquared: boolean,
    measure: (tape: Tape, output: Value) => Value,
  ): Promise<Float64Array> {
    const { shape } = this.#shapes.weights.kernel;
    const columns = shape.at(-1)!;
    const kernel = this.#backend.tensor(Float32Array.from(values), shape);
    try {
      const gradient = withTape(this.#backend, (tape) => {
        const leaf = tape.leaf(kernel);
        const read = tape.constant(this.#input);
        const output = kindOf(this.#layer).forward(this.#layer, [isSquared ? square(tape, read) : read], {
          tape,
          mode: 'inference',
          batch: this.#batch,
          shapes: this.#shapes,
          weight: () => leaf,
          variable: () => undefined as never,
        });
        // A mean over the columns, each of which is by itself.
        return tape.gradients(affine(tape, measure(tape, output), columns, 0), [leaf])[0];
      });
      try {
        return Float64Array.from(await this.#backend.read(gradient));
      } finally {
        this.#backend.dispose(gradient);
      }
    } finally {
      this.#backend.dispose(kernel);
    }
  }
}
