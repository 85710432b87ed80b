import { createCpuBackend } from '@dafl/backend-cpu';
import { createWasmBackend } from '@dafl/backend-wasm';
import { expectClose } from '@dafl/conformance';
import { expect } from 'vitest';
import type { Tape, Value } from '../autodiff/tape.ts';
import { withTape } from '../autodiff/with-tape.ts';
import type { TensorBackend } from '../backend.ts';
import { inferShapes } from '../model/infer-shapes.ts';
import type { Graph, ModelNode } from '../model/model.ts';
import { kindOf } from '../model/node-kinds.ts';
import { readGraph } from '../model/read-graph.ts';
import { type Argument, compareGradients, drawArgument } from './compare-gradients.ts';

/** A graph of some nodes, whose last one is its output. */
export function graphOf(nodes: readonly ModelNode[], inputShape: readonly number[]): Graph {
  return { name: 'net', inputShape, nodes, outputs: { out: nodes.at(-1)!.name } };
}

/** Runs a graph's nodes with the given weights (by name, `<node>.<weight>`), each of which may require a gradient. */
export function runNodes(tape: Tape, graph: Graph, input: Value, weights: ReadonlyMap<string, Value>): Value {
  const shapes = inferShapes(graph);
  const values = new Map([['input', input]]);
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => values.get(name)!);
    const output = kindOf(node).forward(node, inputs, {
      tape,
      mode: 'inference',
      batch: input.shape[0],
      shapes: shapes.get(node.name)!,
      weight: (name) => weights.get(`${node.name}.${name}`)!,
      variable: () => {
        throw new Error('Expected a node without running statistics');
      },
    });
    expect(output.shape.slice(1)).toEqual(shapes.get(node.name)!.output);
    values.set(node.name, output);
  }
  return values.get(graph.nodes.at(-1)!.name)!;
}

/** Options of `expectNodes`. */
export interface NodeCheck {
  readonly inputShape: readonly number[];
  /** What the last node must give for the drawn input, as a function of the input's values. */
  readonly expected?: (input: Float64Array, shape: readonly number[]) => ArrayLike<number>;
  /** Range of the drawn input; default -1..1. */
  readonly low?: number;
  readonly high?: number;
}

/**
 * Checks nodes of which the last is the one that is tested: its output against a definition, its derivatives against
 * finite differences in float64, wasm against both, and that its fields survive being written and read.
 */
export async function expectNodes(nodes: readonly ModelNode[], check: NodeCheck): Promise<void> {
  const graph = graphOf(nodes, check.inputShape);
  const reject = (rule: string, value: string): never => {
    throw new Error(`${rule}: ${value}`);
  };
  expect(readGraph(JSON.parse(JSON.stringify(graph)), reject)).toEqual(graph);

  const specifications = [...inferShapes(graph)].flatMap(([node, { weights }]) =>
    Object.entries(weights).map(([name, { shape }]) => ({ name: `${node}.${name}`, shape })),
  );
  const input = drawArgument([2, ...graph.inputShape], { seed: 3, low: check.low, high: check.high });
  const args: Argument[] = [
    input,
    ...specifications.map(({ shape }, index) => drawArgument(shape, { seed: 10 + index, low: 0.2, high: 1 })),
  ];
  const compute = (tape: Tape, [first, ...rest]: readonly Value[]): Value =>
    runNodes(tape, graph, first, new Map(specifications.map(({ name }, index) => [name, rest[index]])));
  const run = (backend: TensorBackend, values: readonly Argument[]) =>
    withTape(backend, (tape) => {
      const output = compute(
        tape,
        values.map(({ data, shape }) => tape.own(backend.tensor(data, shape))),
      );
      return backend.reshape(output.tensor, output.shape);
    });

  const cpu = createCpuBackend({ precision: 'float64' });
  const output = run(cpu, args);
  const found = await cpu.read(output);
  cpu.dispose(output);
  if (check.expected !== undefined)
    expectClose(found, check.expected(input.data, input.shape), { absolute: 1e-10, relative: 1e-10 });
  for (const { analytic, numeric } of await compareGradients(cpu, args, compute))
    expectClose(analytic, numeric, { absolute: 1e-8, relative: 1e-6 });
  expect(cpu.memory().tensors).toBe(0);

  const wasm = await createWasmBackend({ threads: 1 });
  try {
    const narrow = run(
      wasm,
      args.map(({ data, shape }) => ({ data: Float32Array.from(data) as unknown as Float64Array, shape })),
    );
    expectClose(await wasm.read(narrow), found, { absolute: 1e-5, relative: 1e-5 });
    wasm.dispose(narrow);
    expect(wasm.memory().tensors).toBe(0);
  } finally {
    await wasm.close();
  }
}
