import type { OperatorNode } from './operator-node.ts';

/** More parts than this would be a graph of nothing but slices. */
export const MOST_PARTS = 256;

/** How long the parts are that a Split makes of an axis. */
export function readParts(node: OperatorNode, length: number): readonly number[] {
  const parts = Math.max(node.outputCount, node.number('num_outputs', 0));
  if (!(parts <= MOST_PARTS)) node.refuse(`it splits into ${parts} parts`);
  const each = Math.ceil(length / parts);
  const sizes =
    node.numbersAt('split', 1) ?? Array.from({ length: parts }, (_, part) => Math.min(each, length - part * each));
  if (
    sizes.length > MOST_PARTS ||
    sizes.some((size) => !(size >= 0)) ||
    sizes.reduce((total, size) => total + size, 0) !== length
  )
    node.refuse(`its parts [${sizes.join(', ')}] do not make ${length}`);
  return sizes;
}
