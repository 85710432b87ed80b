import type { Padding2d, Size2d } from '../../backend.ts';
import { add } from '../../autodiff/operations/element-wise.ts';
import { transposedConv2d as convolve } from '../../autodiff/operations/transposed-conv2d.ts';
import type { Channel, Layout, WeightChannels } from '../channel-flow.ts';
import { boolean, integer, list, padding2d, size2d } from '../field-readers.ts';
import type { NodeBase, NodeKind, WeightSpecification } from '../node-kind.ts';
import { slideAxes } from './_slide-axes.ts';
import { splitAxis } from './_split-axis.ts';
import { passOn } from './_pass-on.ts';
import { sizeOf } from '../../shape.ts';
import { withBias } from './_with-bias.ts';
import { requireImage } from './_window.ts';

/**
 * Weights `kernel` `[kernelHeight, kernelWidth, filters / groups, inputChannels]` and, with `useBias`, `bias` `[filters]`.
 * Output sizes are (size - 1) x stride + dilation x (kernel - 1) + 1 - padding + outputPadding.
 */
export interface TransposedConv2dNode extends NodeBase {
  readonly kind: 'transposedConv2d';
  readonly filters: number;
  readonly kernelSize: Size2d;
  readonly strides: Size2d;
  readonly padding: Padding2d;
  readonly dilations: Size2d;
  readonly groups: number;
  /** Rows below and columns to the right that are added to the output; less than the stride. */
  readonly outputPadding: readonly [height: number, width: number];
  readonly useBias: boolean;
}

/** Transposed 2-D convolution. */
export const transposedConv2d: NodeKind<TransposedConv2dNode> = {
  fields: {
    filters: integer(1),
    kernelSize: size2d,
    strides: size2d,
    padding: padding2d,
    dilations: size2d,
    groups: integer(1),
    outputPadding: (value, place, reject) => list(integer(0), 2, 2)(value, place, reject) as [number, number],
    useBias: boolean,
  },

  infer(node, [input], fail) {
    const { filters, kernelSize, strides, padding, dilations, groups, outputPadding, useBias } = node;
    requireImage(input, fail);
    const [, , channels] = input;
    if (channels % groups !== 0 || filters % groups !== 0)
      fail(`divide its channels into ${groups} groups`, `${channels} -> ${filters}`);
    if (outputPadding.some((rows, axis) => rows >= strides[axis]))
      fail('have an outputPadding less than its strides', `[${outputPadding.join(', ')}]`);
    const grow = (axis: 0 | 1, cut: number): number =>
      (input[axis] - 1) * strides[axis] + dilations[axis] * (kernelSize[axis] - 1) + 1 - cut + outputPadding[axis];
    const shape = [...kernelSize, filters / groups, channels];
    const initial = { bound: 1 / Math.sqrt((sizeOf(kernelSize) * channels) / groups) };
    return {
      output: [grow(0, padding.top + padding.bottom), grow(1, padding.left + padding.right), filters],
      weights: withBias<WeightSpecification>(
        { shape, trainable: true, initial },
        useBias ? { shape: [filters], trainable: true, initial } : null,
      ),
    };
  },

  forward(node, [input], { tape, weight, shapes }) {
    const outputShape = [input.shape[0], ...shapes.output];
    // What `conv2d` leaves of the last rows is the output padding.
    const output = convolve(tape, input, weight('kernel'), outputShape, node);
    return node.useBias ? passOn(tape, output, (value) => add(tape, value, weight('bias'))) : output;
  },

  cost: (_, [input], { weights }) => ({ multiplyAccumulates: input[0] * input[1] * sizeOf(weights.kernel.shape) }),

  follow(node, [input], flow, shapes) {
    const { name, filters, groups } = node;
    const sides = slideAxes(input, null, flow, shapes);
    const [, , channels] = input;
    if (groups > 1 && channels?.length === groups) {
      const multiplier = filters / groups;
      const output = channels.flatMap((channel) => Array<Channel>(multiplier).fill(channel));
      return {
        output: [...sides, output],
        weights: withBias<WeightChannels>(
          { blocks: [[null, null, null, channels]], makes: 3 },
          node.useBias ? { blocks: [[output]] } : null,
        ),
        resize: (kept) => {
          const left = kept.positions(channels).length;
          return { ...node, groups: left, filters: left * multiplier };
        },
      };
    }
    const output = flow.make(filters, name);
    const [inputBlocks, outputBlocks] = [splitAxis(channels, groups), splitAxis(output, groups)];
    if (groups > 1) {
      inputBlocks.forEach((block, group) => flow.mark(block, `${name}<${group}`));
      outputBlocks.forEach((block, group) => flow.mark(block, `${name}>${group}`));
    }
    return {
      output: [...sides, output],
      weights: withBias<WeightChannels>(
        {
          blocks: inputBlocks.map((block, group): Layout => [null, null, outputBlocks[group], block]),
          makes: 2,
          reads: 3,
        },
        node.useBias ? { blocks: [[output]] } : null,
      ),
      resize: (kept, fail) => {
        for (const blocks of [inputBlocks, outputBlocks]) {
          const widths = blocks.map((block) => (block === null ? 0 : kept.positions(block).length));
          if (widths.some((width) => width !== widths[0])) fail('have groups of equal width', `[${widths.join(', ')}]`);
        }
        return { ...node, filters: kept.positions(output).length };
      },
    };
  },
};
