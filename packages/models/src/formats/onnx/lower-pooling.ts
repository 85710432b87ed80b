import type { Padding2d, Size2d } from '@dafl/core';
import { alongLines } from './along-lines.ts';
import { alongVolumes } from './along-volumes.ts';
import { combine, scaleBy } from './broadcast.ts';
import { FLOAT } from './constant.ts';
import { type Activation, type NodeFields } from './graph-builder.ts';
import { scalar } from './lower-arithmetic.ts';
import { pairOf, paddingOf, slideCount, slideShape } from './lower-convolutions.ts';
import { reduceTo } from './lower-reductions.ts';
import { fillAxis } from './lower-resizing.ts';
import { cut } from './lower-slices.ts';
import type { Lowerings, OperatorNode } from './operator-node.ts';

/** A pooling window with its padding. */
interface Window {
  readonly input: Activation;
  readonly windowSize: Size2d;
  readonly strides: Size2d;
  readonly dilations: Size2d;
  /** As the file says. */
  readonly padding: Padding2d;
  /** With what the last windows need of `ceil_mode`. */
  readonly wholePadding: Padding2d;
}

function windowOf(node: OperatorNode): Window {
  const input = node.maps(0);
  const windowSize = pairOf(node, 'kernel_shape');
  const strides = pairOf(node, 'strides');
  const dilations = pairOf(node, 'dilations');
  const reach = windowSize.map((size, axis) => (size - 1) * dilations[axis] + 1);
  const padding = paddingOf(node, input.shape, windowSize, strides, dilations);
  const [, , height, width] = input.shape;
  if (node.number('ceil_mode', 0) === 0 || node.text('auto_pad', 'NOTSET') !== 'NOTSET')
    return { input, windowSize, strides, dilations, padding, wholePadding: padding };
  const end = (size: number, before: number, after: number, axis: 0 | 1): number => {
    let count = Math.ceil((size + before + after - reach[axis]) / strides[axis]) + 1;
    // A window that would begin behind the map and its padding before it is left out.
    if ((count - 1) * strides[axis] >= size + before) count--;
    return Math.max(after, (count - 1) * strides[axis] + reach[axis] - size - before);
  };
  const bottom = end(height, padding.top, padding.bottom, 0);
  const right = end(width, padding.left, padding.right, 1);
  return { input, windowSize, strides, dilations, padding, wholePadding: { ...padding, bottom, right } };
}

function pool(node: OperatorNode, { input, windowSize, strides }: Window, padding: Padding2d, fields: NodeFields) {
  if (
    Math.max(padding.top, padding.bottom) >= windowSize[0] ||
    Math.max(padding.left, padding.right) >= windowSize[1]
  ) {
    node.refuse('a window can lie in padding alone');
  }
  const shape = slideShape(input.shape, input.shape[1], windowSize, padding, strides);
  return { ...input, shape, node: node.builder.add(node.name, fields, [input.node]) };
}

const isDilated = ({ dilations }: Window): boolean => dilations.some((dilation) => dilation !== 1);

/** Entries of a window: one with more would be a graph of little else. */
const MOST_ENTRIES = 64;
/** Less than anything that is computed, and finite. */
const LEAST = Math.fround(-3.4028234e38);

/** How entries of a window that lie apart become one. */
interface DilatedPooling {
  readonly kind: 'maximum' | 'add';
  /** What stands in the padding. */
  readonly fill: number;
  /** How many entries count of those at these places, by what a mean divides; absent: it divides by nothing. */
  readonly countOf?: (places: readonly number[], length: number, after: number) => number;
}

/** One value of entries that lie apart: first down, then across, of as many slices as a window has entries there. */
function poolDilated(node: OperatorNode, window: Window, { kind, fill, countOf }: DilatedPooling): Activation {
  const { top, bottom, left, right } = window.wholePadding;
  const pads = [
    [top, bottom, window.padding.bottom],
    [left, right, window.padding.right],
  ];
  let value = window.input;
  for (const [index, [before, after, said]] of pads.entries()) {
    const [entries, stride, dilation] = [window.windowSize[index], window.strides[index], window.dilations[index]];
    if (!(entries >= 1 && entries <= MOST_ENTRIES)) node.refuse(`its window is dilated and has ${entries} entries`);
    const axis = 2 + index;
    const length = value.shape[axis];
    const size = slideCount(length, before + after, entries, stride, dilation);
    // Each position needs an entry at a place of the map, and each of these pairs is one position's.
    if (size > entries * length) node.refuse('a window can lie in padding alone');
    const all = Array.from({ length: entries }, (_, entry) => entry);
    const placesOf = (position: number) => all.map((entry) => position * stride + entry * dilation - before);
    const positions = Array.from({ length: Math.max(0, size) }, (_, position) => placesOf(position));
    if (!positions.every((places) => places.some((place) => place >= 0 && place < length)))
      node.refuse('a window can lie in padding alone');
    const padded = fillAxis(node, value, axis, before, after, fill);
    value = all
      .map((entry) => cut(node, padded, axis, { begin: entry * dilation, size, stride }))
      .reduce((total, next) => combine(node, kind, total, next));
    if (countOf === undefined) continue;
    const shares = positions.map((places) => 1 / countOf(places, length, said));
    const isSame = shares.every((share) => share === shares[0]);
    const shape = isSame ? [] : [size, ...Array<number>(3 - axis).fill(1)];
    const values = Float32Array.from(isSame ? shares.slice(0, 1) : shares);
    value = scaleBy(node, value, { shape, values, dataType: FLOAT });
  }
  return value;
}

/** The root of a sum of powers: what a window or a map comes to by its p-norm. */
function norm(node: OperatorNode, add: (powers: Activation) => Activation): Activation {
  const { builder, name } = node;
  const exponent = node.number('p', 2);
  if (!(exponent >= 1)) node.refuse(`its p is ${exponent}`);
  const value = node.activation(0);
  const isEven = exponent % 2 === 0;
  const size = isEven ? value : builder.map(name, value, { kind: 'activation', function: 'abs' });
  const sum = add(exponent === 1 ? size : builder.map(name, size, { kind: 'power', exponent }));
  return exponent === 1 ? sum : builder.map(name, sum, { kind: 'power', exponent: 1 / exponent });
}

export const lowerPooling: Lowerings = {
  /** Of mean powers, times how many there are. */
  LpPool: alongLines((node) =>
    norm(node, (powers) => {
      const counting = node.reading([powers], [['count_include_pad', 1]]);
      const window = windowOf(counting);
      const count = window.windowSize[0] * window.windowSize[1];
      if (isDilated(window)) return poolDilated(counting, window, { kind: 'add', fill: 0 });
      const { windowSize, strides, wholePadding: padding } = window;
      const fields: NodeFields = { kind: 'averagePool2d', windowSize, strides, padding, countsPadding: true };
      return scaleBy(node, pool(counting, window, padding, fields), scalar(count));
    }),
  ),

  GlobalLpPool: (node) =>
    norm(node, (powers) => reduceTo(node, powers, powers.shape.map((_, axis) => axis).slice(2), 'sum', true)),

  MaxPool: alongLines(
    alongVolumes((node) => {
      const window = windowOf(node);
      if (isDilated(window)) return poolDilated(node, window, { kind: 'maximum', fill: LEAST });
      const { windowSize, strides, wholePadding: padding } = window;
      return pool(node, window, padding, { kind: 'maxPool2d', windowSize, strides, padding });
    }),
  ),

  AveragePool: alongLines(
    alongVolumes((node) => {
      const window = windowOf(node);
      const { windowSize, strides, padding, wholePadding, input } = window;
      const countsPadding = node.number('count_include_pad', 0) !== 0;
      if (isDilated(window)) {
        const countOf: DilatedPooling['countOf'] = (places, length, after) =>
          // What `ceil_mode` adds never counts.
          places.filter((place) => (countsPadding ? place < length + after : place >= 0 && place < length)).length;
        return poolDilated(node, window, { kind: 'add', fill: 0, countOf });
      }
      const fields = { kind: 'averagePool2d', windowSize, strides, countsPadding } as const;
      if (!countsPadding || (padding.bottom === wholePadding.bottom && padding.right === wholePadding.right))
        return pool(node, window, wholePadding, { ...fields, padding: wholePadding });
      // The padding that the file asks for counts, what `ceil_mode` adds does not.
      const { top, bottom, left, right } = padding;
      const [batch, channels, height, width] = input.shape;
      const padded: Activation = {
        ...input,
        shape: [batch, channels, height + top + bottom, width + left + right],
        node: node.builder.add(node.name, { kind: 'pad2d', padding }, [input.node]),
      };
      const rest = { top: 0, left: 0, bottom: wholePadding.bottom - bottom, right: wholePadding.right - right };
      return pool(node, { ...window, input: padded }, rest, { ...fields, countsPadding: false, padding: rest });
    }),
  ),
};
