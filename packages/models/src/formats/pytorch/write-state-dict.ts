import { DaflError, fail, type Graph, type Model, type ModelNode, showValue, validateModel } from '@dafl/core';
import { architectures } from '../../architectures/architectures.ts';
import { encodeFloat32 } from '../float32.ts';
import type { SafetensorsTensor } from '../safetensors.ts';
import { serializeSafetensors } from '../serialize-safetensors.ts';
import { forEachElement, listParameters, type Parameter } from './list-parameters.ts';
import { listNamed } from './match-architecture.ts';
import { type ModuleNaming, moduleNamings } from './module-names.ts';

/**
 * Writes the weights of a built-in architecture, of any width, as safetensors by the names that torchvision and others
 * give them: PyTorch and timm load it by `load_state_dict`, dafl by `importModel`. Kernels become OIHW. The metadata
 * holds the architecture, the size of pictures, the preprocessing and the names of the classes. Batches that were counted
 * (`num_batches_tracked`) are not there: PyTorch counts anew.
 *
 * @throws {DaflError} `MODEL` if the model is not sound, or its graph is none whose names are known.
 * @example
 * ```ts
 * await writeFile('student.safetensors', writeStateDict(student));
 * ```
 */
export function writeStateDict(model: Model): Uint8Array<ArrayBuffer> {
  validateModel(model);
  const { graph } = model;
  const { architecture, naming } = recognize(graph);
  const tensors = new Map<string, SafetensorsTensor>();
  for (const parameter of listParameters(graph, naming)!) {
    const bytes = encodeFloat32(disarrange(parameter, model.weights.get(parameter.weight)!.data));
    tensors.set(parameter.key, { dataType: 'F32', shape: parameter.shape, bytes });
  }
  const [height, width] = graph.inputShape;
  // What loaders of Hugging Face's files look for.
  const metadata = new Map([
    ['format', 'pt'],
    ['architecture', architecture],
    ['input_size', `[${height}, ${width}]`],
  ]);
  if (graph.preprocessing !== undefined) {
    const { resize, mean, standardDeviation } = graph.preprocessing;
    metadata.set('preprocessing', JSON.stringify({ resize, range: [0, 1], mean, standardDeviation }));
  }
  if (graph.classNames !== undefined) metadata.set('class_names', JSON.stringify(graph.classNames));
  return serializeSafetensors({ metadata, tensors });
}

function disarrange(parameter: Parameter, values: Float32Array): Float32Array {
  const arranged = new Float32Array(values.length);
  forEachElement(parameter, (theirs, own) => {
    arranged[theirs] = values[own];
  });
  return arranged;
}

/** The architecture that a graph is of, whatever its widths. */
function recognize(graph: Graph): { architecture: string; naming: ModuleNaming } {
  const fitting = moduleNamings.flatMap((naming) =>
    naming.architectures.flatMap((architecture) => {
      const made = makeLike(graph, architecture);
      const fits =
        made !== undefined &&
        describeStructure(made) === describeStructure(graph) &&
        listParameters(graph, naming) !== undefined;
      return fits ? [{ architecture, naming, hasItsWidths: widthsOf(made) === widthsOf(graph) }] : [];
    }),
  );
  const chosen = fitting.find(({ hasItsWidths }) => hasItsWidths) ?? fitting[0];
  if (chosen !== undefined) return chosen;
  fail({
    code: 'MODEL',
    cannot: `write model ${showValue(graph.name)} by PyTorch's names`,
    as: `it must be one of the architectures [${listNamed().join(', ')}], of any width`,
    value: 'another graph',
  });
}

function makeLike({ inputShape }: Graph, architecture: string): Graph | undefined {
  if (inputShape.length !== 3) return undefined;
  const [height, width, channels] = inputShape;
  try {
    return architectures.get(architecture)!.create({ inputShape: [height, width, channels] });
  } catch (error) {
    if (error instanceof DaflError) return undefined;
    throw error;
  }
}

/** Of all layers but the last. */
function widthsOf({ nodes, outputs }: Graph): string {
  return nodes
    .filter(({ name }) => name !== outputs.logits)
    .map((node) => (node.kind === 'dense' ? node.units : node.kind === 'conv2d' ? node.filters : ''))
    .join();
}

/** All of a graph but its widths and its preprocessing. */
function describeStructure({ nodes, outputs }: Graph): string {
  return JSON.stringify([
    nodes.map((node) => Object.entries(withoutWidth(node)).sort(([left], [right]) => (left < right ? -1 : 1))),
    outputs.logits,
  ]);
}

function withoutWidth(node: ModelNode): object {
  if (node.kind === 'dense') return { ...node, units: 0 };
  if (node.kind === 'conv2d') return { ...node, filters: 0, groups: node.groups > 1 ? 'depthwise' : 1 };
  // How fast statistics move says nothing of what the network computes.
  if (node.kind === 'batchNorm') return { ...node, momentum: 0 };
  return node;
}
