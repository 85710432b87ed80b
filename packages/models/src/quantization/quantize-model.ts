import {
  DaflError,
  describeClassifier,
  foldBatchNorms,
  type HostTensor,
  type ImageSet,
  inferShapes,
  type Model,
  type ModelNode,
} from '@dafl/core';
import { chooseByteScale } from './choose-byte-scale.ts';
import { equalizeLayers } from './equalize-layers.ts';
import { type MeasureOptions, measureValues, runOnPictures, type ValueStatistics } from './measure-values.ts';
import { isQuantizedLayer, placeQuantizers } from './place-quantizers.ts';
import { quantizeLayer } from './quantize-layer.ts';
import type { ByteScale, QuantizedModel } from './quantized-model.ts';
import { simulateQuantization } from './simulate-quantization.ts';

/** A model in eight bits, and how it was made. */
export interface QuantizationResult extends QuantizedModel {
  /** The model in float32 that it stands for: batch norms folded, and nothing that only trains. */
  readonly floatModel: Model;
  /** Whether the layers' ranges were brought together first, as that came closer to the model. */
  readonly isEqualized: boolean;
}

/** What a model is quantised with. */
export interface QuantizeOptions extends MeasureOptions {
  /** Chooses the bytes of an activation by what it was on the pictures. Default: the least square error. */
  readonly chooseScale?: (statistics: ValueStatistics) => ByteScale;
}

/**
 * Brings a classifier to eight bits: batch norms folded, layers equalised where that helps, weights symmetric for each
 * filter, activations by their ranges on pictures, biases corrected. All from the pictures, whose labels are not read.
 *
 * Sources: Jacob et al., CVPR 2018; Nagel et al., ICCV 2019.
 *
 * @throws {DaflError} `MODEL` if the model is no classifier of pictures or has no layers to quantise.
 */
export async function quantizeModel(
  model: Model,
  pictures: ImageSet,
  options: QuantizeOptions,
): Promise<QuantizationResult> {
  const floatModel = foldBatchNorms(withoutDropout(model));
  const { graph } = floatModel;
  if (!graph.nodes.some(isQuantizedLayer)) {
    throw new DaflError(
      'MODEL',
      `Cannot quantise model '${graph.name}' as it must have convolutions or dense layers: current value is [${graph.nodes.map(({ kind }) => kind).join(', ')}]`,
    );
  }
  describeClassifier(graph);
  const equalized = equalizeLayers(floatModel);
  const plain = await quantize(floatModel, pictures, options);
  if (equalized === undefined) return { ...plain, floatModel, isEqualized: false };
  const even = await quantize(equalized, pictures, options);
  const wanted = await readLogits(floatModel, pictures, options);
  const distances: number[] = [];
  for (const candidate of [plain, even]) {
    const given = await readLogits(simulateQuantization(candidate), pictures, options);
    distances.push(wanted.reduce((sum, value, index) => sum + (value - given[index]) ** 2, 0));
  }
  const isEqualized = distances[1] < distances[0];
  return { ...(isEqualized ? even : plain), floatModel, isEqualized };
}

async function quantize(model: Model, pictures: ImageSet, options: QuantizeOptions): Promise<QuantizedModel> {
  const { chooseScale = chooseByteScale } = options;
  const { graph } = model;
  const shapes = inferShapes(graph);
  const places = placeQuantizers(graph);
  const channels = new Map(
    [...places.keys()].map((name) => [name, (shapes.get(name)?.output ?? graph.inputShape).at(-1)!]),
  );
  const statistics = await measureValues(model, pictures, channels, options);
  const found = new Map<string, ByteScale>();
  for (const [name, { source }] of places)
    found.set(name, source === name ? chooseScale(statistics.get(name)!) : found.get(source)!);
  const weights = new Map(model.weights);
  const kernelScales = new Map<string, Float32Array>();
  const nodes = graph.nodes.map((node): ModelNode => {
    if (!isQuantizedLayer(node)) return node;
    const [read] = node.inputs;
    const layer = quantizeLayer(node, {
      kernel: weights.get(`${node.name}.kernel`)!,
      bias: weights.get(`${node.name}.bias`),
      inputScale: found.get(read)!.scale,
      inputMeans: statistics.get(read)!.channelMeans,
    });
    weights.set(`${node.name}.kernel`, layer.kernel).set(`${node.name}.bias`, layer.bias);
    kernelScales.set(node.name, layer.scales);
    return { ...node, useBias: true };
  });
  const byteScales = new Map([...found].filter(([name]) => places.get(name)!.isWritten));
  return { model: { graph: { ...graph, nodes }, weights }, quantization: { kernelScales, byteScales } };
}

async function readLogits(model: Model, pictures: ImageSet, options: MeasureOptions): Promise<Float32Array> {
  const { logits } = model.graph.outputs;
  const values: number[] = [];
  await runOnPictures(model, pictures, [logits], {
    ...options,
    tell: (_name, batch) => {
      for (let index = 0; index < batch.length; index++) values.push(batch[index]);
    },
  });
  return Float32Array.from(values);
}

/** Dropout does nothing in inference, and would part what belongs together. */
function withoutDropout({ graph, weights }: Model): {
  graph: Model['graph'];
  weights: ReadonlyMap<string, HostTensor>;
} {
  const renamed = new Map<string, string>();
  const nodes: ModelNode[] = [];
  const isOutput = new Set(Object.values(graph.outputs));
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => renamed.get(name) ?? name);
    if (node.kind === 'dropout' && !isOutput.has(node.name)) renamed.set(node.name, inputs[0]);
    else nodes.push({ ...node, inputs });
  }
  return { graph: { ...graph, nodes }, weights };
}
