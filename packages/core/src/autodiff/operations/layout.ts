import type { Shape } from '../../backend.ts';
import type { Tape, Value } from '../tape.ts';
import { assertArguments } from './_assert-arguments.ts';

/** The same elements in another shape of equal size. */
export function reshape(tape: Tape, input: Value, shape: Shape): Value {
  assertArguments.reshape(input.shape, shape);
  const { backend } = tape;
  const { shape: inputShape } = input;
  return tape.record(backend.reshape(input.tensor, shape), [input], (gradient) => [
    backend.reshape(gradient, inputShape),
  ]);
}

/** Axis i of the output is axis `permutation[i]` of the input. */
export function transpose(tape: Tape, input: Value, permutation: readonly number[]): Value {
  assertArguments.transpose(input.shape, permutation);
  const { backend } = tape;
  const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
  return tape.record(backend.transpose(input.tensor, permutation), [input], (gradient) => [
    backend.transpose(gradient, inverse),
  ]);
}

/** Puts zeros before and after each axis. */
export function pad(tape: Tape, input: Value, paddings: readonly (readonly [number, number])[]): Value {
  assertArguments.pad(input.shape, paddings);
  const { backend } = tape;
  const { shape } = input;
  const begin = paddings.map(([before]) => before);
  return tape.record(backend.pad(input.tensor, paddings, 0), [input], (gradient) => [
    backend.slice(gradient, begin, shape),
  ]);
}

/** The block of shape `size` that starts at `begin`. */
export function slice(tape: Tape, input: Value, begin: readonly number[], size: readonly number[]): Value {
  assertArguments.slice(input.shape, begin, size);
  const { backend } = tape;
  const paddings = input.shape.map((length, axis) => [begin[axis], length - begin[axis] - size[axis]] as const);
  return tape.record(backend.slice(input.tensor, begin, size), [input], (gradient) => [
    backend.pad(gradient, paddings, 0),
  ]);
}

/** Joins values along an axis; they agree in all others. */
export function concat(tape: Tape, inputs: readonly Value[], axis: number): Value {
  const shapes = inputs.map((input) => input.shape);
  assertArguments.concat(shapes, axis);
  const { backend } = tape;
  const joined = backend.concat(
    inputs.map((input) => input.tensor),
    axis,
  );
  return tape.record(joined, inputs, (gradient, needed) => {
    let start = 0;
    return shapes.map((shape, index) => {
      const begin = shape.map((_, other) => (other === axis ? start : 0));
      start += shape[axis];
      return needed[index] ? backend.slice(gradient, begin, shape) : null;
    });
  });
}
