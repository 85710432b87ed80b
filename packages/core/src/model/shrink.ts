import { DaflError } from '../errors.ts';
import { followChannels } from './channel-flow.ts';
import { inferShapes } from './infer-shapes.ts';
import type { Graph, ModelNode } from './model.ts';

/**
 * Derives a student's graph from a teacher's: the same layers, each as wide as `ratio` says (rounded, at least 1). Layers
 * that meet in a sum get one width, groups of a convolution get equal ones, depthwise convolutions stay depthwise. The
 * number of classes and the input stay, and what is added to them.
 *
 * LeNet-5 at 1/2 is the paper's LeNet-5-HALF (15,738 parameters).
 *
 * @param ratio Share of the width that is kept, in (0, 1].
 * @throws {DaflError} `USAGE` if `ratio` is out of range; `MODEL` if the widths of the result do not fit together, naming
 * the node, or if a ratio below 1 makes no layer narrower.
 */
export function shrink(graph: Graph, ratio: number): Graph {
  if (!(ratio > 0 && ratio <= 1)) {
    throw new DaflError(
      'USAGE',
      `Cannot shrink model '${graph.name}' as 'ratio' must be in (0, 1]: current value is ${ratio}`,
    );
  }
  const flow = followChannels(graph);
  // Which of a pool's channels stay is for the weights to say; the graph is the same with any.
  const kept = flow.keep(
    new Set(
      flow.pools.flatMap(({ channels, isFixed }) =>
        isFixed ? channels : channels.slice(0, Math.max(1, Math.round(channels.length * ratio))),
      ),
    ),
  );
  const nodes = graph.nodes.map((node): ModelNode => {
    const fail = (rule: string, value: string): never => {
      throw new DaflError(
        'MODEL',
        `Cannot shrink model '${graph.name}' to ${ratio} as node '${node.name}' (${node.kind}) must ${rule}: current value is ${value}`,
      );
    };
    return flow.nodes.get(node.name)!.resize?.(kept, fail) ?? node;
  });
  if (ratio < 1 && JSON.stringify(nodes) === JSON.stringify(graph.nodes)) {
    throw new DaflError(
      'MODEL',
      `Cannot shrink model '${graph.name}' to ${ratio} as a layer must become narrower: current value is none (the widths of its layers follow from its input, its classes or reshapes, or are 1)`,
    );
  }
  const student: Graph = { ...graph, name: `${graph.name}-${ratioName(ratio)}`, nodes };
  inferShapes(student);
  return student;
}

/** `half`, `quarter`, or the number. */
function ratioName(ratio: number): string {
  return ratio === 0.5 ? 'half' : ratio === 0.25 ? 'quarter' : String(ratio);
}
