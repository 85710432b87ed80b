import { broadcastShape, type Constant, sizeOf } from './constant.ts';
import { type Activation, FAR, isActivation, type TraceValue, wideAxes } from './graph-builder.ts';
import type { LoweringSite, OperatorNode } from './operator-node.ts';

/** Kinds of nodes that combine two inputs element by element. */
export type CombiningKind = 'add' | 'subtract' | 'multiply' | 'divide' | 'maximum' | 'minimum';

/** The same values with axes of size 1 before them. */
export function raiseRank<Value extends TraceValue>(value: Value, rank: number): Value {
  const missing = rank - value.shape.length;
  if (missing <= 0) return value;
  const shape = [...Array<number>(missing).fill(1), ...value.shape];
  return isActivation(value)
    ? { ...value, shape, order: value.order.map((axis) => axis + missing) }
    : { ...value, shape };
}

/** Values at least one of which is computed, element by element with ONNX's broadcasting. */
export function combine(node: LoweringSite, kind: CombiningKind, left: TraceValue, right: TraceValue): Activation {
  const { builder, name } = node;
  const shape =
    broadcastShape([left.shape, right.shape]) ??
    node.refuse(`[${left.shape.join(', ')}] and [${right.shape.join(', ')}] do not broadcast`);
  const values = [left, right].map((value) => raiseRank(value, shape.length));
  const width = (value: TraceValue): number => (isActivation(value) ? sizeOf(value.shape) : 0);
  const lead = width(values[0]) >= width(values[1]) ? values[0] : values[1];
  const led = isActivation(lead) ? lead.order : [];
  const others = shape.map((_, axis) => axis).filter((axis) => shape[axis] !== 1 && !led.includes(axis));
  const usual = builder.usualOrder(shape);
  const isUsual = wideAxes(led, shape).every((axis) => usual.includes(axis)) && others.length > 0;
  const order = isUsual ? usual : [...others, ...led];
  const [a, b] = values.map((value) =>
    isActivation(value) ? builder.arrange(name, value, order) : builder.constant(`${name}.constant`, value, order),
  );
  return { shape, order, node: builder.add(name, { kind }, [a.node, b.node]) };
}

/** factor x input + summand, both given as constants that broadcast to the input's shape and change along one axis. */
export function scaleBy(node: LoweringSite, value: Activation, factor?: Constant, summand?: Constant): Activation {
  const used = [factor, summand].filter((constant) => constant !== undefined);
  const axis = commonAxis(value, used);
  const list = (constant: Constant | undefined, otherwise: number): number[] =>
    // As float32 has them; masks may be infinite.
    [...(constant?.values ?? [otherwise])].map((number) => Math.fround(Math.min(FAR, Math.max(-FAR, number))));
  const input =
    axis === undefined
      ? value
      : node.builder.arrange(node.name, value, [...value.order.filter((other) => other !== axis), axis]);
  return node.builder.map(node.name, input, { kind: 'affine', factor: list(factor, 1), summand: list(summand, 0) });
}

/** The axis along which constants change; undefined where they are single numbers. */
function commonAxis({ shape }: Activation, constants: readonly Constant[]): number | undefined {
  const axes = constants.flatMap((constant) =>
    constant.shape.flatMap((size, axis) => (size === 1 ? [] : [shape.length - constant.shape.length + axis])),
  );
  return axes[0];
}

/** Whether a constant is one number, or one for each entry of an axis, and leaves an activation's shape alone. */
export function isSimple({ shape }: Activation, constant: Constant): boolean {
  const rank = shape.length;
  if (constant.shape.length > rank || sizeOf(constant.shape) > 2 ** 16) return false;
  const wide = constant.shape.flatMap((size, axis) =>
    size === 1 ? [] : [{ size, axis: rank - constant.shape.length + axis }],
  );
  return wide.length <= 1 && wide.every(({ size, axis }) => shape[axis] === size);
}

/**
 * An activation whose axes of size 1 are repeated to `shape`.
 *
 * @param isOfInput Whether the shape follows from the input's; otherwise it has the batch that the file fixes.
 */
export function expand(node: OperatorNode, value: Activation, shape: readonly number[], isOfInput = false): Activation {
  const { batch, hasBatch } = node.builder;
  const isBatch = hasBatch && batch > 1 && shape.length === value.shape.length && shape[0] === batch;
  const goal = isBatch && value.shape[0] === 1 && !isOfInput ? shape.with(0, 1) : shape;
  const result = broadcastShape([value.shape, goal]) ?? node.refuse(`[${value.shape.join(', ')}] does not broadcast`);
  if (result.length === value.shape.length && result.every((size, axis) => size === value.shape[axis])) return value;
  if (sizeOf(result) === sizeOf(value.shape)) return raiseRank(value, result.length);
  return combine(node, 'add', value, { shape: result, dataType: 1, values: new Float32Array(node.sizeToMake(result)) });
}
