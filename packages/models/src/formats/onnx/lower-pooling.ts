import type { Padding2d, Size2d } from '@dafl/core';
import { type Activation, type NodeFields } from './graph-builder.ts';
import { pairOf, paddingOf, slideShape } from './lower-convolutions.ts';
import type { Lowerings, OperatorNode } from './operator-node.ts';

/** A pooling window with its padding. */
interface Window {
  readonly input: Activation;
  readonly windowSize: Size2d;
  readonly strides: Size2d;
  /** As the file says. */
  readonly padding: Padding2d;
  /** With what the last windows need of `ceil_mode`. */
  readonly wholePadding: Padding2d;
}

function windowOf(node: OperatorNode): Window {
  const input = node.maps(0);
  const windowSize = pairOf(node, 'kernel_shape');
  const strides = pairOf(node, 'strides');
  if (pairOf(node, 'dilations').some((dilation) => dilation !== 1)) node.refuse('its window is dilated');
  const padding = paddingOf(node, input.shape, windowSize, strides, [1, 1]);
  const [, , height, width] = input.shape;
  if (node.number('ceil_mode', 0) === 0 || node.text('auto_pad', 'NOTSET') !== 'NOTSET')
    return { input, windowSize, strides, padding, wholePadding: padding };
  const end = (size: number, before: number, after: number, axis: 0 | 1): number => {
    let count = Math.ceil((size + before + after - windowSize[axis]) / strides[axis]) + 1;
    // A window that would begin behind the map and its padding before it is left out.
    if ((count - 1) * strides[axis] >= size + before) count--;
    return Math.max(after, (count - 1) * strides[axis] + windowSize[axis] - size - before);
  };
  const bottom = end(height, padding.top, padding.bottom, 0);
  const right = end(width, padding.left, padding.right, 1);
  return { input, windowSize, strides, padding, wholePadding: { ...padding, bottom, right } };
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

export const lowerPooling: Lowerings = {
  MaxPool(node) {
    const window = windowOf(node);
    const { windowSize, strides, wholePadding: padding } = window;
    return pool(node, window, padding, { kind: 'maxPool2d', windowSize, strides, padding });
  },

  AveragePool(node) {
    const window = windowOf(node);
    const { windowSize, strides, padding, wholePadding, input } = window;
    const countsPadding = node.number('count_include_pad', 0) !== 0;
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
  },
};
