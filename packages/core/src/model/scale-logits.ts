import type { HostTensor, Model } from './model.ts';

/**
 * The same classifier with its logits multiplied by a factor: in its last layer where that is dense, a convolution or an
 * affine node, else by an affine node behind it. Scaling back by the inverse gives the first network again.
 *
 * @param factor > 0; a power of two changes no bit of what the network decides.
 */
export function scaleLogits(model: Model, factor: number): Model {
  if (factor === 1) return model;
  const { graph, weights } = model;
  const last = graph.outputs.logits;
  const node = graph.nodes.find(({ name }) => name === last);
  const isReadByOthers = graph.nodes.some(({ inputs }) => inputs.includes(last));
  if (node !== undefined && !isReadByOthers) {
    if (node.kind === 'dense' || node.kind === 'conv2d') {
      const changed = new Map(weights);
      for (const name of [`${last}.kernel`, `${last}.bias`]) {
        const weight = weights.get(name);
        if (weight !== undefined) changed.set(name, scaled(weight, factor));
      }
      return { ...model, weights: changed };
    }
    if (node.kind === 'affine') {
      const constants = {
        factor: node.factor.map((value) => value * factor),
        summand: node.summand.map((value) => value * factor),
      };
      const isIdle =
        [...constants.factor].every((value) => value === 1) && constants.summand.every((value) => value === 0);
      const nodes = graph.nodes.flatMap((other) =>
        other !== node ? [other] : isIdle ? [] : [{ ...node, ...constants }],
      );
      const outputs = isIdle ? { ...graph.outputs, logits: node.inputs[0] } : graph.outputs;
      return { ...model, graph: { ...graph, nodes, outputs } };
    }
  }
  const name = `${last}/scale`;
  const scale = { kind: 'affine', name, inputs: [last], factor: [factor], summand: [0] } as const;
  return { ...model, graph: { ...graph, nodes: [...graph.nodes, scale], outputs: { ...graph.outputs, logits: name } } };
}

function scaled({ shape, data }: HostTensor, factor: number): HostTensor {
  return { shape, data: data.map((value) => value * factor) };
}
