import { inferShapes, type Model } from '@dafl/core';

/** How a layer of two models differs. */
export interface LayerDifference {
  readonly name: string;
  /** Kind and shape of the output in each; null where it has no such layer. */
  readonly first: string | null;
  readonly second: string | null;
  /** Largest absolute difference of a weight; null where the layers have none in common. */
  readonly largestDifference: number | null;
}

/** The layers in which two models differ, matched by name, in the first's order and then the second's. */
export function compareModels(first: Model, second: Model): LayerDifference[] {
  const [one, other] = [describe(first), describe(second)];
  return [...new Set([...one.keys(), ...other.keys()])].flatMap((name): LayerDifference[] => {
    const [a, b] = [one.get(name) ?? null, other.get(name) ?? null];
    const largestDifference = compareWeights(name, first, second);
    if (a === b && !(largestDifference !== null && largestDifference > 0)) return [];
    return [{ name, first: a, second: b, largestDifference }];
  });
}

function describe({ graph }: Model): Map<string, string> {
  const shapes = inferShapes(graph);
  return new Map(graph.nodes.map(({ name, kind }) => [name, `${kind} ${shapes.get(name)!.output.join(' x ')}`]));
}

function compareWeights(node: string, first: Model, second: Model): number | null {
  let largest: number | null = null;
  for (const [weight, { data, shape }] of first.weights) {
    if (weight.slice(0, weight.lastIndexOf('.')) !== node) continue;
    const other = second.weights.get(weight);
    if (other === undefined || other.shape.join() !== shape.join()) continue;
    data.forEach((value, index) => {
      largest = Math.max(largest ?? 0, Math.abs(value - other.data[index]));
    });
  }
  return largest;
}
