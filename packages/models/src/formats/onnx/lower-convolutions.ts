import type { HostTensor, Padding2d, Size2d } from '@dafl/core';
import { type Constant, transposeConstant } from './constant.ts';
import type { Activation, NodeFields } from './graph-builder.ts';
import { alongLines } from './along-lines.ts';
import type { Lowerings, OperatorNode } from './operator-node.ts';

/** A constant as a weight, in another order of its axes. */
export function weightOf(constant: Constant, order?: readonly number[]): HostTensor {
  const { shape, values } = order === undefined ? constant : transposeConstant(constant, order);
  return { shape: [...shape], data: values instanceof Float32Array ? values : Float32Array.from(values) };
}

/** A list of two sizes. */
export function pairOf(node: OperatorNode, attribute: string, otherwise: Size2d = [1, 1]): Size2d {
  const sizes = node.numbers(attribute) ?? otherwise;
  if (sizes.length !== 2) return node.refuse(`${attribute} has ${sizes.length} sizes: only 2 are supported`);
  return [sizes[0], sizes[1]];
}

/** Padding of a window that slides over maps, by `auto_pad` and `pads`. */
export function paddingOf(
  node: OperatorNode,
  [, , height, width]: readonly number[],
  window: Size2d,
  strides: Size2d,
  dilations: Size2d,
): Padding2d {
  const auto = node.text('auto_pad', 'NOTSET');
  if (auto === 'VALID') return { top: 0, bottom: 0, left: 0, right: 0 };
  if (auto === 'NOTSET') {
    const pads = node.numbers('pads') ?? [0, 0, 0, 0];
    if (pads.length !== 4) return node.refuse(`pads has ${pads.length} sizes: only 4 are supported`);
    const [top, left, bottom, right] = pads;
    return { top, bottom, left, right };
  }
  if (auto !== 'SAME_UPPER' && auto !== 'SAME_LOWER') return node.refuse(`auto_pad is ${auto}`);
  const [[top, bottom], [left, right]] = [height, width].map((size, axis) => {
    const reach = (window[axis] - 1) * dilations[axis] + 1;
    const total = Math.max(0, (Math.ceil(size / strides[axis]) - 1) * strides[axis] + reach - size);
    const less = Math.floor(total / 2);
    return auto === 'SAME_UPPER' ? [less, total - less] : [total - less, less];
  });
  return { top, bottom, left, right };
}

/** Positions of a window along an axis. */
export function slideCount(size: number, padding: number, window: number, stride: number, dilation: number): number {
  return Math.floor((size + padding - ((window - 1) * dilation + 1)) / stride) + 1;
}

/** Shape of `[batch, channels, height, width]` that a window gives. */
export function slideShape(
  [batch, , height, width]: readonly number[],
  channels: number,
  window: Size2d,
  padding: Padding2d,
  strides: Size2d,
  dilations: Size2d = [1, 1],
): number[] {
  return [
    batch,
    channels,
    slideCount(height, padding.top + padding.bottom, window[0], strides[0], dilations[0]),
    slideCount(width, padding.left + padding.right, window[1], strides[1], dilations[1]),
  ];
}

/** Kernels that follow from other weights of the file are constants too, but one that follows from the input is not. */
export const lowerConvolutions: Lowerings = {
  Conv: alongLines((node) => {
    const input = node.maps(0);
    const kernel = node.constant(1);
    const bias = node.optionalConstant(2);
    if (kernel.shape.length !== 4) node.refuse(`its kernel has rank ${kernel.shape.length}: only 4 is supported`);
    const [filters, , height, width] = kernel.shape;
    const kernelSize: Size2d = [height, width];
    const strides = pairOf(node, 'strides');
    const dilations = pairOf(node, 'dilations');
    const padding = paddingOf(node, input.shape, kernelSize, strides, dilations);
    const fields: NodeFields = {
      kind: 'conv2d',
      filters,
      kernelSize,
      strides,
      padding,
      dilations,
      groups: node.number('group', 1),
      useBias: bias !== undefined,
    };
    const weights = { kernel: weightOf(kernel, [2, 3, 1, 0]), ...(bias !== undefined && { bias: weightOf(bias) }) };
    const shape = slideShape(input.shape, filters, kernelSize, padding, strides, dilations);
    return { ...input, shape, node: node.builder.add(node.name, fields, [input.node], weights) };
  }),

  ConvTranspose: alongLines((node) => {
    const input = node.maps(0);
    const kernel = node.constant(1);
    const bias = node.optionalConstant(2);
    if (kernel.shape.length !== 4) node.refuse(`its kernel has rank ${kernel.shape.length}: only 4 is supported`);
    const groups = node.number('group', 1);
    const [, part, height, width] = kernel.shape;
    const kernelSize: Size2d = [height, width];
    const strides = pairOf(node, 'strides');
    const dilations = pairOf(node, 'dilations');
    const filters = part * groups;
    const given = node.numbers('output_padding') ?? [0, 0];
    const outputPadding: [number, number] = [given[0] ?? 0, given[1] ?? 0];
    const auto = node.text('auto_pad', 'NOTSET');
    const goal = node.numbers('output_shape')?.slice(-2);
    const [rows, columns] = input.shape.slice(2);
    const full = [rows, columns].map(
      (size, axis) => (size - 1) * strides[axis] + (kernelSize[axis] - 1) * dilations[axis] + 1 + outputPadding[axis],
    );
    const sizes = goal ?? (auto.startsWith('SAME') ? [rows * strides[0], columns * strides[1]] : undefined);
    let [top, left, bottom, right] = auto === 'NOTSET' ? (node.numbers('pads') ?? [0, 0, 0, 0]) : [0, 0, 0, 0];
    if (sizes !== undefined) {
      const [vertical, horizontal] = full.map((size, axis) => size - sizes[axis]);
      // What is missing is added behind; of what is too much, the odd row goes from the end or, lower, from the start.
      for (const [axis, total] of [vertical, horizontal].entries()) if (total < 0) outputPadding[axis] -= total;
      const half = (total: number) => Math.max(0, auto === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2));
      [top, left] = [half(vertical), half(horizontal)];
      [bottom, right] = [Math.max(0, vertical) - top, Math.max(0, horizontal) - left];
    }
    if (
      outputPadding.some((size, axis) => size < 0 || size >= strides[axis]) ||
      [top, left, bottom, right].some((size) => size < 0)
    )
      node.refuse(
        `its output padding [${outputPadding.join(', ')}] is not less than its strides, or its padding is negative`,
      );
    const padding = { top, bottom, left, right };
    const fields: NodeFields = {
      kind: 'transposedConv2d',
      filters,
      kernelSize,
      strides,
      padding,
      dilations,
      groups,
      outputPadding,
      useBias: bias !== undefined,
    };
    const shape = [1, filters].concat(
      (rows - 1) * strides[0] + (height - 1) * dilations[0] + 1 - top - bottom + outputPadding[0],
      (columns - 1) * strides[1] + (width - 1) * dilations[1] + 1 - left - right + outputPadding[1],
    );
    const weights = { kernel: weightOf(kernel, [2, 3, 1, 0]), ...(bias !== undefined && { bias: weightOf(bias) }) };
    return { ...input, shape, node: node.builder.add(node.name, fields, [input.node], weights) };
  }),
};

/** An activation with axis 1, its channels, last. */
export function channelsLast(node: OperatorNode, value: Activation): Activation {
  const others = value.order.filter((axis) => axis !== 1);
  return node.builder.arrange(node.name, value, [...others, 1]);
}
