import type { OperatorNode } from './operator-node.ts';

/** More parts than this would be a graph of nothing but slices. */
export const MOST_PARTS = 256;

/** A piece of an axis. */
interface Part {
  readonly begin: number;
  readonly size: number;
}

/** The parts that a Split makes of an axis. */
export function readParts(node: OperatorNode, length: number): readonly Part[] {
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
  let begin = 0;
  return sizes.map((size) => {
    begin += size;
    return { begin: begin - size, size };
  });
}
