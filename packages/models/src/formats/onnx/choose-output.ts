import { nodesBefore } from './nodes-before.ts';
import type { OnnxModel, OnnxNode } from './parse-onnx.ts';
import { namesRead } from './subgraphs.ts';

/** What of a file is taken for its classes. */
export interface ChosenOutput {
  /** The tensor that is wanted. */
  readonly name: string;
  /** The output of the file behind it. */
  readonly output: string;
  /** Names of the classes, where what decides between them says them. */
  readonly classNames?: readonly string[];
  /** What was left out, in sentences. */
  readonly notes: readonly string[];
}

/** Operators that say which class it is and nothing of the others, or make a dictionary of what they read. */
const deciders: ReadonlySet<string> = new Set(['ArgMax', 'TopK', 'Hardmax', 'ZipMap']);
/** Operators that layers are made of. */
const layers: ReadonlySet<string> = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'Einsum']);
/** Outputs that are looked at: for each, the graph is followed to its input. */
const MOST_OUTPUTS = 16;
/** What is reduced to a few numbers tells of the classes together: how sure of them a network is. */
const isSummary = ({ operator }: OnnxNode): boolean => operator.startsWith('Reduce');

/**
 * Which tensor tells the classes. Files may give features too, which others of their outputs are made of, and the class beside
 * its probabilities. Undefined where the file has no output.
 */
export function chooseOutput(file: OnnxModel): ChosenOutput | undefined {
  const producers = new Map(file.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const outputs = file.outputs.slice(0, MOST_OUTPUTS).map(({ name }) => {
    const before = new Set(nodesBefore(file, name).flatMap((node) => node.outputs));
    before.delete(name);
    const producer = producers.get(name);
    const decider = decidedBy(name, file, producers);
    return { name, before, decider, isSummary: producer !== undefined && isSummary(producer) };
  });
  const [first] = outputs;
  if (first === undefined) return undefined;
  const free = outputs.filter(({ decider, isSummary: sums }) => decider === undefined && !sums);
  // The classes are what the rest was made for.
  const last = free.filter(({ name }) => !free.some(({ before }) => before.has(name)));
  const chosen = last[0] ?? outputs.find(({ decider }) => decider === undefined) ?? first;
  const { decider } = chosen;
  const classNames = outputs.map((output) => output.decider && namesOf(output.decider)).find((names) => names);
  const notes: string[] = [];
  if (outputs.length > 1) {
    const shown = outputs.map(({ name }) => `'${name}'`).join(', ');
    notes.push(`It has several outputs [${shown}]: the classes are read from '${chosen.name}'`);
  }
  if (decider === undefined) return { name: chosen.name, output: chosen.name, classNames, notes };
  notes.push(
    `${decider.operator} '${decider.name || decider.outputs[0]}' at its end is left out: what it reads tells all classes`,
  );
  return { name: decider.inputs[0], output: chosen.name, classNames, notes };
}

/** What stands between the classes and a tensor on all ways from the input; undefined where a way has no such node. */
function decidedBy(tensor: string, file: OnnxModel, producers: ReadonlyMap<string, OnnxNode>): OnnxNode | undefined {
  const inputs = new Set(file.inputs.map(({ name }) => name));
  for (const { name } of file.initializers) inputs.delete(name);
  const seen = new Set([tensor]);
  let decider: OnnxNode | undefined;
  for (const name of seen) {
    if (inputs.has(name)) return undefined;
    const node = producers.get(name);
    if (node === undefined) continue;
    // What stands before a layer is no end of the network: it is read, or refused by name.
    if (layers.has(node.operator)) return undefined;
    // What reads the input itself decides between no classes.
    if (deciders.has(node.operator) && producers.has(node.inputs[0])) decider ??= node;
    else for (const input of namesRead(node)) if (input !== '') seen.add(input);
  }
  return decider;
}

/** ZipMap makes a dictionary by these names. */
function namesOf({ attributes }: OnnxNode): readonly string[] | undefined {
  const names = attributes.get('classlabels_strings');
  return Array.isArray(names) && names.every((name) => typeof name === 'string') ? names : undefined;
}
