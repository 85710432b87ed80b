import type { OperatorNode } from './operator-node.ts';

/** Part of one axis, in elements of it. */
export interface AxisSlice {
  readonly axis: number;
  /** First element; of a negative step the last. */
  readonly begin: number;
  readonly count: number;
  /** Not 0. */
  readonly step: number;
}

/** What a Slice takes of each axis that it names, clamped to the axis. */
export function readSlices(node: OperatorNode, shape: readonly number[]): AxisSlice[] {
  const starts = node.numbersAt('starts', 1) ?? node.refuse('it has no starts');
  const ends = node.numbersAt('ends', 2) ?? node.refuse('it has no ends');
  const given = node.numbersAt('axes', 3) ?? starts.map((_, index) => index);
  const steps = node.numbersAt('steps', 4) ?? starts.map(() => 1);
  if ([ends, given, steps].some(({ length }) => length !== starts.length))
    node.refuse('its starts, ends, axes and steps differ in number');
  return node.distinctAxes(given, shape.length).map((axis, index) => {
    const size = shape[axis];
    const step = steps[index];
    if (!Number.isInteger(step) || step === 0) node.refuse(`it takes steps of ${step}`);
    const place = (position: number): number => {
      const found = position < 0 ? position + size : position;
      return step > 0 ? Math.min(Math.max(found, 0), size) : Math.min(Math.max(found, -1), size - 1);
    };
    const [begin, end] = [place(starts[index]), place(ends[index])];
    return { axis, begin, step, count: Math.max(0, Math.ceil((end - begin) / step)) };
  });
}
