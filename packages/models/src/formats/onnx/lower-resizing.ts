import type { NodeOfKind } from '@dafl/core';
import { borderedEntries, type Share, takeEntries } from './axis-maps.ts';
import { type Constant, sizeOf, stridesOf, view } from './constant.ts';
import { type Activation, type NodeFields, sizesOf } from './graph-builder.ts';
import { join } from './lower-concatenation.ts';
import { cut, pick } from './lower-slices.ts';
import type { Lowerings, OperatorNode } from './operator-node.ts';
import { readBorders } from './read-borders.ts';
import { MOST_PARTS } from './read-parts.ts';
import { reshapeActivation } from './reshape-activation.ts';
import { type ResizedAxis, type Resizing, readResizing } from './read-resizing.ts';

type Resize = NodeOfKind<'resize2d'>;

/** Pads an axis by a number. */
export function fillAxis(
  node: OperatorNode,
  value: Activation,
  axis: number,
  before: number,
  after: number,
  fill: number,
): Activation {
  const block = (size: number): Activation[] => {
    if (size === 0) return [];
    const shape = value.shape.with(axis, size);
    const values = new Float32Array(node.sizeToMake(shape)).fill(fill);
    return [node.builder.constant(`${node.name}.padding`, { shape, dataType: 1, values }, value.order, false)];
  };
  return join(node, [...block(before), value, ...block(after)], axis);
}

/** The same for volumes, as rows of maps: a window that reads them takes the border as its own. */
function fillRows(
  node: OperatorNode,
  value: Activation,
  axis: number,
  [before, after]: readonly [number, number],
  fill: number,
): Activation {
  const { shape } = value;
  const rows = [1, sizeOf(shape.slice(0, axis)), shape[axis], sizeOf(shape.slice(axis + 1))];
  const maps = node.builder.arrange(node.name, reshapeActivation(node, value, rows), [2, 3, 1]);
  const padding = { top: before, bottom: after, left: 0, right: 0 };
  const made = node.builder.add(node.name, { kind: 'pad2d', padding, ...(fill !== 0 && { value: fill }) }, [maps.node]);
  const size = shape[axis] + before + after;
  return reshapeActivation(node, { ...maps, shape: rows.with(2, size), node: made }, shape.with(axis, size));
}

export const lowerResizing: Lowerings = {
  Pad(node) {
    let value = node.activation(0);
    const rank = value.shape.length;
    const { mode, fill, sides } = readBorders(node, rank);
    // What is cut off goes first.
    for (const [axis, [before, after]] of sides) {
      const begin = Math.max(0, -before);
      value = cut(node, value, axis, { begin, size: value.shape[axis] - begin - Math.max(0, -after) });
    }
    const grow = (axis: number, side: 0 | 1): number => Math.max(0, sides.get(axis)?.[side] ?? 0);
    const isMaps = rank === 4 && value.shape[0] === 1 && mode !== 'wrap';
    for (const axis of sides.keys()) {
      const [before, after] = [grow(axis, 0), grow(axis, 1)];
      if (before + after === 0 || (isMaps && axis >= 2)) continue;
      if (axis === 0 && node.builder.hasBatch && value.shape[0] === 1) node.refuse('it adds to the batch');
      if (mode === 'constant' && rank === 5 && value.shape[0] === 1)
        value = fillRows(node, value, axis, [before, after], fill);
      else if (mode === 'constant') value = fillAxis(node, value, axis, before, after, fill);
      else {
        // Each entry of the border may be a part of its own.
        if (before + after > MOST_PARTS) node.refuse(`it pads axis ${axis} by ${mode}`);
        const entries = borderedEntries(mode, value.shape[axis], before, after);
        value = pick(
          node,
          value,
          axis,
          (entries as number[] | undefined) ?? node.refuse('it mirrors more than there is'),
        );
      }
    }
    const padding = { top: grow(2, 0), bottom: grow(2, 1), left: grow(3, 0), right: grow(3, 1) };
    if (!isMaps || Object.values(padding).every((size) => size === 0)) return value;
    const maps = node.builder.arrange(node.name, value, [2, 3, 1]);
    const [batch, channels, height, width] = maps.shape;
    const { top, bottom, left, right } = padding;
    if (mode === 'reflect' && (Math.max(top, bottom) >= height || Math.max(left, right) >= width))
      node.refuse('it mirrors more than there is');
    const fields = {
      kind: 'pad2d',
      padding,
      ...(mode !== 'constant' && { mode: mode as 'reflect' | 'edge' }),
      ...(mode === 'constant' && fill !== 0 && { value: fill }),
    } as const;
    const shape = [batch, channels, height + top + bottom, width + left + right];
    return { ...maps, shape, node: node.builder.add(node.name, fields, [maps.node]) };
  },

  /** Each entry is the sum of those before it. */
  CumSum(node) {
    const value = node.activation(0);
    const axis = node.axis(node.constant(1).values[0], value.shape.length);
    if (axis === 0 && node.builder.hasBatch) node.refuse('it mixes the examples of a batch');
    const size = value.shape[axis];
    if (size > MOST_SUMMANDS) node.refuse(`it sums up ${size} entries`);
    const [leavesOut, isReverse] = [node.number('exclusive', 0) !== 0, node.number('reverse', 0) !== 0];
    const entries = Array.from({ length: size }, (_, to) =>
      Array.from({ length: size }, (_, from): Share => ({ from, share: 1 })).filter(({ from }) =>
        from === to ? !leavesOut : isReverse ? from > to : from < to,
      ),
    );
    return mixAxis(node, value, axis, entries);
  },

  /** Entries of the first axes, where each axis goes by axes of the indices that are its own: as torch picks rows and columns. */
  GatherND(node) {
    const value = node.activation(0);
    const indices = node.constant(1);
    if (node.number('batch_dims', 0) !== 0) node.refuse('it gathers by batch');
    const outer = indices.shape.slice(0, -1);
    const depth = indices.shape.at(-1) ?? 0;
    if (depth < 1 || depth > value.shape.length) node.refuse('its indices do not fit its rank');
    const strides = stridesOf(indices.shape);
    let made = value;
    let done = 0;
    for (let axis = 0; axis < depth; axis++) {
      const own = outer.flatMap((_, other) => (changesAlong(indices, other, axis) ? [other] : []));
      if (own.length > 0 && (own[0] < done || own.at(-1)! - own[0] !== own.length - 1))
        node.refuse('its indices are no rows and columns');
      done = own.length > 0 ? own.at(-1)! + 1 : done;
      const shape = own.map((other) => outer[other]);
      const places = view(
        indices,
        shape,
        own.map((other) => strides[other]),
        axis,
      );
      made = takeAlong(node, made, axis, [...places.values]);
    }
    return reshapeActivation(node, made, [...outer, ...value.shape.slice(depth)]);
  },

  Resize: resize,
  Upsample: resize,
};

/** Whether numbers of indices, at `column` of their last axis, change along another axis. */
function changesAlong({ shape, values }: Constant, axis: number, column: number): boolean {
  const [stride, last] = [stridesOf(shape)[axis], shape.at(-1)!];
  for (let index = column; index < values.length; index += last) {
    const place = Math.floor(index / stride) % shape[axis];
    if (values[index] !== values[index - place * stride]) return true;
  }
  return false;
}

/** Names of coordinates that a node of its own has. */
const coordinatesOf: Readonly<Record<string, Resize['coordinates']>> = {
  half_pixel: 'halfPixel',
  align_corners: 'alignCorners',
  asymmetric: 'asymmetric',
};
const roundings: Readonly<Record<string, Resize['rounding']>> = {
  round_prefer_floor: 'preferFloor',
  round_prefer_ceil: 'preferCeil',
  floor: 'floor',
  ceil: 'ceil',
};

type Places = Pick<Resize, 'coordinates' | 'rounding'>;

/** Which place of the input an output position stands for, and how it is rounded; undefined where no node does that. */
function placesOf({ coordinates: given, rounding: mode }: Resizing, axes: readonly ResizedAxis[]): Places | undefined {
  if (given === 'tf_half_pixel_for_nn')
    return mode === 'floor' ? { coordinates: 'halfPixel', rounding: 'preferCeil' } : undefined;
  const isUsual = given === 'pytorch_half_pixel' && axes.every(({ to }) => to > 1);
  const coordinates = isUsual ? 'halfPixel' : coordinatesOf[given];
  // Without a place that is given by the size alone, scales say more.
  const isWhole =
    coordinates === 'alignCorners' || axes.every(({ from, to, scale }) => Math.abs(from * scale - to) < 1e-4);
  return coordinates !== undefined && isWhole ? { coordinates, rounding: roundings[mode] } : undefined;
}

function resize(node: OperatorNode): Activation {
  const value = node.activation(0);
  const resizing = readResizing(node, value.shape);
  const changed = resizing.axes.flatMap((axis) => {
    // Sizes that are written down have the batch that the file fixes.
    const isBatch = axis.axis === 0 && axis.from === 1 && axis.to === node.builder.batch;
    return (axis.to === axis.from && axis.part.join() === '0,1') || isBatch ? [] : [axis];
  });
  if (changed.some(({ axis }) => axis === 0)) node.refuse('it resizes the batch');
  if (changed.length === 0) return value;
  const isMaps = value.shape.length === 4 && value.shape[0] === 1 && changed.every(({ axis }) => axis >= 2);
  const places = placesOf(resizing, changed);
  if (!isMaps || places === undefined || resizing.mode === 'cubic' || resizing.smooths)
    return changed.reduce((made, axis) => mixAxis(node, made, axis.axis, resizing.sharesOf(axis)), value);
  const input = node.maps(0);
  const [, , height, width] = input.shape;
  const lengthOf = (axis: number): number => changed.find((each) => each.axis === axis)?.to ?? input.shape[axis];
  const size: [number, number] = [lengthOf(2), lengthOf(3)];
  const factors: [number, number] = [size[0] / height, size[1] / width];
  const isNearest = resizing.mode === 'nearest';
  const isRepeat = isNearest && factors.every(Number.isInteger) && repeatsPixels(places, Math.max(...factors));
  const fields: NodeFields = isRepeat
    ? { kind: 'upsampleNearest2d', factors }
    : {
        kind: 'resize2d',
        size,
        mode: isNearest ? 'nearest' : 'bilinear',
        coordinates: places.coordinates,
        ...(isNearest && { rounding: places.rounding }),
      };
  return {
    ...input,
    shape: [...input.shape.slice(0, 2), ...size],
    node: node.builder.add(node.name, fields, [input.node]),
  };
}

/** Each of as many sums has a row of its own. */
const MOST_SUMMANDS = 512;

/** Entries of an axis by number, in whatever order. */
function takeAlong(node: OperatorNode, value: Activation, axis: number, numbers: readonly number[]): Activation {
  const given = numbers.map((number) => node.axis(number, value.shape[axis]));
  const runs = given.filter((number, place) => place === 0 || number !== given[place - 1] + 1).length;
  return runs <= MOST_RUNS ? pick(node, value, axis, given) : mixAxis(node, value, axis, takeEntries(given));
}

/** Of more runs of entries than this, a product with a matrix takes less than slices. */
const MOST_RUNS = 32;

/** An activation each of whose entries along an axis is a sum of others: a product with a matrix that is not trained. */
function mixAxis(
  node: OperatorNode,
  value: Activation,
  axis: number,
  entries: readonly (readonly Share[])[],
): Activation {
  const { builder, name } = node;
  const [from, to] = [value.shape[axis], entries.length];
  const order = [axis, ...value.order.filter((other) => other !== axis)];
  const first = builder.arrange(name, value, order);
  const rest = sizeOf(value.shape) / from;
  const rows = builder.add(name, { kind: 'reshape', shape: [from, rest] }, [first.node]);
  const data = new Float32Array(node.sizeToMake([to, from]));
  for (const [row, shares] of entries.entries())
    for (const { from: column, share } of shares) data[row * from + column] += share;
  // In one row: as rows and columns, what it makes would be channels of its own.
  const list = builder.add(`${name}.matrix`, { kind: 'constant', shape: [data.length], trainable: false }, [], {
    value: { shape: [data.length], data },
  });
  const matrix = builder.add(`${name}.matrix`, { kind: 'reshape', shape: [to, from] }, [list]);
  const mixed = builder.add(name, { kind: 'matMul' }, [matrix, rows]);
  const shape = value.shape.with(axis, to);
  const made = builder.add(name, { kind: 'reshape', shape: sizesOf(order, shape) }, [mixed]);
  return { node: made, shape, order };
}

/** Whether the nearest pixel is the one that lies there before everything becomes `factor` times as large. */
function repeatsPixels({ coordinates, rounding = 'preferFloor' }: Places, factor: number) {
  if (coordinates === 'asymmetric') return rounding === 'floor' || (rounding === 'preferFloor' && factor <= 2);
  return coordinates === 'halfPixel' && rounding.startsWith('prefer');
}
