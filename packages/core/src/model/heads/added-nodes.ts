import type { Graph, ModelNode } from '../model.ts';

/** Nodes that are put behind a graph. */
export class AddedNodes {
  readonly nodes: ModelNode[] = [];
  readonly #taken: Set<string>;

  constructor({ nodes }: Graph) {
    this.#taken = new Set(['input', ...nodes.map(({ name }) => name)]);
  }

  /** @returns The node's name: its own, or one like it that is free. */
  add(node: ModelNode): string {
    let { name } = node;
    while (this.#taken.has(name)) name += '_';
    this.#taken.add(name);
    this.nodes.push({ ...node, name });
    return name;
  }

  /** The logits of two classes between which one unit decides: -z / 2 and z / 2. */
  addPair(
    unit: string,
    {
      slope,
      shift,
      isSecondFirst,
    }: { readonly slope: number; readonly shift: number; readonly isSecondFirst: boolean },
  ): string {
    const halves = [-0.5, 0.5].map((half, label) =>
      this.add({
        kind: 'affine',
        name: `${unit}/class${label}`,
        inputs: [unit],
        factor: [half * slope],
        summand: [half * shift],
      }),
    );
    return this.add({ kind: 'concat', name: `${unit}/classes`, inputs: isSecondFirst ? halves.toReversed() : halves });
  }
}
