import { type Constant, sizeOf } from './constant.ts';
import { type Activation, isActivation } from './graph-builder.ts';
import type { Lowering, OperatorNode } from './operator-node.ts';
import type { OnnxAttribute } from './parse-onnx.ts';
import { reshapeActivation } from './reshape-activation.ts';

/** Sizes for one axis, and what they are along a second of size 1. */
const sizes: Readonly<Record<string, number>> = {
  kernel_shape: 1,
  strides: 1,
  dilations: 1,
  output_padding: 0,
  output_shape: 1,
};

/** A lowering that takes maps, for lines too, `[batch, channels, length]`: they are maps that are one pixel wide. */
export function alongLines(lowering: (node: OperatorNode) => Activation): Lowering {
  return (node) => {
    const value = node.activation(0);
    if (value.shape.length !== 3 || !node.builder.hasBatch) return lowering(node);
    const attributes: [string, OnnxAttribute][] = Object.entries(sizes).flatMap(([name, other]) => {
      const given = node.numbers(name);
      return given?.length === 1 ? [[name, [given[0], other]]] : [];
    });
    const pads = node.numbers('pads');
    if (pads?.length === 2) attributes.push(['pads', [pads[0], 0, pads[1], 0]]);
    const map = reshapeActivation(node, value, [...value.shape, 1]);
    const inputs = node.inputs.map((input, index) => {
      if (index === 0 || input === undefined || isActivation(input)) return index === 0 ? map : input;
      return input.shape.length === 3 ? ({ ...input, shape: [...input.shape, 1] } satisfies Constant) : input;
    });
    const made = lowering(node.reading(inputs, attributes));
    return reshapeActivation(node, made, [...made.shape.slice(0, 2), sizeOf(made.shape.slice(2))]);
  };
}
