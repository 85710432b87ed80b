import { affine, clip, erf, leakyRelu, multiply, sigmoid, tanh } from '../../autodiff/operations/element-wise.ts';
import { softmax } from '../../autodiff/operations/softmax.ts';
import type { Tape, Value } from '../../autodiff/tape.ts';
import { number, oneOf } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { passChannels } from './_pass-channels.ts';
import { passOn } from './_pass-on.ts';

/** How an activation node bends its input. `hardSigmoid` is clip(x / 6 + 1 / 2, 0, 1); `gelu` is the exact form with erf. */
export type ActivationFunction =
  | 'relu'
  | 'relu6'
  | 'leakyRelu'
  | 'sigmoid'
  | 'hardSigmoid'
  | 'hardSwish'
  | 'silu'
  | 'gelu'
  | 'tanh'
  | 'softmax';

/** Bends each element. */
export interface ActivationNode extends NodeBase {
  readonly kind: 'activation';
  readonly function: ActivationFunction;
  /** Slope below 0 of `leakyRelu`; absent otherwise. */
  readonly slope?: number;
}

const functions: Readonly<Record<ActivationFunction, (tape: Tape, input: Value, node: ActivationNode) => Value>> = {
  relu: (tape, input) => leakyRelu(tape, input, 0),
  relu6: (tape, input) => clip(tape, input, 0, 6),
  leakyRelu: (tape, input, node) => leakyRelu(tape, input, node.slope ?? 0.01),
  sigmoid: (tape, input) => sigmoid(tape, input),
  hardSigmoid,
  hardSwish: (tape, input) => passOn(tape, hardSigmoid(tape, input), (gate) => multiply(tape, input, gate)),
  silu: (tape, input) => passOn(tape, sigmoid(tape, input), (gate) => multiply(tape, input, gate)),
  gelu(tape, input) {
    // x (1 + erf(x / sqrt 2)) / 2
    const bent = passOn(tape, affine(tape, input, Math.SQRT1_2), (value) => erf(tape, value));
    const gate = passOn(tape, bent, (value) => affine(tape, value, 0.5, 0.5));
    return passOn(tape, gate, (value) => multiply(tape, input, value));
  },
  tanh: (tape, input) => tanh(tape, input),
  softmax: (tape, input) => softmax(tape, input),
};

/** An element-wise function, or the softmax of a row. */
export const activation: NodeKind<ActivationNode> = {
  fields: {
    function: oneOf(...(Object.keys(functions) as ActivationFunction[])),
    slope: { optional: number('a number >= 0', (value) => value >= 0) },
  },

  infer(node, [input], fail) {
    if (node.slope !== undefined && node.function !== 'leakyRelu')
      fail('have a slope only for leakyRelu', String(node.slope));
    if (node.function === 'softmax' && input.length !== 1)
      fail('read one row an example for softmax', `[${input.join(', ')}]`);
    return { output: input };
  },

  forward: (node, [input], { tape }) => functions[node.function](tape, input, node),

  follow: passChannels,
};

function hardSigmoid(tape: Tape, input: Value): Value {
  return passOn(tape, affine(tape, input, 1 / 6, 0.5), (value) => clip(tape, value, 0, 1));
}
