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

  GlobalAveragePool: (node) => averageMaps(node, node.maps(0), true),

  GlobalMaxPool(node) {
    const input = node.maps(0);
    const [batch, channels, height, width] = input.shape;
    const fields: NodeFields = {
      kind: 'maxPool2d',
      windowSize: [height, width],
      strides: [1, 1],
      padding: { top: 0, bottom: 0, left: 0, right: 0 },
    };
    return { ...input, shape: [batch, channels, 1, 1], node: node.builder.add(node.name, fields, [input.node]) };
  },

  ReduceMean(node) {
    const value = node.activation(0);
    const axes = node.numbersAt('axes', 1)?.map((axis) => (axis < 0 ? axis + value.shape.length : axis));
    const keepsAxes = node.number('keepdims', 1) !== 0;
    const rank = value.shape.length;
    if (axes === undefined || rank !== 4 || axes.length !== 2 || axes.includes(0))
      return node.refuse(
        `only means over two axes of maps are supported: current axes are ${axes === undefined ? 'all' : `[${axes.join(', ')}]`}`,
      );
    const [kept] = [1, 2, 3].filter((axis) => !axes.includes(axis));
    const others = value.order.filter((axis) => axis !== kept);
    const input = node.builder.arrange(node.name, value, [...others, kept]);
    const mean = node.builder.add(node.name, { kind: 'globalAveragePool2d' }, [input.node]);
    if (!keepsAxes) return { node: mean, shape: [value.shape[0], value.shape[kept]], order: [1] };
    const shape = value.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    return {
      node: node.builder.add(node.name, { kind: 'reshape', shape: [1, 1, value.shape[kept]] }, [mean]),
      shape,
      order: input.order,
    };
  },
};

/** Means over height and width. */
function averageMaps(node: OperatorNode, input: Activation, keepsAxes: boolean): Activation {
  const [batch, channels] = input.shape;
  const mean = node.builder.add(node.name, { kind: 'globalAveragePool2d' }, [input.node]);
  if (!keepsAxes) return { node: mean, shape: [batch, channels], order: [1] };
  return {
    node: node.builder.add(node.name, { kind: 'reshape', shape: [1, 1, channels] }, [mean]),
    shape: [batch, channels, 1, 1],
    order: input.order,
  };
}
