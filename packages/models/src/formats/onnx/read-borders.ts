import type { OperatorNode } from './operator-node.ts';

/** What a Pad puts around a tensor. */
export interface Borders {
  readonly mode: string;
  /** Of a border of one number: finite. */
  readonly fill: number;
  /** Entries before and after, by axis; fewer than 0 are cut off. */
  readonly sides: ReadonlyMap<number, readonly [before: number, after: number]>;
}

/** Pads are told from others by this number alone, and it is computed with. */
const LARGEST = Math.fround(3.4028234e38);

/** Reads what a Pad does with a tensor of a rank. */
export function readBorders(node: OperatorNode, rank: number): Borders {
  const mode = node.text('mode', 'constant');
  const pads = node.numbersAt('pads', 1) ?? node.numbers('paddings') ?? node.refuse('it has no pads');
  const axes = node.numbersAt('axes', 3) ?? Array.from({ length: rank }, (_, axis) => axis);
  if (pads.length !== 2 * axes.length) node.refuse(`it has ${pads.length} pads for ${axes.length} axes`);
  if (!['constant', 'reflect', 'edge', 'wrap'].includes(mode)) node.refuse(`it pads by ${mode}`);
  const fill = node.optionalConstant(2)?.values[0] ?? node.number('value', 0);
  const sides = node
    .distinctAxes(axes, rank)
    .map((axis, index) => [axis, [pads[index], pads[axes.length + index]] as const] as const);
  return { mode, fill: Math.min(LARGEST, Math.max(-LARGEST, fill)), sides: new Map(sides) };
}
