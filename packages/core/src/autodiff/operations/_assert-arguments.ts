import type { Conv2dOptions, Pool2dOptions, Shape, Size2d } from '../../backend.ts';
import { fail } from '../../check.ts';
import { formatShape, sizeOf } from '../../shape.ts';
import { assertShape } from './_shape.ts';

/** The most axes that kernels of the contract move. */
const MOST_AXES = 6;

const isInteger = (value: number, low: number, high = Infinity): boolean =>
  Number.isInteger(value) && value >= low && value <= high;

/** @throws {DaflError} `SHAPE`, in the error grammar, unless `holds`. */
function assertNumbers(
  holds: boolean,
  operation: string,
  argument: string,
  rule: string,
  current: readonly number[],
): void {
  if (holds) return;
  fail({
    code: 'SHAPE',
    cannot: `compute ${operation}`,
    as: `'${argument}' must ${rule}`,
    value: formatShape(current),
  });
}

function rank(operation: string, shape: Shape, least = 0): void {
  const { length } = shape;
  assertShape(length >= least && length <= MOST_AXES, operation, 'input', `have ${least} to 6 axes`, shape);
}

function images(operation: string, shape: Shape): void {
  assertShape(shape.length === 4, operation, 'input', 'have rank 4', shape);
}

function vector(operation: string, argument: string, shape: Shape | undefined, length: number): void {
  if (shape === undefined) return;
  assertShape(shape.length === 1 && shape[0] === length, operation, argument, `have shape [${length}]`, shape);
}

function pair(operation: string, argument: string, [down, across, ...rest]: readonly number[]): void {
  const current = [down, across, ...rest];
  const holds = rest.length === 0 && isInteger(down, 1) && isInteger(across, 1);
  assertNumbers(holds, operation, argument, 'be two integers >= 1', current);
}

/** Lengths of an image with its padding, once the window was found to fit into it. */
function window(
  operation: string,
  argument: string,
  [, height, width]: Shape,
  size: Size2d,
  { strides, padding: { top, bottom, left, right } }: Omit<Pool2dOptions, 'windowSize'>,
): [height: number, width: number] {
  pair(operation, argument, size);
  pair(operation, 'strides', strides);
  const sides = [top, bottom, left, right];
  assertNumbers(
    sides.every((side) => isInteger(side, 0)),
    operation,
    'padding',
    'be four integers >= 0',
    sides,
  );
  const padded: [number, number] = [height + top + bottom, width + left + right];
  const fits = size[0] <= padded[0] && size[1] <= padded[1];
  assertNumbers(fits, operation, argument, `fit into the padded ${padded.join('x')}`, size);
  return padded;
}

/**
 * What the contract of backends (`backend.ts`) leaves to core, in one place: kernels trust that shapes, axes and sizes are
 * right, and read memory that is not theirs where they are not. Each function throws a {@link DaflError} `SHAPE` that
 * names the operation and the argument. Derivatives need no checks: their arguments follow from those of the operation.
 */
export const assertArguments = {
  broadcast(operation: string, left: Shape, right: Shape): void {
    for (const shape of [left, right]) rank(operation, shape);
    for (let back = 1; back <= Math.min(left.length, right.length); back++) {
      const a = left[left.length - back];
      const b = right[right.length - back];
      assertShape(a === b || a === 1 || b === 1, operation, 'right', `broadcast with ${formatShape(left)}`, right);
    }
  },

  reshape(input: Shape, shape: Shape): void {
    assertShape(
      shape.every((size) => isInteger(size, 0)) && sizeOf(shape) === sizeOf(input),
      'reshape',
      'shape',
      `hold the ${sizeOf(input)} elements of ${formatShape(input)}`,
      shape,
    );
  },

  transpose(input: Shape, permutation: readonly number[]): void {
    rank('transpose', input);
    const holds = permutation.length === input.length && input.every((_, axis) => permutation.includes(axis));
    assertNumbers(holds, 'transpose', 'permutation', `hold each axis of ${formatShape(input)} once`, permutation);
  },

  pad(input: Shape, paddings: readonly (readonly [number, number])[]): void {
    rank('pad', input);
    const holds =
      paddings.length === input.length && paddings.every((sides) => sides.every((side) => isInteger(side, 0)));
    assertNumbers(
      holds,
      'pad',
      'paddings',
      `be two integers >= 0 for each axis of ${formatShape(input)}`,
      paddings.flat(),
    );
  },

  slice(input: Shape, begin: readonly number[], size: readonly number[]): void {
    rank('slice', input);
    const beginHolds = begin.length === input.length && begin.every((start, axis) => isInteger(start, 0, input[axis]));
    assertNumbers(beginHolds, 'slice', 'begin', `lie in ${formatShape(input)}`, begin);
    const sizeHolds =
      size.length === input.length && size.every((length, axis) => isInteger(length, 0, input[axis] - begin[axis]));
    assertNumbers(sizeHolds, 'slice', 'size', `end in ${formatShape(input)} from ${formatShape(begin)} on`, size);
  },

  concat([first, ...others]: readonly Shape[], axis: number): void {
    assertNumbers(first !== undefined, 'concat', 'inputs', 'hold at least one value', []);
    rank('concat', first, 1);
    assertNumbers(isInteger(axis, 0, first.length - 1), 'concat', 'axis', `be an axis of ${formatShape(first)}`, [
      axis,
    ]);
    for (const shape of others) {
      const agrees =
        shape.length === first.length && shape.every((size, index) => index === axis || size === first[index]);
      assertShape(agrees, 'concat', 'inputs', `agree with ${formatShape(first)} but in axis ${axis}`, shape);
    }
  },

  axes(operation: string, input: Shape, axes: readonly number[]): void {
    rank(operation, input);
    const holds = axes.every((axis, index) => isInteger(axis, index === 0 ? 0 : axes[index - 1] + 1, input.length - 1));
    assertNumbers(holds, operation, 'axes', `be ascending axes of ${formatShape(input)}`, axes);
  },

  matMul(left: Shape, right: Shape): void {
    assertShape(left.length === 2, 'matMul', 'left', 'have rank 2', left);
    const holds = right.length === 2 && right[0] === left[1];
    assertShape(holds, 'matMul', 'right', `have shape [${left[1]}, columns]`, right);
  },

  batchMatMul(left: Shape, right: Shape): void {
    assertShape(left.length === 3, 'batchMatMul', 'left', 'have rank 3', left);
    const [count, , inner] = left;
    const holds = right.length === 3 && right[0] === count && right[1] === inner;
    assertShape(holds, 'batchMatMul', 'right', `have shape [${count}, ${inner}, columns]`, right);
  },

  /** @returns The output's shape. */
  conv2d(
    operation: string,
    input: Shape,
    filter: Shape,
    bias: Shape | undefined,
    { strides, padding, dilations, groups }: Conv2dOptions,
  ): Shape {
    images(operation, input);
    assertNumbers(isInteger(groups, 1), operation, 'groups', 'be an integer >= 1', [groups]);
    pair(operation, 'dilations', dilations);
    assertShape(
      filter.length === 4 && filter[2] * groups === input[3] && filter[3] % groups === 0,
      operation,
      'filter',
      `fit ${input[3]} input channels in ${groups} groups`,
      filter,
    );
    const reach = ([0, 1] as const).map((axis) => dilations[axis] * (filter[axis] - 1) + 1);
    const padded = window(operation, 'filter', input, [reach[0], reach[1]], { strides, padding });
    vector(operation, 'bias', bias, filter[3]);
    const sizes = padded.map((length, axis) => Math.floor((length - reach[axis]) / strides[axis]) + 1);
    return [input[0], ...sizes, filter[3]];
  },

  transposedConv2d(input: Shape, filter: Shape, output: Shape, options: Conv2dOptions): void {
    images('transposedConv2d', input);
    assertShape(output.length === 4, 'transposedConv2d', 'outputShape', 'have rank 4', output);
    const back = assertArguments.conv2d('transposedConv2d', output, filter, undefined, options);
    const holds = back.every((size, axis) => size === input[axis]);
    assertShape(holds, 'transposedConv2d', 'outputShape', `be convolved to ${formatShape(input)}`, output);
  },

  pool2d(operation: string, input: Shape, options: Pool2dOptions): void {
    images(operation, input);
    const { windowSize, padding } = options;
    window(operation, 'windowSize', input, windowSize, options);
    const { top, bottom, left, right } = padding;
    const holds = Math.max(top, bottom) < windowSize[0] && Math.max(left, right) < windowSize[1];
    assertNumbers(holds, operation, 'padding', `be below the window of ${windowSize.join('x')}`, [
      top,
      bottom,
      left,
      right,
    ]);
  },

  upsampleNearest2d(input: Shape, factors: Size2d): void {
    images('upsampleNearest2d', input);
    pair('upsampleNearest2d', 'factors', factors);
  },

  upsampleConv2d(input: Shape, filter: Shape, bias: Shape | undefined): void {
    images('upsampleConv2d', input);
    const holds = filter.length === 4 && filter[0] === 3 && filter[1] === 3 && filter[2] === input[3];
    assertShape(holds, 'upsampleConv2d', 'filter', `have shape [3, 3, ${input[3]}, outputChannels]`, filter);
    vector('upsampleConv2d', 'bias', bias, filter[3]);
  },

  /** @param vectors What there is of each channel, by its name. */
  channels(operation: string, input: Shape, vectors: Readonly<Record<string, { shape: Shape } | null>> = {}): void {
    rank(operation, input, 2);
    for (const [name, value] of Object.entries(vectors)) vector(operation, name, value?.shape, input[input.length - 1]);
  },

  logits(operation: string, logits: Shape): void {
    assertShape(logits.length === 2, operation, 'logits', 'have shape [batch, classes]', logits);
  },

  sameShape(operation: string, argument: string, current: Shape, shape: Shape): void {
    const holds = current.length === shape.length && current.every((size, axis) => size === shape[axis]);
    assertShape(holds, operation, argument, `have shape ${formatShape(shape)}`, current);
  },
};
