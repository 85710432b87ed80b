import type { OnnxModel, OnnxNode } from './parse-onnx.ts';

/** Operators that leave the order of classes alone. */
const passing: ReadonlySet<string> = new Set(['Identity', 'Cast', 'Reshape', 'Flatten', 'Squeeze', 'Dropout']);
/** Operators that make probabilities of logits. */
const normalising: ReadonlySet<string> = new Set(['Softmax', 'LogSoftmax', 'Sigmoid']);

/** Where the logits are. */
export interface FoundLogits {
  /** Name of the tensor. */
  readonly tensor: string;
  /** The node that makes probabilities of them, where there is one. */
  readonly head?: OnnxNode;
}

/** Finds the logits from the model's first output backwards: before a softmax or sigmoid, where it ends in one. */
export function findLogits(model: OnnxModel, output: string): FoundLogits {
  const producers = new Map(model.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  let tensor = output;
  // Bounded by the number of nodes, as a broken file may have a cycle.
  for (let step = 0; step <= model.nodes.length; step++) {
    const producer = producers.get(tensor);
    if (producer === undefined || producer.domain !== '') break;
    const [input = ''] = producer.inputs;
    if (normalising.has(producer.operator)) return { tensor: input, head: producer };
    if (!passing.has(producer.operator)) break;
    tensor = input;
  }
  return { tensor: output };
}

/** The nodes that a tensor needs, in the file's order. */
export function nodesBefore(model: OnnxModel, tensor: string): OnnxNode[] {
  const needed = new Set([tensor]);
  const producers = new Map(model.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const kept = new Set<OnnxNode>();
  for (const name of needed) {
    const node = producers.get(name);
    if (node === undefined) continue;
    kept.add(node);
    for (const input of node.inputs) if (input !== '') needed.add(input);
  }
  return model.nodes.filter((node) => kept.has(node));
}
