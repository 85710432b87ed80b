import { sizeOf } from './constant.ts';
import { type Activation, sizesOf, wideAxes } from './graph-builder.ts';
import type { LoweringSite } from './operator-node.ts';

/** Axes before and after that hold the same elements: one becomes several, or several one. */
interface Block {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/**
 * Gives an activation another shape in ONNX's order of elements. Maps that become rows are flattened in the order that
 * their network was trained in.
 */
export function reshapeActivation(node: LoweringSite, value: Activation, goal: readonly number[]): Activation {
  const { builder, name } = node;
  // A batch that the file fixes is set free.
  const isFixed =
    builder.batch > 1 && goal[0] === builder.batch && sizeOf(goal) === sizeOf(value.shape) * builder.batch;
  const shape = isFixed ? [1, ...goal.slice(1)] : goal;
  if (sizeOf(shape) !== sizeOf(value.shape) || shape.some((size) => !(size >= 1)))
    node.refuse(`it makes [${goal.join(', ')}] of [${value.shape.join(', ')}]`);
  if (shape.length === value.shape.length && shape.every((size, axis) => size === value.shape[axis])) return value;
  const order = value.order.join();
  if (shape.length === 2 && shape[0] === 1 && (order === '2,3,1' || order === '1,2,3')) {
    const flat = builder.add(name, { kind: 'flatten', order: order === '2,3,1' ? 'chw' : 'hwc' }, [value.node]);
    return { node: flat, shape, order: [1] };
  }
  let source = value;
  let moved = orderAfter(source, shape);
  if (moved === undefined) {
    // Axes that are joined must lie in ONNX's order.
    source = builder.arrange(
      name,
      value,
      value.order.toSorted((a, b) => a - b),
    );
    moved = orderAfter(source, shape) ?? node.refuse(`it makes [${goal.join(', ')}] of [${value.shape.join(', ')}]`);
  }
  const usual = builder.usualOrder(shape);
  // Axes of size 1 may stand where they are wanted.
  const finalOrder = wideAxes(usual, shape).join() === moved.join() ? usual : moved;
  if (finalOrder.length > 5) node.refuse(`it makes more than 5 axes: [${shape.join(', ')}]`);
  return {
    node: builder.add(name, { kind: 'reshape', shape: sizesOf(finalOrder, shape) }, [source.node]),
    shape,
    order: finalOrder,
  };
}

/** The order of the axes of `shape`, but for those of size 1, when the elements stay where they are; undefined where they can't. */
function orderAfter(value: Activation, shape: readonly number[]): number[] | undefined {
  const blocks = matchBlocks(value.shape, shape);
  const order: number[] = [];
  const real = wideAxes(value.order, value.shape);
  for (let index = 0; index < real.length;) {
    const block = blocks.find(({ from }) => from[0] === real[index]);
    if (block === undefined || block.from.some((axis, offset) => real[index + offset] !== axis)) return undefined;
    order.push(...block.to);
    index += block.from.length;
  }
  return order;
}

/** The smallest blocks of two shapes of the same size, without axes of size 1. */
function matchBlocks(before: readonly number[], after: readonly number[]): Block[] {
  const wide = (shape: readonly number[]) => shape.flatMap((size, axis) => (size === 1 ? [] : [{ axis, size }]));
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
