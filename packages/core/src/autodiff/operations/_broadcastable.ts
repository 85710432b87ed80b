import type { Shape } from '../../backend.ts';
import { assertShape } from './_shape.ts';

/** @throws {DaflError} `SHAPE` unless the shapes broadcast. */
export function assertBroadcastable(operation: string, left: Shape, right: Shape): void {
  for (let back = 1; back <= Math.min(left.length, right.length); back++) {
    const a = left[left.length - back];
    const b = right[right.length - back];
    assertShape(a === b || a === 1 || b === 1, operation, 'right', `broadcast with [${left.join(', ')}]`, right);
  }
}
