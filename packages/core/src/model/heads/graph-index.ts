import { inferShapes } from '../infer-shapes.ts';
import type { Graph, ModelNode } from '../model.ts';

/** A graph whose nodes and shapes are found by name. */
export class GraphIndex {
  readonly nodes: readonly ModelNode[];
  readonly #byName: ReadonlyMap<string, ModelNode>;
  readonly #shapes: ReturnType<typeof inferShapes>;
  readonly #inputShape: readonly number[];

  constructor(graph: Graph) {
    this.nodes = graph.nodes;
    this.#byName = new Map(graph.nodes.map((node) => [node.name, node]));
    this.#shapes = inferShapes(graph);
    this.#inputShape = graph.inputShape;
  }

  /** @returns Undefined for the graph's input. */
  nodeOf(name: string): ModelNode | undefined {
    return this.#byName.get(name);
  }

  /** Shape of one result of a node, or of the graph's input. */
  shapeOf(name: string): readonly number[] {
    return this.#shapes.get(name)?.output ?? this.#inputShape;
  }

  /** The node that a chain of reshapes begins behind, and the reshapes, from the last on. */
  skipReshapes(name: string): { readonly node: ModelNode | undefined; readonly steps: string[] } {
    const steps: string[] = [];
    let node = this.nodeOf(name);
    while (node?.kind === 'reshape') {
      steps.push(node.name);
      node = this.nodeOf(node.inputs[0]);
    }
    return { node, steps };
  }
}
