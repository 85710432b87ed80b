import type { Shape, Tensor, TensorBackend } from '../../backend.ts';
import type { Tape, Value } from '../tape.ts';
import { assertArguments } from './_assert-arguments.ts';
import { sizeOf } from '../../shape.ts';

/** Repeats a reduced gradient along the axes that were summed. */
function expand(
  backend: TensorBackend,
  gradient: Tensor,
  shape: Shape,
  axes: readonly number[],
  factor: number,
): Tensor {
  const scaled = factor === 1 ? backend.reshape(gradient, gradient.shape) : backend.affine(gradient, factor, 0);
  const kept = backend.reshape(
    scaled,
    shape.map((size, axis) => (axes.includes(axis) ? 1 : size)),
  );
  const expanded = backend.broadcast(kept, shape);
  backend.dispose(scaled);
  backend.dispose(kept);
  return expanded;
}

function allAxes(shape: Shape): number[] {
  return shape.map((_, axis) => axis);
}

/** Sum over `axes` (default all: a scalar); reduced axes are removed. */
export function sum(tape: Tape, input: Value, axes: readonly number[] = allAxes(input.shape)): Value {
  assertArguments.axes('sum', input.shape, axes);
  const { backend } = tape;
  const { shape } = input;
  return tape.record(backend.reduce('sum', input.tensor, axes, false), [input], (gradient) => [
    expand(backend, gradient, shape, axes, 1),
  ]);
}

/** Mean over `axes` (default all: a scalar); reduced axes are removed. */
export function mean(tape: Tape, input: Value, axes: readonly number[] = allAxes(input.shape)): Value {
  assertArguments.axes('mean', input.shape, axes);
  const { backend } = tape;
  const { shape } = input;
  const count = sizeOf(axes.map((axis) => shape[axis]));
  return tape.record(backend.reduce('mean', input.tensor, axes, false), [input], (gradient) => [
    expand(backend, gradient, shape, axes, 1 / count),
  ]);
}
