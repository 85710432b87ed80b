import { sizeOf } from './constant.ts';
import { type Activation, wideAxes } from './graph-builder.ts';
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
  const shape = freeBatch(value.shape, goal, builder.batch) ?? goal;
  if (sizeOf(shape) !== sizeOf(value.shape) || shape.some((size) => !(size >= 1)))
    node.refuse(`it makes [${goal.join(', ')}] of [${value.shape.join(', ')}]`);
  if (shape.length === value.shape.length && shape.every((size, axis) => size === value.shape[axis])) return value;
  const before = builder.beforeReshape(value);
  if (before?.shape.join() === shape.join()) return before;
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
  return builder.reshape(name, value, source, { shape, order: finalOrder });
}

/** Which axis is the batch; undefined where several may be. */
function batchAxis(shape: readonly number[]): number | undefined {
  const axis = shape.indexOf(1);
  return axis < 0 || (axis > 0 && shape.includes(1, axis + 1)) ? undefined : axis;
}

/** What a batch that the file fixes is reshaped to, for one example; undefined where that is not certain. */
function freeBatch(shape: readonly number[], goal: readonly number[], batch: number): number[] | undefined {
  if (batch === 1 || sizeOf(goal) !== sizeOf(shape) * batch) return undefined;
  const place = batchAxis(shape);
  const parts = goal.flatMap((size, axis) => (size % batch === 0 ? [axis] : []));
  if (place === undefined) {
    // It was joined with another axis, and comes out of it again.
    const alone = goal[0] === batch ? [0] : parts.filter((part) => goal[part] === batch);
    const [axis, ...others] = alone.length > 0 ? alone : parts;
    return axis === undefined || others.length > 0 ? undefined : goal.with(axis, goal[axis] / batch);
  }
  // It is part of the axis that reaches from the entries before it to those behind it.
  const before = sizeOf(shape.slice(0, place));
  const axis = parts.find((part) => {
    const begin = sizeOf(goal.slice(0, part));
    return before % begin === 0 && before < begin * goal[part] && (begin * goal[part]) % (before * batch) === 0;
  });
  return axis === undefined ? undefined : goal.with(axis, goal[axis] / batch);
}

/**
 * The shape for one example that Reshape gives.
 *
 * @param sizes 0 stands for the size of that axis, unless `keepsZero`, and -1 for what is left.
 * @param isWhole Whether they were written down for the batch that the file fixes, and do not follow from the input.
 */
export function shapeToReach(
  { shape }: Activation,
  sizes: readonly number[],
  { batch, keepsZero, isWhole }: { batch: number; keepsZero: boolean; isWhole: boolean },
): number[] {
  const fill = (from: readonly number[]): number[] => {
    const goal = sizes.map((size, axis) => (size === 0 && !keepsZero ? (from[axis] ?? 0) : size));
    const rest = sizeOf(from) / sizeOf(goal.filter((size) => size !== -1));
    return goal.map((size) => (size === -1 ? rest : size));
  };
  const place = batchAxis(shape);
  const whole = isWhole && place !== undefined ? fill(shape.with(place, batch)) : undefined;
  return (whole && freeBatch(shape, whole, batch)) ?? fill(shape);
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
