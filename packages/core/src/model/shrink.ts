import { DaflError } from '../errors.ts';
import { inferShapes } from './infer-shapes.ts';
import type { AffineNode, Graph, ModelNode } from './model.ts';

/** Names of the nodes whose widths the logits fix: the last weighted node on each path that leads to them. */
function findHeads(graph: Graph): Set<string> {
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]));
  const heads = new Set<string>();
  const visit = (name: string): void => {
    const node = nodes.get(name);
    if (node === undefined) return;
    if (node.kind === 'dense' || node.kind === 'conv2d') heads.add(name);
    else node.inputs.forEach(visit);
  };
  visit(graph.outputs.logits);
  return heads;
}

/**
 * Derives a student's graph from a teacher's: the same layers, each as wide as `ratio` says (rounded, at least 1). The
 * number of classes and the input stay. Depthwise convolutions stay depthwise.
 *
 * LeNet-5 at 1/2 is the paper's LeNet-5-HALF (15,738 parameters).
 *
 * @param ratio Share of the width that is kept, in (0, 1].
 * @throws {DaflError} `USAGE` if `ratio` is out of range; `MODEL` if the widths of the result do not fit together.
 */
export function shrink(graph: Graph, ratio: number): Graph {
  if (!(ratio > 0 && ratio <= 1)) {
    throw new DaflError(
      'USAGE',
      `Cannot shrink model '${graph.name}' as 'ratio' must be in (0, 1]: current value is ${ratio}`,
    );
  }
  const heads = findHeads(graph);
  const original = inferShapes(graph);
  const shapeOf = (name: string): readonly number[] => original.get(name)?.output ?? graph.inputShape;
  const channelsOf = (name: string): number => shapeOf(name).at(-1) ?? 1;
  const scale = (width: number): number => Math.max(1, Math.round(width * ratio));
  // The last axis of each result in the shrunken graph, needed where a width follows from what is read.
  const channels = new Map<string, number>([['input', channelsOf('input')]]);

  const nodes = graph.nodes.map((node): ModelNode => {
    const shrunken = shrinkNode(node);
    channels.set(node.name, channelsAfter(shrunken));
    return shrunken;
  });
  const student: Graph = { ...graph, name: `${graph.name}-${ratioName(ratio)}`, nodes };
  inferShapes(student);
  return student;

  function shrinkNode(node: ModelNode): ModelNode {
    if (heads.has(node.name)) return node;
    if (node.kind === 'dense') return { ...node, units: scale(node.units) };
    if (node.kind === 'reshape') {
      const share = sizeOf(node.inputs[0]) / shapeOf(node.inputs[0]).reduce((product, size) => product * size, 1);
      return { ...node, shape: [...node.shape.slice(0, -1), node.shape[node.shape.length - 1] * share] };
    }
    if (node.kind === 'affine' && channels.get(node.inputs[0]) !== channelsOf(node.inputs[0])) assertOneConstant(node);
    if (node.kind !== 'conv2d') return node;
    const before = channelsOf(node.inputs[0]);
    const now = channels.get(node.inputs[0]) ?? before;
    if (node.groups > 1 && node.groups === before)
      return { ...node, groups: now, filters: now * (node.filters / before) };
    // Grouped convolutions keep their groups, so both widths must stay multiples of them.
    const filters = Math.max(node.groups, Math.round(scale(node.filters) / node.groups) * node.groups);
    return { ...node, filters };
  }

  function assertOneConstant(node: AffineNode): void {
    if (node.factor.length === 1 && node.summand.length === 1) return;
    throw new DaflError(
      'MODEL',
      `Cannot shrink model '${graph.name}' as node '${node.name}' (affine) must have one constant for all channels: current value is ${Math.max(node.factor.length, node.summand.length)}`,
    );
  }

  function channelsAfter(node: ModelNode): number {
    if (node.kind === 'conv2d') return node.filters;
    if (node.kind === 'dense') return node.units;
    if (node.kind === 'reshape') return node.shape[node.shape.length - 1];
    if (node.kind === 'flatten') return sizeOf(node.inputs[0]);
    const inputs = node.inputs.map((name) => channels.get(name) ?? 0);
    return node.kind === 'concat' ? inputs.reduce((total, width) => total + width, 0) : Math.max(...inputs);
  }

  /** Elements of a result in the shrunken graph: only its last axis shrank. */
  function sizeOf(name: string): number {
    const outer = shapeOf(name).slice(0, -1);
    return outer.reduce((product, size) => product * size, 1) * (channels.get(name) ?? channelsOf(name));
  }
}

/** `half`, `quarter`, or the number. */
function ratioName(ratio: number): string {
  return ratio === 0.5 ? 'half' : ratio === 0.25 ? 'quarter' : String(ratio);
}
