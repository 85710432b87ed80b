import {
  type Graph,
  inferShapes,
  type Model,
  type ModelNode,
  type Preprocessing,
  takeLogits,
  validateModel,
} from '@dafl/core';
import { isPixelConvention, type PixelConvention, setPixelConvention } from '../set-pixel-convention.ts';
import type { Reject } from './_reject.ts';
import { fusePadding } from './fuse-padding.ts';
import { adoptPreprocessing } from './onnx/adopt-preprocessing.ts';
import { fuseBias } from './onnx/fuse-bias.ts';
import { fuseResponseNorm } from './onnx/fuse-response-norm.ts';
import { type Activation, type GraphBuilder, sizesOf, wideAxes } from './onnx/graph-builder.ts';
import { withoutUnread } from './without-unread.ts';

/** A model that was turned into dafl's, and what was found or assumed on the way, in sentences. */
export interface ImportedModel {
  readonly model: Model;
  readonly notes: readonly string[];
}

/** What is known of a model beside its graph. */
export interface ImportFacts {
  /** Of the file. */
  readonly name: string;
  /** Of one example, channels last. */
  readonly inputShape: readonly number[];
  readonly reject: Reject;
  /** What was typed. */
  readonly pixels?: PixelConvention;
  /** What the file says. */
  readonly classNames?: readonly string[];
  readonly preprocessing?: Preprocessing;
}

/**
 * Makes a classifier of a graph that was built from another format: finds its logits and features, fuses what exporters
 * split, and settles its preprocessing.
 *
 * @param output What the file gives.
 */
export function finishImport(builder: GraphBuilder, output: Activation, facts: ImportFacts): ImportedModel {
  const { name, inputShape, reject, classNames } = facts;
  const [rows] = output.shape;
  if (output.shape.length > 1 && rows !== 1) reject('its output must have one row for each example', `${rows} rows`);
  const logits = toRow(output, builder);
  const notes = [...builder.notes];
  const { graph: taken, note: found } = takeLogits({
    name: modelName(name),
    inputShape,
    nodes: builder.nodes,
    outputs: { logits: logits.node },
  });
  if (found !== undefined) notes.push(found);
  const isNamed = classNames?.length === inferShapes(taken).get(taken.outputs.logits)?.output[0];
  const graph: Graph = isNamed ? { ...taken, classNames } : taken;
  const fused = fuseBias(fuseResponseNorm(fusePadding(withoutUnread(graph, builder.weights))));
  const { model, note } = choosePreprocessing(fused, facts);
  if (note !== undefined) notes.push(note);
  const imported = { ...model, graph: { ...model.graph, outputs: findOutputs(model.graph) } };
  validateModel(imported);
  return { model: imported, notes };
}

/** What was typed goes before what the file says, and that before what arithmetic on the input tells. */
function choosePreprocessing(
  model: Model,
  { pixels = {}, preprocessing }: ImportFacts,
): {
  model: Model;
  note?: string;
} {
  const said = preprocessing === undefined ? model : { ...model, graph: { ...model.graph, preprocessing } };
  if (isPixelConvention(pixels)) return { model: setPixelConvention(said, pixels) };
  if (preprocessing !== undefined) return { model: said };
  return adoptPreprocessing(model);
}

/** One row an example, where there is no more. */
function toRow(value: Activation, builder: GraphBuilder): Activation {
  const wide = wideAxes(value.order, value.shape);
  if (wide.length > 1) return value;
  const size = sizesOf(wide, value.shape)[0];
  const shape = [1, size];
  if (value.order.length === 1) return { ...value, shape, order: [1] };
  return { node: builder.add('logits', { kind: 'reshape', shape: [size] }, [value.node]), shape, order: [1] };
}

/** Logits, and what the last dense layer (or convolution by 1 x 1) before them reads. The halves of two classes are one. */
function findOutputs(graph: Graph): Graph['outputs'] {
  const { logits } = graph.outputs;
  const nodes = new Map<string, ModelNode>(graph.nodes.map((node) => [node.name, node]));
  let name = logits;
  for (;;) {
    const node = nodes.get(name);
    const inputs = new Set(node?.inputs.map((input) => (node.kind === 'concat' ? nodes.get(input)?.inputs[0] : input)));
    const [input] = inputs;
    if (node === undefined || input === undefined || inputs.size !== 1) return { logits, features: logits };
    name = input;
    if (node.kind === 'dense' || node.kind === 'conv2d') return { logits, features: name };
  }
}

/** Letters and digits of a file's name without its folder and extension. */
function modelName(name: string): string {
  const plain = name.replace(/^.*[/\\]/, '').replace(/\.[a-z0-9]+$/i, '');
  return plain.replaceAll(/[^\w.-]+/g, '-').slice(0, 100) || 'model';
}
