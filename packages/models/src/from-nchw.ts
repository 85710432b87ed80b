import { fail, type Graph, type HostTensor, inferShapes, type Model, type NodeShapes, validateModel } from '@dafl/core';

/** What PyTorch calls the weights of a node, and what dafl does; names of dafl's own are taken too. */
const aliases: Readonly<Record<string, readonly string[]>> = {
  kernel: ['weight'],
  scale: ['weight'],
  slope: ['weight'],
  offset: ['bias'],
  runningMean: ['running_mean'],
  runningVariance: ['running_var'],
};

/** What PyTorch keeps beside the weights and inference does not read. */
const IGNORED = '.num_batches_tracked';

/**
 * A model from weights as libraries hold them that put channels first, such as PyTorch's state dictionaries: filters
 * `[filters, channels, height, width]` (`[channels, filters, height, width]` of transposed convolutions), dense layers
 * `[units, inputs]`. All other weights have the same shape in both.
 *
 * What follows a `flatten` reads its input in the order in which that flattens: `'chw'` for weights from such libraries.
 *
 * @param graph Node names are the layers' names there: `conv1` for `conv1.weight`.
 * @param weights By name: `<node>.weight`, `<node>.bias`, `<node>.running_mean`, `<node>.running_var`, or by the names
 *   that dafl has for them. The values are copied.
 * @throws {DaflError} `MODEL` if the graph is not sound, or if a weight is missing, left over, of another shape or not
 *   finite; it names the weight and the shape that is expected of it, channels first.
 * @example
 * ```ts
 * const { tensors } = parseSafetensors(bytes); // a PyTorch state dictionary
 * const weights = new Map([...tensors].map(([name, { shape, bytes }]) => [name, { shape, data: decodeFloat32(bytes) }]));
 * const teacher = fromNchw(graph, weights);
 * ```
 */
export function fromNchw(graph: Graph, weights: ReadonlyMap<string, HostTensor>): Model {
  const left = new Set([...weights.keys()].filter((name) => !name.endsWith(IGNORED)));
  const reject = (rule: string, value: string): never => {
    fail({ code: 'MODEL', cannot: `take the weights of model '${graph.name}'`, as: rule, value });
  };
  const taken = new Map<string, HostTensor>();
  for (const [node, { weights: expected }] of inferShapes(graph)) {
    for (const [own, { shape }] of Object.entries(expected)) {
      const name = [...(aliases[own] ?? []), own].map((known) => `${node}.${known}`).find((known) => left.has(known));
      const wanted = own === 'kernel' ? channelsFirst(shape) : shape;
      if (name === undefined) {
        const called = `${node}.${aliases[own]?.[0] ?? own}`;
        return reject(`'${called}' must be there, of shape [${wanted.join(', ')}]`, 'missing');
      }
      left.delete(name);
      const weight = weights.get(name)!;
      const isRight =
        weight.shape.length === wanted.length &&
        weight.shape.every((size, axis) => size === wanted[axis]) &&
        weight.data.length === wanted.reduce((product, size) => product * size, 1);
      if (!isRight) {
        const current = `[${weight.shape.join(', ')}] with ${weight.data.length} values`;
        reject(`'${name}' must have shape [${wanted.join(', ')}]`, current);
      }
      taken.set(`${node}.${own}`, {
        shape,
        data: own === 'kernel' ? reorder(weight.data, shape) : weight.data.slice(),
      });
    }
  }
  const [over] = left;
  if (over !== undefined) reject('each weight must belong to a node', `'${over}'`);
  const model = { graph, weights: taken };
  validateModel(model);
  return model;
}

type Shape = NodeShapes['output'];

/** The shape of a kernel's filters or matrix in such libraries: outer, inner, then height and width. */
function channelsFirst(shape: Shape): Shape {
  return shape.length === 4 ? [shape[3], shape[2], shape[0], shape[1]] : [shape[1], shape[0]];
}

/** @param shape The result's, channels last. */
function reorder(data: Float32Array, shape: Shape): Float32Array {
  const [height, width, inner, outer] = shape.length === 4 ? shape : [1, 1, ...shape];
  const area = height * width;
  const reordered = new Float32Array(data.length);
  for (let place = 0; place < area; place++) {
    for (let from = 0; from < inner; from++) {
      for (let to = 0; to < outer; to++)
        reordered[(place * inner + from) * outer + to] = data[(to * inner + from) * area + place];
    }
  }
  return reordered;
}
