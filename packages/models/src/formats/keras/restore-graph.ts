import { check, DaflError, type Graph, type HostTensor, inferShapes, type Model, validateModel } from '@dafl/core';
import type { JsonObject, JsonValue } from '../_parse-json.ts';
import { createReject } from '../_reject.ts';
import { parseGraph } from '../parse-graph.ts';
import { emitLayers, type EmittedModel, type LayerFamily, restoredTensor } from './emit-layers.ts';

/** Where the weights of a layer are found, in Keras's order. */
export type TakeWeights = (layer: string, names: readonly string[]) => readonly HostTensor[];

/** What to restore a graph from. */
export interface RestoreSource {
  /** What the file says under `dafl`. */
  readonly said: JsonValue | undefined;
  /** The layers that the file has. */
  readonly topology: JsonValue;
  readonly family: LayerFamily;
  /** The layers that a graph is written as. */
  readonly describe: (emitted: EmittedModel) => object;
  readonly take: TakeWeights;
  /** How many numbers the file holds. */
  readonly mostValues: number;
}

/**
 * The graph from which a file's layers were written, with the file's weights.
 *
 * @returns undefined where the file does not say it, or its layers are others by now: those decide.
 */
export function restoreGraph({ said, topology, family, describe, take, mostValues }: RestoreSource): Model | undefined {
  if (!(said instanceof Map) || (said as JsonObject).get('version') !== 1) return undefined;
  try {
    const graph = parseGraph((said as JsonObject).get('graph') ?? null, createReject('metadata', 'a graph'));
    const shapes = inferShapes(graph);
    const emitted = emitLayers(emptyModel(graph, shapes, mostValues), family);
    if (!isSame(describe(emitted), topology)) return undefined;
    const weights = new Map<string, HostTensor>();
    for (const layer of emitted.layers) {
      if (layer.weights.length === 0) continue;
      const tensors = take(
        layer.name,
        layer.weights.map(({ name }) => name),
      );
      for (const [index, weight] of layer.weights.entries()) {
        const split = weight.source.lastIndexOf('.');
        const { shape } = shapes.get(weight.source.slice(0, split))!.weights[weight.source.slice(split + 1)];
        if (tensors[index].shape.join() !== weight.shape.join()) return undefined;
        weights.set(weight.source, restoredTensor(weight, tensors[index], shape));
      }
    }
    const model = { graph, weights };
    validateModel(model);
    return model;
  } catch (error) {
    // What is said does not hold: the layers do.
    if (error instanceof DaflError) return undefined;
    throw error;
  }
}

/** Weights that take no memory to speak of: no values are looked at. */
function emptyModel(graph: Graph, shapes: ReturnType<typeof inferShapes>, mostValues: number): Model {
  const weights = new Map<string, HostTensor>();
  const sizes = [...shapes].flatMap(([node, { weights: own }]) =>
    Object.entries(own).map(([name, { shape }]) => ({ key: `${node}.${name}`, shape })),
  );
  const sizeOf = (shape: readonly number[]) => shape.reduce((total, length) => total * length, 1);
  const largest = sizes.reduce((most, { shape }) => Math.max(most, sizeOf(shape)), 0);
  check(largest <= mostValues, {
    code: 'MODEL',
    cannot: 'read a graph',
    as: `its weights must have at most ${mostValues} values`,
    value: largest,
  });
  const shared = new Float32Array(largest);
  for (const { key, shape } of sizes) weights.set(key, { shape, data: shared.subarray(0, sizeOf(shape)) });
  return { graph, weights };
}

/** Whether a plain value is what was parsed. */
function isSame(plain: unknown, parsed: JsonValue | undefined): boolean {
  if (Array.isArray(plain)) {
    return (
      Array.isArray(parsed) &&
      parsed.length === plain.length &&
      plain.every((entry, index) => isSame(entry, parsed[index] as JsonValue))
    );
  }
  if (typeof plain === 'object' && plain !== null) {
    const entries = Object.entries(plain).filter(([, value]) => value !== undefined);
    if (!(parsed instanceof Map) || parsed.size !== entries.length) return false;
    return entries.every(([key, value]) => isSame(value, (parsed as JsonObject).get(key)));
  }
  return plain === parsed;
}
