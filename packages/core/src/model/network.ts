import type { Tensor, TensorBackend } from '../backend.ts';
import { add, affine, clip, erf, leakyRelu, multiply, sigmoid, tanh } from '../autodiff/operations/element-wise.ts';
import { batchNorm } from '../autodiff/operations/batch-norm.ts';
import { concat, pad, reshape, transpose } from '../autodiff/operations/layout.ts';
import { conv2d } from '../autodiff/operations/conv2d.ts';
import { matMul } from '../autodiff/operations/mat-mul.ts';
import { averagePool2d, maxPool2d, upsampleNearest2d } from '../autodiff/operations/pooling.ts';
import { mean } from '../autodiff/operations/reduction.ts';
import { upsampleConv2d } from '../autodiff/operations/upsample-conv2d.ts';
import { softmax } from '../autodiff/operations/softmax.ts';
import type { Tape, Value } from '../autodiff/tape.ts';
import { Variable } from '../autodiff/variable.ts';
import { DaflError } from '../errors.ts';
import type { RandomStream } from '../random.ts';
import { inferShapes } from './infer-shapes.ts';
import type { ActivationNode, AffineNode, BatchNormNode, Graph, HostTensor, Model, ModelNode } from './model.ts';
import { fuseUpsampling } from './_fuse-upsampling.ts';
import { validateModel } from './validate-model.ts';

/** How a forward pass runs. */
export interface ForwardOptions {
  /** `'training'` normalises by the batch's own statistics and drops out; `'inference'` uses the running statistics. */
  readonly mode: 'inference' | 'training';
  /** Whether gradients can be asked for the weights; false freezes them. Default: true in training mode. */
  readonly trainable?: boolean;
  /** Told of each node as it has run, for losses on what is inside. The values may be gone afterwards. */
  readonly observe?: (node: ModelNode, inputs: readonly Value[], output: Value) => void;
  /** Source of dropout masks; needed in training mode by graphs that drop out. */
  readonly random?: RandomStream;
}

/** A model whose weights live on a backend. */
export interface Network {
  readonly backend: TensorBackend;
  readonly graph: Graph;
  /** Every weight by name, in the graph's order. */
  readonly variables: ReadonlyMap<string, Variable>;
  /** The weights that optimizers train, in the graph's order. */
  readonly trainableVariables: readonly Variable[];

  /**
   * Runs the graph. Each activation is released after its last consumer.
   *
   * @param input Shape `[batch, ...graph.inputShape]`, preprocessed.
   * @returns One value for each of the graph's outputs.
   */
  forward(tape: Tape, input: Value, options: ForwardOptions): Record<string, Value>;

  /** Reads the weights back. */
  toModel(): Promise<Model>;

  /** Replaces all weights, for example by a checkpoint's. @throws {DaflError} `MODEL` if they do not fit. */
  load(weights: ReadonlyMap<string, HostTensor>): void;

  dispose(): void;
}

/**
 * Puts a model's weights on a backend.
 *
 * @throws {DaflError} `MODEL` if the model is not sound.
 */
export function createNetwork(backend: TensorBackend, model: Model): Network {
  validateModel(model);
  const { graph } = model;
  const variables = new Map<string, Variable>();
  for (const [nodeName, shapes] of inferShapes(graph)) {
    for (const [weightName, { shape, trainable }] of Object.entries(shapes.weights)) {
      const name = `${nodeName}.${weightName}`;
      variables.set(name, new Variable(backend, name, backend.tensor(model.weights.get(name)!.data, shape), trainable));
    }
  }
  const trainableVariables = [...variables.values()].filter((variable) => variable.trainable);

  const plan = fuseUpsampling(graph);
  // How many nodes read each result; marked outputs count once more, so that the forward pass leaves them to the caller.
  const consumers = new Map<string, number>();
  for (const name of [...plan.flatMap(({ inputs }) => inputs), ...Object.values(graph.outputs)]) {
    consumers.set(name, (consumers.get(name) ?? 0) + 1);
  }

  function forward(tape: Tape, input: Value, options: ForwardOptions): Record<string, Value> {
    const expected = graph.inputShape;
    if (input.shape.length !== expected.length + 1 || expected.some((size, axis) => input.shape[axis + 1] !== size)) {
      throw new DaflError(
        'SHAPE',
        `Cannot run model '${graph.name}' as 'input' must have shape [batch, ${expected.join(', ')}]: current shape is [${input.shape.join(', ')}]`,
      );
    }
    const trainable = options.trainable ?? options.mode === 'training';
    const weight = (node: ModelNode, name: string): Value => {
      const { tensor } = variables.get(`${node.name}.${name}`)!;
      return trainable ? tape.leaf(tensor) : tape.constant(tensor);
    };
    const values = new Map<string, Value>([['input', input]]);
    const waiting = new Map(consumers);
    for (const { node, inputs, isUpsampled } of plan) {
      const read = inputs.map((name) => values.get(name)!);
      const output = runNode(tape, node, read, { ...options, weight, variables, isUpsampled });
      values.set(node.name, output);
      options.observe?.(node, read, output);
      for (const name of inputs) {
        const left = waiting.get(name)! - 1;
        waiting.set(name, left);
        if (left === 0 && name !== 'input') {
          tape.release(values.get(name)!);
          values.delete(name);
        }
      }
      if (!consumers.has(node.name)) tape.release(values.get(node.name)!);
    }
    return Object.fromEntries(Object.entries(graph.outputs).map(([role, name]) => [role, values.get(name)!]));
  }

  return {
    backend,
    graph,
    variables,
    trainableVariables,
    forward,
    async toModel() {
      const weights = new Map<string, HostTensor>();
      for (const [name, variable] of variables) {
        weights.set(name, { shape: variable.shape, data: Float32Array.from(await backend.read(variable.tensor)) });
      }
      return { graph, weights };
    },
    load(weights) {
      validateModel({ graph, weights });
      for (const [name, variable] of variables)
        variable.assign(backend.tensor(weights.get(name)!.data, variable.shape));
    },
    dispose() {
      for (const variable of variables.values()) variable.dispose();
    },
  };
}

interface NodeContext extends ForwardOptions {
  readonly weight: (node: ModelNode, name: string) => Value;
  readonly variables: ReadonlyMap<string, Variable>;
  /** Whether this convolution upsamples its input first. */
  readonly isUpsampled: boolean;
}

function runNode(tape: Tape, node: ModelNode, inputs: readonly Value[], context: NodeContext): Value {
  const [input] = inputs;
  const batch = input.shape[0];
  /** Keeps one of two results and lets the other go as soon as no derivative needs it. */
  const then = (intermediate: Value, next: (value: Value) => Value): Value => {
    const result = next(intermediate);
    tape.release(intermediate);
    return result;
  };
  switch (node.kind) {
    case 'conv2d': {
      const kernel = context.weight(node, 'kernel');
      const bias = node.useBias ? context.weight(node, 'bias') : null;
      return context.isUpsampled ? upsampleConv2d(tape, input, kernel, bias) : conv2d(tape, input, kernel, bias, node);
    }
    case 'dense': {
      const product = matMul(tape, input, context.weight(node, 'kernel'));
      return node.useBias ? then(product, (value) => add(tape, value, context.weight(node, 'bias'))) : product;
    }
    case 'batchNorm':
      return runBatchNorm(tape, node, input, context);
    case 'activation':
      return runActivation(tape, node, input, then);
    case 'affine':
      return runAffine(tape, node, input);
    case 'maxPool2d':
      return maxPool2d(tape, input, node);
    case 'averagePool2d':
      return averagePool2d(tape, input, node);
    case 'globalAveragePool2d':
      return mean(tape, input, [1, 2]);
    case 'add':
    case 'multiply': {
      const combine = node.kind === 'add' ? add : multiply;
      const aligned = alignRanks(tape, inputs);
      const [first, ...rest] = aligned;
      // One input alone: a result of its own, as its argument is released.
      if (rest.length === 0) return reshape(tape, first, first.shape);
      const result = rest.reduce((total, next, index) => {
        const combined = combine(tape, total, next);
        if (index > 0) tape.release(total);
        return combined;
      }, first);
      for (const [index, value] of aligned.entries()) if (value !== inputs[index]) tape.release(value);
      return result;
    }
    case 'concat':
      return concat(tape, inputs, input.shape.length - 1);
    case 'pad2d': {
      const { top, bottom, left, right } = node.padding;
      return pad(tape, input, [
        [0, 0],
        [top, bottom],
        [left, right],
        [0, 0],
      ]);
    }
    case 'upsampleNearest2d':
      return upsampleNearest2d(tape, input, node.factors);
    case 'reshape':
      return reshape(tape, input, [batch, ...node.shape]);
    case 'flatten': {
      const size = input.shape.slice(1).reduce((total, length) => total * length, 1);
      // One position has only one order.
      if (node.order === 'hwc' || input.shape.length !== 4 || input.shape[1] * input.shape[2] === 1)
        return reshape(tape, input, [batch, size]);
      return then(transpose(tape, input, [0, 3, 1, 2]), (value) => reshape(tape, value, [batch, size]));
    }
    case 'dropout':
      return context.mode === 'training' && node.rate > 0
        ? runDropout(tape, node.rate, input, context.random)
        : reshape(tape, input, input.shape);
  }
}

/** Inputs of broadcasting nodes are aligned from the batch on: a `[batch, channels]` gate meets `[batch, h, w, channels]`. */
function alignRanks(tape: Tape, inputs: readonly Value[]): Value[] {
  const rank = Math.max(...inputs.map((input) => input.shape.length));
  return inputs.map((input) => {
    if (input.shape.length === rank) return input;
    const [batch, ...rest] = input.shape;
    return reshape(tape, input, [batch, ...Array<number>(rank - input.shape.length).fill(1), ...rest]);
  });
}

function runBatchNorm(tape: Tape, node: BatchNormNode, input: Value, context: NodeContext): Value {
  const { backend } = tape;
  const scale = node.affine ? context.weight(node, 'scale') : null;
  const offset = node.affine ? context.weight(node, 'offset') : null;
  const runningMean = context.variables.get(`${node.name}.runningMean`)!;
  const runningVariance = context.variables.get(`${node.name}.runningVariance`)!;
  if (context.mode === 'training') {
    const { output, mean: batchMean, variance } = batchNorm(tape, input, scale, offset, node.epsilon);
    if (node.momentum > 0) {
      const count = input.shape.slice(0, -1).reduce((total, size) => total * size, 1);
      move(backend, runningMean, batchMean, node.momentum, 1);
      // Running variances are unbiased, as in PyTorch.
      move(backend, runningVariance, variance, node.momentum, count / Math.max(1, count - 1));
    }
    backend.dispose(batchMean);
    backend.dispose(variance);
    return output;
  }
  // Inference: one multiplication and one addition for each element.
  const raised = backend.affine(runningVariance.tensor, 1, node.epsilon);
  const deviation = backend.unary('sqrt', raised);
  const inverse = tape.own(backend.unary('reciprocal', deviation));
  backend.dispose(raised);
  backend.dispose(deviation);
  const factor = scale === null ? inverse : multiply(tape, inverse, scale);
  const shift = multiply(tape, tape.constant(runningMean.tensor), factor);
  const negated = affine(tape, shift, -1);
  const summand = offset === null ? negated : add(tape, negated, offset);
  const scaled = multiply(tape, input, factor);
  const output = add(tape, scaled, summand);
  for (const value of new Set([inverse, factor, shift, negated, summand, scaled])) tape.release(value);
  return output;
}

function runAffine(tape: Tape, node: AffineNode, input: Value): Value {
  if (node.factor.length === 1 && node.summand.length === 1)
    return affine(tape, input, node.factor[0], node.summand[0]);
  const constant = (values: readonly number[]) =>
    tape.own(tape.backend.tensor(Float32Array.from(values), [values.length]));
  const factor = constant(node.factor);
  const summand = constant(node.summand);
  const scaled = multiply(tape, input, factor);
  const output = add(tape, scaled, summand);
  for (const value of [factor, summand, scaled]) tape.release(value);
  return output;
}

/** running = (1 - momentum) running + momentum x factor x value. */
function move(backend: TensorBackend, running: Variable, value: Tensor, momentum: number, factor: number): void {
  const kept = backend.affine(running.tensor, 1 - momentum, 0);
  const added = backend.affine(value, momentum * factor, 0);
  running.assign(backend.binary('add', kept, added));
  backend.dispose(kept);
  backend.dispose(added);
}

function runActivation(
  tape: Tape,
  node: ActivationNode,
  input: Value,
  then: (value: Value, next: (value: Value) => Value) => Value,
): Value {
  const hardSigmoid = () => then(affine(tape, input, 1 / 6, 0.5), (value) => clip(tape, value, 0, 1));
  switch (node.function) {
    case 'relu':
      return leakyRelu(tape, input, 0);
    case 'leakyRelu':
      return leakyRelu(tape, input, node.slope ?? 0.01);
    case 'relu6':
      return clip(tape, input, 0, 6);
    case 'sigmoid':
      return sigmoid(tape, input);
    case 'tanh':
      return tanh(tape, input);
    case 'softmax':
      return softmax(tape, input);
    case 'hardSigmoid':
      return hardSigmoid();
    case 'hardSwish':
      return then(hardSigmoid(), (gate) => multiply(tape, input, gate));
    case 'silu':
      return then(sigmoid(tape, input), (gate) => multiply(tape, input, gate));
    case 'gelu': {
      // x (1 + erf(x / sqrt 2)) / 2
      const scaled = affine(tape, input, Math.SQRT1_2);
      const gate = then(
        then(scaled, (value) => erf(tape, value)),
        (value) => affine(tape, value, 0.5, 0.5),
      );
      return then(gate, (value) => multiply(tape, input, value));
    }
  }
}

function runDropout(tape: Tape, rate: number, input: Value, random: RandomStream | undefined): Value {
  if (random === undefined)
    throw new DaflError(
      'USAGE',
      "Cannot run dropout in training mode as 'random' must be given: current value is none",
    );
  const size = input.shape.reduce((total, length) => total * length, 1);
  const mask = random.uniform(size);
  const kept = 1 / (1 - rate);
  for (let index = 0; index < size; index++) mask[index] = mask[index] < rate ? 0 : kept;
  const maskValue = tape.own(tape.backend.tensor(mask, input.shape));
  const output = multiply(tape, input, maskValue);
  tape.release(maskValue);
  return output;
}
