import type { Activation } from './graph-builder.ts';
import type { OperatorNode } from './operator-node.ts';
import type { OnnxAttribute } from './parse-onnx.ts';
import { reshapeActivation } from './reshape-activation.ts';

/** What a window has for each axis, and what it is for an axis that it leaves alone. */
const sizes: Readonly<Record<string, number>> = { kernel_shape: 1, strides: 1, dilations: 1 };

/**
 * A pooling of maps, for volumes too, `[batch, channels, depth, height, width]`, where that is one down their depth and then one
 * over their planes: of means and of largest values it is. torch reads neighbouring channels so, as a depth.
 */
export function alongVolumes(pooling: (node: OperatorNode) => Activation): (node: OperatorNode) => Activation {
  return (node) => {
    const value = node.activation(0);
    if (value.shape.length !== 5) return pooling(node);
    const [batch, channels, depth, height, width] = value.shape;
    const deep = windowAlong(node, [0]);
    const flat = windowAlong(node, [1, 2]);
    let made = value;
    if (deep !== undefined) {
      const rows = pooling(
        node.reading([reshapeActivation(node, value, [batch, channels, depth, height * width])], deep),
      );
      made = reshapeActivation(node, rows, [batch, channels, rows.shape[2], height, width]);
    }
    if (flat === undefined) return made;
    const planes = reshapeActivation(node, made, [batch, channels * made.shape[2], height, width]);
    const pooled = pooling(node.reading([planes], flat));
    return reshapeActivation(node, pooled, [batch, channels, made.shape[2], ...pooled.shape.slice(2)]);
  };
}

/** The attributes of a window over some of three axes, the last of two; undefined where it leaves them alone. */
function windowAlong(node: OperatorNode, axes: readonly number[]): [string, OnnxAttribute][] | undefined {
  const spread = (list: readonly number[], other: number): number[] =>
    axes.length === 1 ? [list[axes[0]], other] : axes.map((axis) => list[axis]);
  const attributes: [string, OnnxAttribute][] = [];
  let isIdle = node.text('auto_pad', 'NOTSET') === 'NOTSET';
  for (const [name, other] of Object.entries(sizes)) {
    const given = node.numbers(name) ?? [1, 1, 1];
    if (given.length !== 3) node.refuse(`${name} has ${given.length} sizes for a tensor of rank 5`);
    const own = spread(given, other);
    if (name !== 'dilations' && own.some((size) => size !== 1)) isIdle = false;
    attributes.push([name, own]);
  }
  const pads = node.numbers('pads') ?? Array<number>(6).fill(0);
  if (pads.length !== 6) node.refuse(`pads has ${pads.length} sizes for a tensor of rank 5`);
  const own = [...spread(pads.slice(0, 3), 0), ...spread(pads.slice(3), 0)];
  if (own.some((size) => size !== 0)) isIdle = false;
  return isIdle ? undefined : [...attributes, ['pads', own]];
}
