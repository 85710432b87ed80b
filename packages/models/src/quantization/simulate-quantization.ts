import type { Model, ModelNode } from '@dafl/core';
import type { QuantizedModel } from './quantized-model.ts';

/** Float32 numbers above 2^23 are whole: added and taken off again, it rounds to even, as QuantizeLinear does. */
const ROUNDING = 1.5 * 2 ** 23;

/**
 * The quantised model as a graph that any backend with float32 runs: its activations are brought to their bytes' values
 * by nodes of their own. Its sums are exact to float32 where an integer runtime's are exact.
 */
export function simulateQuantization({ model, quantization }: QuantizedModel): Model {
  const nodes: ModelNode[] = [];
  /** What is read in place of a value. */
  const rounded = new Map<string, string>();
  const round = (name: string): void => {
    const byteScale = quantization.byteScales.get(name);
    if (byteScale === undefined) return;
    const { scale, zeroPoint } = byteScale;
    const step = (suffix: string) => `${name}.${suffix}`;
    nodes.push(
      {
        kind: 'clip',
        name: step('limited'),
        inputs: [name],
        minimum: -zeroPoint * scale,
        maximum: (255 - zeroPoint) * scale,
      },
      { kind: 'affine', name: step('scaled'), inputs: [step('limited')], factor: [1 / scale], summand: [ROUNDING] },
      { kind: 'affine', name: step('rounded'), inputs: [step('scaled')], factor: [1], summand: [-ROUNDING] },
      { kind: 'affine', name: step('quantized'), inputs: [step('rounded')], factor: [scale], summand: [0] },
    );
    rounded.set(name, step('quantized'));
  };
  round('input');
  for (const node of model.graph.nodes) {
    nodes.push({ ...node, inputs: node.inputs.map((name) => rounded.get(name) ?? name) });
    round(node.name);
  }
  return { graph: { ...model.graph, nodes }, weights: model.weights };
}
