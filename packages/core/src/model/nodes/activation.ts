import {
  abs,
  add,
  affine,
  clip,
  divide,
  erf,
  exp,
  gelu,
  leakyRelu,
  log,
  multiply,
  sigmoid,
  square,
  tanh,
} from '../../autodiff/operations/element-wise.ts';
import { softplus } from '../../autodiff/operations/softplus.ts';
import { squareRoot } from '../../autodiff/operations/square-root.ts';
import { softmax } from '../../autodiff/operations/softmax.ts';
import type { Tape, Value } from '../../autodiff/tape.ts';
import { number, oneOf } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { passChannels } from './_pass-channels.ts';
import { passOn } from './_pass-on.ts';

/**
 * How an activation node bends its input. `hardSigmoid` is clip(alpha x + beta, 0, 1), with 1 / 6 and 1 / 2 where they are
 * absent; `elu` is alpha (exp(x) - 1) below 0, with 1 where it is absent; `gelu` is the exact form with erf, `geluTanh` the
 * approximation by tanh.  */
export type ActivationFunction =
  | 'abs'
  | 'elu'
  | 'erf'
  | 'exp'
  | 'geluTanh'
  | 'log'
  | 'mish'
  | 'selu'
  | 'softplus'
  | 'softsign'
  | 'sqrt'
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
  /** Of `elu` and `hardSigmoid`; absent otherwise. */
  readonly alpha?: number;
  /** Of `hardSigmoid`; absent otherwise. */
  readonly beta?: number;
}

const functions: Readonly<Record<ActivationFunction, (tape: Tape, input: Value, node: ActivationNode) => Value>> = {
  relu: (tape, input) => leakyRelu(tape, input, 0),
  relu6: (tape, input) => clip(tape, input, 0, 6),
  leakyRelu: (tape, input, node) => leakyRelu(tape, input, node.slope ?? 0.01),
  sigmoid: (tape, input) => sigmoid(tape, input),
  hardSigmoid: (tape, input, { alpha, beta }) => hardSigmoid(tape, input, alpha, beta),
  hardSwish: (tape, input) => passOn(tape, hardSigmoid(tape, input), (gate) => multiply(tape, input, gate)),
  silu: (tape, input) => passOn(tape, sigmoid(tape, input), (gate) => multiply(tape, input, gate)),
  gelu: (tape, input) => gelu(tape, input),
  tanh: (tape, input) => tanh(tape, input),
  softmax: (tape, input) => softmax(tape, input),
  abs: (tape, input) => abs(tape, input),
  erf: (tape, input) => erf(tape, input),
  exp: (tape, input) => exp(tape, input),
  log: (tape, input) => log(tape, input),
  sqrt: (tape, input) => squareRoot(tape, input),
  elu: (tape, input, { alpha = 1 }) => elu(tape, input, alpha),
  // Klambauer et al., "Self-Normalizing Neural Networks", 2017, to the digits that frameworks have.
  selu: (tape, input) =>
    passOn(tape, elu(tape, input, 1.6732632423543772), (value) => affine(tape, value, 1.0507009873554805)),
  softplus: (tape, input) => softplus(tape, input),
  softsign(tape, input) {
    const raised = passOn(tape, abs(tape, input), (value) => affine(tape, value, 1, 1));
    return passOn(tape, raised, (value) => divide(tape, input, value));
  },
  mish(tape, input) {
    // Misra, "Mish: A Self Regularized Non-Monotonic Activation Function", 2019: x tanh(softplus(x)).
    const gate = passOn(tape, softplus(tape, input), (value) => tanh(tape, value));
    return passOn(tape, gate, (value) => multiply(tape, input, value));
  },
  geluTanh(tape, input) {
    // x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, as Hendrycks and Gimpel have it.
    const scale = Math.sqrt(2 / Math.PI);
    const slope = passOn(tape, square(tape, input), (value) => affine(tape, value, 0.044715 * scale, scale));
    const inner = passOn(tape, slope, (value) => multiply(tape, input, value));
    const bent = passOn(tape, inner, (value) => tanh(tape, value));
    const gate = passOn(tape, bent, (value) => affine(tape, value, 0.5, 0.5));
    return passOn(tape, gate, (value) => multiply(tape, input, value));
  },
};

/** An element-wise function, or the softmax of a row. */
export const activation: NodeKind<ActivationNode> = {
  fields: {
    function: oneOf(...(Object.keys(functions) as ActivationFunction[])),
    slope: { optional: number('a number >= 0', (value) => value >= 0) },
    alpha: { optional: number() },
    beta: { optional: number() },
  },

  infer(node, [input], fail) {
    const owners = { slope: ['leakyRelu'], alpha: ['elu', 'hardSigmoid'], beta: ['hardSigmoid'] } as const;
    for (const field of ['slope', 'alpha', 'beta'] as const) {
      const isOwn = (owners[field] as readonly string[]).includes(node.function);
      if (node[field] !== undefined && !isOwn)
        fail(`have '${field}' only for ${owners[field].join(' and ')}`, String(node[field]));
    }
    if (node.function === 'softmax' && input.length !== 1)
      fail('read one row an example for softmax', `[${input.join(', ')}]`);
    return { output: input };
  },

  forward: (node, [input], { tape }) => functions[node.function](tape, input, node),

  follow: passChannels,
};

function hardSigmoid(tape: Tape, input: Value, alpha = 1 / 6, beta = 0.5): Value {
  return passOn(tape, affine(tape, input, alpha, beta), (value) => clip(tape, value, 0, 1));
}

/** max(x, 0) + alpha (exp(min(x, 0)) - 1) */
function elu(tape: Tape, input: Value, alpha: number): Value {
  const below = passOn(tape, affine(tape, input, -1), (value) => leakyRelu(tape, value, 0));
  const decayed = passOn(tape, below, (value) => passOn(tape, affine(tape, value, -1), (other) => exp(tape, other)));
  const negative = passOn(tape, decayed, (value) => affine(tape, value, alpha, -alpha));
  const positive = leakyRelu(tape, input, 0);
  const output = add(tape, positive, negative);
  for (const value of [negative, positive]) tape.release(value);
  return output;
}
