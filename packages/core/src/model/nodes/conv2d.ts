import type { Padding2d, Size2d } from '../../backend.ts';
import { conv2d as convolve } from '../../autodiff/operations/conv2d.ts';
import type { Channel, Layout, WeightChannels } from '../channel-flow.ts';
import { boolean, integer, padding2d, size2d } from '../field-readers.ts';
import type { NodeBase, NodeKind, WeightSpecification } from '../node-kind.ts';
import { sizeOf } from '../../shape.ts';
import { slideAxes } from './_slide-axes.ts';
import { splitAxis } from './_split-axis.ts';
import { withBias } from './_with-bias.ts';
import { paddedSize, requireImage, slide } from './_window.ts';

/** Weights `kernel` `[kernelHeight, kernelWidth, inputChannels / groups, filters]` and, with `useBias`, `bias` `[filters]`. */
export interface Conv2dNode extends NodeBase {
  readonly kind: 'conv2d';
  readonly filters: number;
  readonly kernelSize: Size2d;
  readonly strides: Size2d;
  readonly padding: Padding2d;
  readonly dilations: Size2d;
  readonly groups: number;
  readonly useBias: boolean;
}

/** 2-D convolution, with groups. */
export const conv2d: NodeKind<Conv2dNode> = {
  fields: {
    filters: integer(1),
    kernelSize: size2d,
    strides: size2d,
    padding: padding2d,
    dilations: size2d,
    groups: integer(1),
    useBias: boolean,
  },

  infer({ filters, kernelSize, strides, padding, dilations, groups, useBias }, [input], fail) {
    requireImage(input, fail);
    const channels = input[2];
    if (channels % groups !== 0 || filters % groups !== 0)
      fail(`divide its channels into ${groups} groups`, `${channels} -> ${filters}`);
    const shape = [...kernelSize, channels / groups, filters];
    const initial = { bound: 1 / Math.sqrt(sizeOf(shape) / filters) };
    return {
      output: [...slide(input, kernelSize, strides, padding, dilations), filters],
      weights: withBias<WeightSpecification>(
        { shape, trainable: true, initial },
        useBias ? { shape: [filters], trainable: true, initial } : null,
      ),
    };
  },

  forward(node, [input], { tape, weight }) {
    return convolve(tape, input, weight('kernel'), node.useBias ? weight('bias') : null, node);
  },

  cost({ padding }, [input], { output, weights }) {
    return {
      multiplyAccumulates: output[0] * output[1] * sizeOf(weights.kernel.shape),
      workspace: paddedSize(input, padding),
    };
  },

  follow(node, [input], flow, shapes) {
    const { name, filters, groups } = node;
    const [, , channels] = input;
    const [rows, columns] = slideAxes(input, node.strides, flow, shapes);
    const inputChannels = shapes.inputs[0][2];
    const isDepthwise = groups > 1 && groups === inputChannels;
    if (isDepthwise && channels !== null) {
      const multiplier = filters / groups;
      const output = channels.flatMap((channel) => Array<Channel>(multiplier).fill(channel));
      return {
        output: [rows, columns, output],
        weights: withBias<WeightChannels>(
          { blocks: [[null, null, null, output]], makes: 3 },
          node.useBias ? { blocks: [[output]] } : null,
        ),
        resize: (kept) => {
          const left = kept.positions(channels).length;
          return { ...node, groups: left, filters: left * multiplier };
        },
      };
    }
    const output = flow.make(filters, name);
    const inputBlocks = splitAxis(channels, groups);
    const outputBlocks = splitAxis(output, groups);
    if (groups > 1) {
      // Each group keeps as many channels as every other, so what belongs to one can't stand in for another's.
      inputBlocks.forEach((block, group) => flow.mark(block, `${name}<${group}`));
      outputBlocks.forEach((block, group) => flow.mark(block, `${name}>${group}`));
    }
    return {
      output: [rows, columns, output],
      weights: withBias<WeightChannels>(
        {
          blocks: outputBlocks.map((block, group): Layout => [null, null, inputBlocks[group], block]),
          makes: 3,
          reads: 2,
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
