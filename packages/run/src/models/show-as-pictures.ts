import { fail, type FlattenNode, type Model, type Preprocessing } from '@dafl/core';

/** Fewer values than these are more likely measurements than a picture. */
const LEAST_VALUES = 64;

/** A model that takes pictures, and what was assumed of them, in a sentence. */
export interface ShownModel {
  readonly model: Model;
  readonly note?: string;
}

/**
 * The same classifier with pictures in place of rows of their pixels, as networks of dense layers take them.
 *
 * @param inputSize Of the pictures; absent: squares of one channel or three, where so many values make one.
 * @throws {DaflError} `USAGE` if so many values make no pictures of that size.
 */
export function showAsPictures(model: Model, inputSize?: readonly [height: number, width: number]): ShownModel {
  const { graph } = model;
  if (graph.inputShape.length !== 1) return { model };
  const [count] = graph.inputShape;
  const sides = inputSize ?? squareOf(count);
  if (sides === undefined) return { model };
  const [height, width] = sides;
  const channels = count / (height * width);
  if (channels !== 1 && channels !== 3) {
    fail({
      cannot: `use model '${graph.name}'`,
      as: `'inputSize' must make ${count} values in one channel or three`,
      value: `[${height}, ${width}]`,
    });
  }
  let name = 'pixels';
  while (graph.nodes.some((node) => node.name === name)) name += '_';
  // Exporters of colour put one channel after another.
  const flatten: FlattenNode = { kind: 'flatten', name, inputs: ['input'], order: 'chw' };
  const nodes = graph.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map((input) => (input === 'input' ? name : input)),
  }));
  const outputs = Object.fromEntries(
    Object.entries(graph.outputs).map(([role, node]) => [role, node === 'input' ? name : node]),
  );
  const { preprocessing, ...rest } = graph;
  const perChannel = preprocessing && ofChannels(preprocessing, channels);
  if (preprocessing !== undefined && perChannel === undefined) return { model };
  return {
    model: {
      ...model,
      graph: {
        ...rest,
        inputShape: [height, width, channels],
        nodes: [flatten, ...nodes],
        outputs,
        ...(perChannel !== undefined && { preprocessing: perChannel }),
      },
    },
    note: `Its ${count} values are taken for pictures of ${height}x${width}x${channels}, row by row${channels === 1 ? '' : ' and one channel after another'} (--input-size)`,
  };
}

function squareOf(count: number): [number, number] | undefined {
  if (count < LEAST_VALUES) return undefined;
  const side = [count, count / 3].map(Math.sqrt).find(Number.isInteger);
  return side === undefined ? undefined : [side, side];
}

/** What is the same for all values of a channel; undefined where it is not. */
function ofChannels({ resize, mean, standardDeviation }: Preprocessing, channels: number): Preprocessing | undefined {
  const pick = (values: readonly number[]): number[] | undefined => {
    const size = values.length / channels;
    const first = Array.from({ length: channels }, (_, channel) => values[channel * size]);
    return values.every((value, index) => value === first[Math.floor(index / size)]) ? first : undefined;
  };
  const [means, deviations] = [pick(mean), pick(standardDeviation)];
  return means && deviations && { resize, mean: means, standardDeviation: deviations };
}
