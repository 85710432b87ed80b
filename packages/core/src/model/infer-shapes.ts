import { DaflError } from '../errors.ts';
import { showValue } from '../show-value.ts';
import type { Graph, ModelNode } from './model.ts';
import type { NodeShapes } from './node-kind.ts';
import { kindOf } from './node-kinds.ts';
import { readGraph } from './read-graph.ts';

/**
 * Shapes of every node's output and weights, in the graph's order; checks the whole graph on the way.
 *
 * @throws {DaflError} `MODEL` if a field is missing or out of range, a node reads what is not there, or shapes do not fit.
 */
export function inferShapes(graph: Graph): Map<string, NodeShapes> {
  const reject = (rule: string, value: string): never => {
    throw new DaflError(
      'MODEL',
      `Cannot use model ${showValue(graph.name, 128)} as ${rule}: current value is ${value}`,
    );
  };
  readGraph(graph, reject);
  const known = new Map<string, readonly number[]>([['input', graph.inputShape]]);
  const shapes = new Map<string, NodeShapes>();
  for (const node of graph.nodes) {
    const fail = (rule: string, value: string) => reject(`node '${node.name}' (${node.kind}) must ${rule}`, value);
    if (known.has(node.name)) fail('have a name of its own', `'${node.name}'`);
    const inputs = node.inputs.map((name) => known.get(name) ?? fail('read nodes that stand before it', `'${name}'`));
    const found = inferNode(node, inputs, fail);
    if (found.output.some((size) => !Number.isInteger(size) || size < 1))
      fail('give sizes >= 1', `[${found.output.join(', ')}]`);
    known.set(node.name, found.output);
    shapes.set(node.name, found);
  }
  for (const [role, name] of Object.entries(graph.outputs)) {
    if (!known.has(name)) reject(`output '${role}' must name a node`, `'${name}'`);
  }
  return shapes;
}

function inferNode(
  node: ModelNode,
  inputs: readonly (readonly number[])[],
  fail: (rule: string, value: string) => never,
): NodeShapes {
  const kind = kindOf(node);
  const [least, most] = kind.inputs ?? [1, 1];
  if (inputs.length < least || inputs.length > most) {
    const count = least === 1 ? 'one input' : `${least} inputs`;
    fail(`have ${least === most ? '' : 'at least '}${count}`, String(inputs.length));
  }
  const { output, weights = {} } = kind.infer(node, inputs, fail);
  return { output, weights };
}
