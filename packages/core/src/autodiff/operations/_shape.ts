import type { Shape, Tensor, TensorBackend } from '../../backend.ts';
import { DaflError } from '../../errors.ts';
import { formatShape } from '../../shape.ts';

/** @throws {DaflError} `SHAPE`, in the error grammar, unless `holds`. */
export function assertShape(holds: boolean, operation: string, argument: string, rule: string, current: Shape): void {
  if (!holds) {
    throw new DaflError(
      'SHAPE',
      `Cannot compute ${operation} as '${argument}' must ${rule}: current shape is ${formatShape(current)}`,
    );
  }
}

/** Another handle on the same elements: what a derivative that passes its gradient on unchanged returns. */
export function alias(backend: TensorBackend, tensor: Tensor): Tensor {
  return backend.reshape(tensor, tensor.shape);
}

/**
 * Sums a gradient over the axes along which its operand was broadcast, so that it has the operand's shape.
 *
 * @returns A new tensor; the argument stays the caller's.
 */
export function sumToShape(backend: TensorBackend, gradient: Tensor, shape: Shape): Tensor {
  const lead = gradient.shape.length - shape.length;
  const axes = gradient.shape.flatMap((size, axis) =>
    axis < lead || (shape[axis - lead] === 1 && size !== 1) ? [axis] : [],
  );
  if (axes.length === 0) return backend.reshape(gradient, shape);
  const summed = backend.reduce('sum', gradient, axes, false);
  const shaped = backend.reshape(summed, shape);
  backend.dispose(summed);
  return shaped;
}
