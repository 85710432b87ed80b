import { check, fail } from '../check.ts';
import { DaflError } from '../errors.ts';
import { inferShapes } from './infer-shapes.ts';
import type { Model } from './model.ts';
import { sizeOf } from '../shape.ts';

/**
 * Checks that a model can run: the graph is sound and each weight is there, in its shape, finite; no weight is over.
 *
 * @throws {DaflError} `MODEL`, naming the node or weight.
 */
export function validateModel(model: Model): void {
  const { graph, weights } = model;
  const opaque = graph.nodes.find(({ kind }) => kind === 'opaque');
  if (opaque !== undefined && model.answer === undefined) {
    fail({
      code: 'MODEL',
      cannot: `use model '${graph.name}'`,
      as: `another program computes its node '${opaque.name}'`,
      value: 'none',
    });
  }
  const expected = new Set<string>();
  for (const [nodeName, shapes] of inferShapes(graph)) {
    for (const [weightName, { shape, least }] of Object.entries(shapes.weights)) {
      const name = `${nodeName}.${weightName}`;
      expected.add(name);
      const weight = weights.get(name);
      const size = sizeOf(shape);
      if (
        weight === undefined ||
        weight.shape.length !== shape.length ||
        weight.shape.some((length, axis) => length !== shape[axis]) ||
        weight.data.length !== size
      ) {
        const current =
          weight === undefined ? 'missing' : `[${weight.shape.join(', ')}] with ${weight.data.length} values`;
        fail({
          code: 'MODEL',
          cannot: `use model '${graph.name}'`,
          as: `weight '${name}' must have shape [${shape.join(', ')}]`,
          value: current,
        });
      }
      const bad = findNotFinite(weight.data);
      if (bad >= 0) {
        throw new DaflError(
          'MODEL',
          `Cannot use model '${graph.name}' as weight '${name}' must be finite: current value at ${bad} is ${weight.data[bad]}`,
        );
      }
      const low = least === undefined ? undefined : weight.data.find((value) => value < least);
      if (low !== undefined) {
        fail({
          code: 'MODEL',
          cannot: `use model '${graph.name}'`,
          as: `weight '${name}' must be >= ${least}`,
          value: low,
        });
      }
    }
  }
  for (const name of weights.keys()) {
    check(expected.has(name), {
      code: 'MODEL',
      cannot: `use model '${graph.name}'`,
      as: 'each weight must belong to a node',
      value: `'${name}'`,
    });
  }
}

/** Position of the first value that is not finite, or -1. A plain loop: there may be hundreds of millions. */
function findNotFinite(values: Float32Array): number {
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (value - value !== 0) return index;
  }
  return -1;
}
