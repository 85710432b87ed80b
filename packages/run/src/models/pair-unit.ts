import { type Graph, inferShapes, type Model, type ModelNode, takeLogits } from '@dafl/core';

/** A model with classes, and what was assumed of them, in a sentence. */
export interface PairedModel {
  readonly model: Model;
  readonly note?: string;
}

/**
 * The same classifier with the logits of two classes, -z / 2 and z / 2, where it ends in one unit without a sigmoid: networks that
 * tell two classes apart are trained so, with the sigmoid in their loss.
 */
export function pairUnit(model: Model): PairedModel {
  const { graph } = model;
  const { logits } = graph.outputs;
  if (logits === undefined || inferShapes(graph).get(logits)?.output.join() !== '1') return { model };
  // Two classes already: a sigmoid, however it is spelt.
  if (takeLogits(graph).note !== undefined) return { model };
  // Of a softmax over one class, nothing can be told.
  const last = graph.nodes.find(({ name }) => name === logits);
  if (last?.kind === 'softmax' || (last?.kind === 'activation' && last.function === 'softmax')) return { model };
  const taken = new Set(graph.nodes.map(({ name }) => name));
  const free = (name: string): string => (taken.has(name) ? free(`${name}_`) : name);
  const halves = [-0.5, 0.5].map((factor, label): ModelNode => ({
    kind: 'affine',
    name: free(`${logits}/class${label}`),
    inputs: [logits],
    factor: [factor],
    summand: [0],
  }));
  const pair: ModelNode = { kind: 'concat', name: free(`${logits}/classes`), inputs: halves.map(({ name }) => name) };
  const nodes: Graph['nodes'] = [...graph.nodes, ...halves, pair];
  return {
    model: { ...model, graph: { ...graph, nodes, outputs: { ...graph.outputs, logits: pair.name } } },
    note: `The one unit '${logits}' at its end is taken as two classes: 1 where it is above 0, else 0`,
  };
}
