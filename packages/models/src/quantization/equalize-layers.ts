import { type HostTensor, inferShapes, type Model, type ModelNode } from '@dafl/core';
import { isQuantizedLayer, type QuantizedLayer } from './place-quantizers.ts';

/** Two layers with nothing between them that would notice a channel's scale. */
interface Pair {
  readonly first: QuantizedLayer;
  readonly second: QuantizedLayer;
  /** Which of the first's channels each of the second's inputs belongs to. */
  readonly channelOf: (input: number) => number;
}

const SWEEPS = 12;

/**
 * Brings the weights of each channel that joins two layers to the same range on both sides, which changes no answer: what
 * the first layer's filter is divided by, the second's weights are multiplied with.
 *
 * Source: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019, section 4.1.
 *
 * @returns A model that shares the weights that do not change; undefined where no two layers are joined that way.
 */
export function equalizeLayers(model: Model): Model | undefined {
  const pairs = findPairs(model);
  if (pairs.length === 0) return undefined;
  const weights = new Map(model.weights);
  for (const { first, second } of pairs) {
    for (const name of [`${first.name}.kernel`, `${first.name}.bias`, `${second.name}.kernel`]) {
      const weight = weights.get(name);
      if (weight !== undefined) weights.set(name, { shape: weight.shape, data: weight.data.slice() });
    }
  }
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const pair of pairs) equalize(pair, weights);
  }
  return { graph: model.graph, weights };
}

function equalize({ first, second, channelOf }: Pair, weights: Map<string, HostTensor>): void {
  const maker = weights.get(`${first.name}.kernel`)!;
  const reader = weights.get(`${second.name}.kernel`)!;
  const filters = maker.shape[maker.shape.length - 1];
  const units = reader.shape[reader.shape.length - 1];
  const inputs = reader.shape[reader.shape.length - 2];
  const isDepthwise = second.kind === 'conv2d' && second.groups > 1;
  const readFrom = (index: number): number =>
    isDepthwise ? Math.floor((index % units) / (units / second.groups)) : channelOf(Math.floor(index / units) % inputs);

  const made = new Float64Array(filters);
  const read = new Float64Array(filters);
  maker.data.forEach((value, index) => {
    const filter = index % filters;
    made[filter] = Math.max(made[filter], Math.abs(value));
  });
  reader.data.forEach((value, index) => {
    const channel = readFrom(index);
    read[channel] = Math.max(read[channel], Math.abs(value));
  });
  // A channel that is not made, or not read, has no range to share.
  const factors = made.map((range, channel) =>
    range > 0 && read[channel] > 0 ? Math.sqrt(range * read[channel]) / read[channel] : 1,
  );
  maker.data.forEach((value, index) => (maker.data[index] = value / factors[index % filters]));
  reader.data.forEach((value, index) => (reader.data[index] = value * factors[readFrom(index)]));
  const bias = weights.get(`${first.name}.bias`)?.data;
  bias?.forEach((value, channel) => (bias[channel] = value / factors[channel]));
}

function findPairs({ graph }: Model): Pair[] {
  const shapes = inferShapes(graph);
  const outputs = new Set(Object.values(graph.outputs));
  return graph.nodes.filter(isQuantizedLayer).flatMap((first): Pair[] => {
    const channels = shapes.get(first.name)!.output.at(-1)!;
    let channelOf = (input: number): number => input;
    let at: ModelNode = first;
    while (!outputs.has(at.name)) {
      const readers = graph.nodes.filter(({ inputs }) => inputs.includes(at.name));
      const [next] = readers;
      if (readers.length !== 1) break;
      if (isQuantizedLayer(next)) {
        const isWhole = next.kind === 'dense' || next.groups === 1 || next.groups === channels;
        return isWhole ? [{ first, second: next, channelOf }] : [];
      }
      if (!keepsScale(next)) break;
      if (next.kind === 'flatten') {
        const area = shapes.get(next.name)!.output[0] / channels;
        channelOf = next.order === 'hwc' ? (input) => input % channels : (input) => Math.floor(input / area);
      }
      at = next;
    }
    return [];
  });
}

/** Whether a channel that is k > 0 times as large comes out k times as large, and as the same channel. */
function keepsScale(node: ModelNode): boolean {
  switch (node.kind) {
    case 'activation':
      return node.function === 'relu' || node.function === 'leakyRelu';
    case 'prelu':
    case 'maxPool2d':
    case 'averagePool2d':
    case 'globalAveragePool2d':
    case 'flatten':
    case 'dropout':
      return true;
    default:
      return false;
  }
}
