import type { TensorBackend } from '../backend.ts';
import type { Tape, Value } from '../autodiff/tape.ts';
import { Variable } from '../autodiff/variable.ts';
import { DaflError } from '../errors.ts';
import { TensorScope } from '../tensor-scope.ts';
import type { RandomStream } from '../random.ts';
import { inferShapes } from './infer-shapes.ts';
import type { AnswerImages, Graph, HostTensor, Model, ModelNode } from './model.ts';
import { kindOf } from './node-kinds.ts';
import { fuseUpsampling, runUpsampledConvolution } from './_fuse-upsampling.ts';
import { takeLogits } from './take-logits.ts';
import { validateModel } from './validate-model.ts';

/** How a forward pass runs. */
export interface ForwardOptions {
  /** `'training'` normalises by the batch's own statistics and drops out; `'inference'` uses the running statistics. */
  readonly mode: 'inference' | 'training';
  /** Whether gradients can be asked for the weights; false freezes them. Default: true in training mode. */
  readonly trainable?: boolean;
  /** Told of each node as it has run, for losses on what is inside. The values may be gone afterwards. */
  readonly observe?: (node: ModelNode, inputs: readonly Value[], output: Value) => void;
  /** What the model's `answer` said of the input, where the graph has an opaque node: `[batch, classes]`. */
  readonly answers?: Value;
  /** Source of dropout masks; needed in training mode by graphs that drop out. */
  readonly random?: RandomStream;
}

/** A node that is about to run. */
export interface NodeVisit {
  readonly node: ModelNode;
  /** What it reads, alive until the next visit. An upsampling that a convolution takes with it was not carried out. */
  readonly inputs: readonly Value[];
}

/** A model whose weights live on a backend. */
export interface Network {
  readonly backend: TensorBackend;
  readonly graph: Graph;
  /** Every weight by name, in the graph's order. */
  readonly variables: ReadonlyMap<string, Variable>;
  /** The weights that optimizers train, in the graph's order. */
  readonly trainableVariables: readonly Variable[];
  /** Of a classifier that another program computes; see `predictLogits`. */
  readonly answer?: AnswerImages;

  /**
   * Runs the graph. Each activation is released after its last consumer.
   *
   * @param input Shape `[batch, ...graph.inputShape]`, preprocessed.
   * @returns One value for each of the graph's outputs.
   */
  forward(tape: Tape, input: Value, options: ForwardOptions): Record<string, Value>;

  /**
   * Runs the graph like `forward`, and halts before each node: the caller sees what it reads and may change its weights.
   *
   * @returns The outputs, once it has run to the end.
   */
  walk(tape: Tape, input: Value, options: ForwardOptions): Generator<NodeVisit, Record<string, Value>, undefined>;

  /** Reads the weights back. */
  toModel(): Promise<Model>;

  /** Replaces all weights, for example by a checkpoint's. @throws {DaflError} `MODEL` if they do not fit. */
  load(weights: ReadonlyMap<string, HostTensor>): void;

  dispose(): void;
}

/**
 * Puts a model's weights on a backend. A network that ends in probabilities gives the logits behind them. @see takeLogits
 *
 * @throws {DaflError} `MODEL` if the model is not sound.
 */
export function createNetwork(backend: TensorBackend, model: Model): Network {
  validateModel(model);
  const { graph } = takeLogits(model.graph);
  const variables = new Map<string, Variable>();
  const shapes = inferShapes(graph);
  const scope = new TensorScope(backend);
  scope.run(() => {
    for (const [nodeName, { weights }] of shapes) {
      for (const [weightName, { shape, initial, trainable }] of Object.entries(weights)) {
        const name = `${nodeName}.${weightName}`;
        const { data } = model.weights.get(name)!;
        const tensor = scope.backend.tensor(data, shape);
        const isKernel = typeof initial === 'object' && shape.length > 1;
        variables.set(name, new Variable(backend, name, tensor, trainable, isKernel ? scaleOf(data) : undefined));
      }
    }
  });
  const trainableVariables = [...variables.values()].filter((variable) => variable.trainable);

  const plan = fuseUpsampling(graph);
  // How many nodes read each result; marked outputs count once more, so that the forward pass leaves them to the caller.
  const consumers = new Map<string, number>();
  for (const name of [...plan.flatMap(({ inputs }) => inputs), ...Object.values(graph.outputs)]) {
    consumers.set(name, (consumers.get(name) ?? 0) + 1);
  }

  function forward(tape: Tape, input: Value, options: ForwardOptions): Record<string, Value> {
    const walked = walk(tape, input, options);
    for (;;) {
      const { done, value } = walked.next();
      if (done === true) return value;
    }
  }

  function* walk(
    tape: Tape,
    input: Value,
    options: ForwardOptions,
  ): Generator<NodeVisit, Record<string, Value>, undefined> {
    const expected = graph.inputShape;
    if (input.shape.length !== expected.length + 1 || expected.some((size, axis) => input.shape[axis + 1] !== size)) {
      throw new DaflError(
        'SHAPE',
        `Cannot run model '${graph.name}' as 'input' must have shape [batch, ${expected.join(', ')}]: current shape is [${input.shape.join(', ')}]`,
      );
    }
    const trainable = options.trainable ?? options.mode === 'training';
    const values = new Map<string, Value>([['input', input]]);
    const waiting = new Map(consumers);
    for (const { node, inputs, isUpsampled } of plan) {
      const read = inputs.map((name) => values.get(name)!);
      yield { node, inputs: read };
      const variable = (name: string): Variable => variables.get(`${node.name}.${name}`)!;
      const weight = (name: string): Value =>
        trainable ? tape.leaf(variable(name).tensor) : tape.constant(variable(name).tensor);
      const run = isUpsampled ? runUpsampledConvolution : kindOf(node).forward;
      const output = run(node, read, {
        tape,
        mode: options.mode,
        batch: input.shape[0],
        shapes: shapes.get(node.name)!,
        random: options.random,
        answers: options.answers,
        weight,
        variable,
      });
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
    answer: model.answer,
    forward,
    walk,
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

/** Root mean square. */
function scaleOf(values: ArrayLike<number>): number {
  let squares = 0;
  for (let index = 0; index < values.length; index++) squares += values[index] ** 2;
  return Math.sqrt(squares / values.length);
}
