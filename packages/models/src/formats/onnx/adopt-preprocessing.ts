import type { AffineNode, Model, Preprocessing } from '@dafl/core';

/** Steps smaller than this for one unit of the input say that it counts pixels by 0..255. */
const SMALL_FACTOR = 0.05;
/** Means larger than this do so as well. */
const LARGE_MEAN = 1.5;

/**
 * Takes arithmetic on the input (subtractions of means, divisions by deviations or by 255) out of a network and makes
 * it its preprocessing.
 *
 * @returns The model, and what is known of its input, in a sentence.
 */
export function adoptPreprocessing(model: Model): { model: Model; note: string } {
  const { graph, weights } = model;
  const channels = graph.inputShape.at(-1)!;
  let factor = Array<number>(channels).fill(1);
  let summand = Array<number>(channels).fill(0);
  let nodes = [...graph.nodes];
  let count = 0;
  for (;;) {
    const readers = nodes.filter((node) => node.inputs.includes('input'));
    const [node] = readers;
    if (readers.length !== 1 || node.kind !== 'affine' || Object.values(graph.outputs).includes(node.name)) break;
    const next: AffineNode = node;
    const pick = (list: readonly number[], channel: number) => list[list.length === 1 ? 0 : channel];
    summand = summand.map((value, channel) => value * pick(next.factor, channel) + pick(next.summand, channel));
    factor = factor.map((value, channel) => value * pick(next.factor, channel));
    nodes = nodes
      .filter((other) => other !== node)
      .map((other) => ({ ...other, inputs: other.inputs.map((name) => (name === node.name ? 'input' : name)) }));
    count++;
  }
  if (count === 0 || factor.some((value) => !(value > 0))) {
    return {
      model,
      note: 'The file does not say which range of pixels it takes: 0..1 is assumed. Other conventions are -1..1 (--range -1..1), 0..255 (--range 0..255) and the mean and deviation of the training data (--mean, --std)',
    };
  }
  const means = summand.map((value, channel) => 0 - value / factor[channel]);
  const isByte = factor.some((value) => value < SMALL_FACTOR) || means.some((mean) => Math.abs(mean) > LARGE_MEAN);
  const range = isByte ? 255 : 1;
  const preprocessing: Preprocessing = {
    resize: 'bilinear',
    mean: means.map((mean) => mean / range),
    standardDeviation: factor.map((value) => 1 / (value * range)),
  };
  return {
    model: { graph: { ...graph, nodes, preprocessing }, weights },
    note: `Arithmetic on its input is taken as preprocessing, of pixels in 0..${range}`,
  };
}
