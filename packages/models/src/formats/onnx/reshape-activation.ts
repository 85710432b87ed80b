import { sizeOf } from './constant.ts';
import { type Activation, usualOrder } from './graph-builder.ts';
import type { OperatorNode } from './operator-node.ts';

/** Axes before and after that hold the same elements: one becomes several, or several one. */
interface Block {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/**
 * Gives an activation another shape in ONNX's order of elements. The batch stays. Maps that become rows are flattened
 * in the order that their network was trained in.
 */
export function reshapeActivation(node: OperatorNode, value: Activation, shape: readonly number[]): Activation {
  const { builder, name } = node;
  if (sizeOf(shape) !== sizeOf(value.shape))
    node.refuse(`it makes [${shape.join(', ')}] of [${value.shape.join(', ')}]`);
  if (shape[0] !== value.shape[0])
    node.refuse(`it changes the batch: from [${value.shape.join(', ')}] to [${shape.join(', ')}]`);
  if (shape.length === value.shape.length && shape.every((size, axis) => size === value.shape[axis])) return value;
  if (shape.length === 1) return node.refuse('it leaves the batch alone');
  if (shape.length === 2) {
    const order = value.order.join();
    if (value.shape.length === 4 && (order === '2,3,1' || order === '1,2,3')) {
      const flat = builder.add(name, { kind: 'flatten', order: order === '2,3,1' ? 'chw' : 'hwc' }, [value.node]);
      return { node: flat, shape, order: [1] };
    }
  }
  let source = value;
  let order = orderAfter(source, shape);
  if (order === undefined) {
    // Axes that are joined must lie in ONNX's order.
    source = builder.arrange(
      name,
      value,
      value.order.toSorted((a, b) => a - b),
    );
    order = orderAfter(source, shape)!;
  }
  const wide = (sizes: readonly number[], axes: readonly number[]) => axes.filter((axis) => sizes[axis] !== 1);
  const usual = usualOrder(shape.length);
  // Axes of size 1 may stand where they are wanted.
  const isUsual = wide(shape, usual).join() === wide(shape, order).join();
  const finalOrder = isUsual ? usual : order;
  const sizes = finalOrder.map((axis) => shape[axis]);
  return { node: builder.add(name, { kind: 'reshape', shape: sizes }, [source.node]), shape, order: finalOrder };
}

/** The order of the axes of `shape` when the elements stay where they are; undefined where they can't. */
function orderAfter(value: Activation, shape: readonly number[]): number[] | undefined {
  const blocks = matchBlocks(value.shape, shape);
  const order: number[] = [];
  const real = value.order.filter((axis) => value.shape[axis] !== 1);
  for (let index = 0; index < real.length;) {
    const block = blocks.find(({ from }) => from[0] === real[index]);
    if (block === undefined || block.from.some((axis, offset) => real[index + offset] !== axis)) return undefined;
    order.push(...block.to);
    index += block.from.length;
  }
  for (let axis = 1; axis < shape.length; axis++) if (!order.includes(axis)) order.push(axis);
  return order;
}

/** The smallest blocks of two shapes of the same size, without the batch and axes of size 1. */
function matchBlocks(before: readonly number[], after: readonly number[]): Block[] {
  const wide = (shape: readonly number[]) =>
    shape.flatMap((size, axis) => (axis === 0 || size === 1 ? [] : [{ axis, size }]));
  const [from, to] = [wide(before), wide(after)];
  const blocks: Block[] = [];
  while (from.length > 0) {
    const [first, second] = [from.shift()!, to.shift()!];
    const block = { from: [first.axis], to: [second.axis] };
    let [left, right] = [first.size, second.size];
    while (left !== right) {
      const next = left < right ? from.shift()! : to.shift()!;
      if (left < right) {
        left *= next.size;
        block.from.push(next.axis);
      } else {
        right *= next.size;
        block.to.push(next.axis);
      }
    }
    blocks.push(block);
  }
  return blocks;
}
