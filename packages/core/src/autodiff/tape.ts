import type { Shape, Tensor, TensorBackend } from '../backend.ts';
import { fail } from '../check.ts';
import { DaflError } from '../errors.ts';
import { TensorScope } from '../tensor-scope.ts';

/** A tensor as a tape sees it: an argument or a result of a recorded operation. */
export interface Value {
  readonly tensor: Tensor;
  readonly shape: Shape;
  /** Whether a gradient can flow into it. Operations on values without gradient are not recorded. */
  readonly requiresGradient: boolean;
}

/** A value that this tape holds, with the count of those who still need its tensor. */
interface HeldValue extends Value {
  holds: number;
  /** Whether the tape disposes the tensor when nobody holds it any longer. */
  readonly owned: boolean;
  readonly tape: Tape;
  /** Whether the tape's own hold was given up. */
  released: boolean;
}

/**
 * The derivative of one operation.
 *
 * @param outputGradient Gradient with respect to the operation's output; the tape disposes it.
 * @param needed Which inputs need a gradient; the others' entries may be null.
 * @returns One new tensor for each needed input; the tape owns all that are returned.
 */
export type Backward = (outputGradient: Tensor, needed: readonly boolean[]) => readonly (Tensor | null)[];

interface RecordedOperation {
  readonly output: HeldValue;
  readonly inputs: readonly HeldValue[];
  readonly saved: readonly HeldValue[];
  readonly backward: Backward;
  /** Frees what the derivative kept beside its saved values. */
  readonly cleanUp?: () => void;
}

/** What an operation keeps until its derivative was taken. */
export interface RecordOptions {
  /** Inputs or the output (`'output'`) whose tensors `backward` reads. All others may be freed before it runs. */
  readonly saves?: readonly (Value | 'output')[];
  /** Called once, after `backward` or when the tape is disposed without it: disposes tensors that the operation made. */
  readonly cleanUp?: () => void;
}

/**
 * Records operations as they run and takes gradients through them, in reverse.
 *
 * Memory: a result lives until nobody needs it. The caller's need ends with `release` (`forward` of a network releases
 * each activation after its last consumer), a derivative's need ends when it was taken. What is left is freed by
 * `dispose`. A tape serves for one forward and at most one `gradients`.
 *
 * @example
 * ```ts
 * const tape = new Tape(backend);
 * const weight = tape.leaf(weightTensor);
 * const loss = mean(tape, square(tape, matMul(tape, tape.constant(inputs), weight)));
 * const [weightGradient] = tape.gradients(loss, [weight]);
 * tape.dispose();
 * ```
 */
export class Tape {
  /** Operations compute with it; what a failing one leaves behind is freed. */
  readonly backend: TensorBackend;
  readonly #scope: TensorScope;
  readonly #operations: RecordedOperation[] = [];
  readonly #held = new Set<HeldValue>();
  readonly #leaves = new Map<Tensor, HeldValue>();

  constructor(backend: TensorBackend) {
    this.#scope = new TensorScope(backend);
    this.backend = this.#scope.backend;
  }

  /** A value without gradient. The caller keeps the tensor and must not dispose it before the tape. */
  constant(tensor: Tensor): Value {
    return this.#hold(tensor, false, false);
  }

  /** A value whose gradient can be asked for. Asking again for the same tensor gives the same value. */
  leaf(tensor: Tensor): Value {
    const known = this.#leaves.get(tensor);
    if (known !== undefined) return known;
    const value = this.#hold(tensor, true, false);
    this.#leaves.set(tensor, value);
    return value;
  }

  /** A result without gradient, whose tensor the tape disposes. */
  own(tensor: Tensor): Value {
    return this.#hold(tensor, false, true);
  }

  /**
   * Puts an operation that has just run on the tape.
   *
   * @param output What it returned; the tape owns it from here on.
   * @param inputs Its arguments, in the order of the gradients that `backward` returns.
   */
  record(output: Tensor, inputs: readonly Value[], backward: Backward, options: RecordOptions = {}): Value {
    const requiresGradient = inputs.some((input) => input.requiresGradient);
    const value = this.#hold(output, requiresGradient, true);
    if (!requiresGradient) {
      options.cleanUp?.();
      return value;
    }
    const saved = (options.saves ?? []).map((save) => (save === 'output' ? value : (save as HeldValue)));
    for (const save of saved) save.holds++;
    this.#operations.push({ output: value, inputs: inputs as HeldValue[], saved, backward, cleanUp: options.cleanUp });
    return value;
  }

  /** Says that the caller needs the value no longer; its tensor is freed as soon as no derivative needs it either. */
  release(value: Value): void {
    const held = value as HeldValue;
    if (held.released) return;
    held.released = true;
    this.#drop(held);
  }

  /**
   * Gradients of a scalar with respect to leaves or results, in their order; zeros where it does not depend on one. The
   * caller owns them. Activations are freed on the way.
   *
   * @param output Shape `[]`.
   * @param values Values of this tape that require a gradient.
   * @throws {DaflError} `SHAPE` if `output` is no scalar; `USAGE` if a value has no gradient on this tape. What a
   *   derivative throws; nothing that was made on the way is left alive then.
   */
  gradients(output: Value, values: readonly Value[]): Tensor[] {
    if (output.shape.length !== 0) {
      throw new DaflError(
        'SHAPE',
        `Cannot take gradients as 'output' must be a scalar: current shape is [${output.shape.join(', ')}]`,
      );
    }
    for (const value of values as readonly HeldValue[]) {
      if (value.tape === this && value.requiresGradient) continue;
      fail({
        cannot: 'take gradients',
        as: "each of 'values' must be a leaf of this tape or depend on one",
        value: value.tape === this ? 'a constant' : 'from another tape',
      });
    }
    return this.#scope.run(() => this.#takeGradients(output as HeldValue, values as readonly HeldValue[]));
  }

  #takeGradients(output: HeldValue, values: readonly HeldValue[]): Tensor[] {
    const gradients = new Map<HeldValue, Tensor>([[output, this.backend.fill([], 1)]]);
    const wanted = new Set(values);
    for (let operation = this.#operations.pop(); operation !== undefined; operation = this.#operations.pop()) {
      try {
        this.#derive(operation, gradients, wanted);
      } finally {
        this.#finish(operation);
      }
    }
    for (const [value, gradient] of gradients) if (!wanted.has(value)) this.backend.dispose(gradient);
    const returned = new Set<HeldValue>();
    return values.map((value) => {
      const gradient = gradients.get(value);
      if (gradient === undefined) return this.backend.fill(value.shape, 0);
      if (returned.has(value)) return this.backend.reshape(gradient, value.shape);
      returned.add(value);
      return gradient;
    });
  }

  /** Passes the gradient of an operation's output, whole by now, on to its inputs. */
  #derive({ output, inputs, backward }: RecordedOperation, gradients: Map<HeldValue, Tensor>, wanted: Set<HeldValue>) {
    const outputGradient = gradients.get(output);
    if (outputGradient === undefined) return;
    const needed = inputs.map((input) => input.requiresGradient);
    const inputGradients = backward(outputGradient, needed);
    if (!wanted.has(output)) {
      gradients.delete(output);
      this.backend.dispose(outputGradient);
    }
    inputs.forEach((input, index) => {
      const gradient = inputGradients[index];
      if (gradient === null) return;
      if (needed[index]) this.#accumulate(gradients, input, gradient);
      else this.backend.dispose(gradient);
    });
  }

  /** Runs `work` and disposes the tape. Where it throws, what it made with `backend` is freed too, halves of results included. */
  use<Result>(work: (tape: this) => Result): Result {
    return this.#scope.run(() => {
      try {
        return work(this);
      } finally {
        this.dispose();
      }
    });
  }

  /** Hands a tensor that was made with `backend` over to who outlives the tape: it stays alive if `use` throws. */
  keep(tensor: Tensor): Tensor {
    return this.#scope.keep(tensor);
  }

  /** Frees everything that the tape owns. Leaves and constants stay the caller's. Calling it twice is allowed. */
  dispose(): void {
    for (const operation of this.#operations.splice(0)) this.#finish(operation);
    for (const value of this.#held) if (value.owned) this.backend.dispose(value.tensor);
    this.#held.clear();
    this.#leaves.clear();
  }

  #hold(tensor: Tensor, requiresGradient: boolean, owned: boolean): HeldValue {
    const value: HeldValue = {
      tensor,
      shape: tensor.shape,
      requiresGradient,
      holds: 1,
      owned,
      tape: this,
      released: false,
    };
    this.#held.add(value);
    return value;
  }

  #drop(value: HeldValue): void {
    value.holds--;
    if (value.holds > 0 || !this.#held.delete(value)) return;
    if (value.owned) this.backend.dispose(value.tensor);
  }

  #finish(operation: RecordedOperation): void {
    for (const save of operation.saved) this.#drop(save);
    operation.cleanUp?.();
  }

  #accumulate(gradients: Map<HeldValue, Tensor>, input: HeldValue, gradient: Tensor): void {
    const former = gradients.get(input);
    if (former === undefined) {
      gradients.set(input, gradient);
      return;
    }
    gradients.set(input, this.backend.binary('add', former, gradient));
    this.backend.dispose(former);
    this.backend.dispose(gradient);
  }
}
