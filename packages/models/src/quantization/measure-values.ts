import {
  createNetwork,
  describeClassifier,
  type ImageSet,
  inferenceBatchSize,
  type Model,
  preprocess,
  type TensorBackend,
  type Turn,
} from '@dafl/core';
import { Tape } from '@dafl/core/autodiff';

/** What one value of a network was on some pictures. */
export interface ValueStatistics {
  /** Including 0. */
  readonly minimum: number;
  /** Including 0. */
  readonly maximum: number;
  /** Counts in bins of equal width from the minimum to the maximum. */
  readonly histogram: Uint32Array;
  /** Mean of each channel, the value's last axis. */
  readonly channelMeans: Float64Array;
}

/** What networks are run with. */
export interface MeasureOptions {
  readonly backend: TensorBackend;
  readonly turn: Turn;
  readonly signal?: AbortSignal;
}

const BINS = 2048;
/** Many values of a batch are alive at once: fewer pictures than where one is. */
const BATCH_SHARE = 4;

/** Values that one pass hands out: a graph has few outputs, and all of a pass are alive at once. */
const NAMES_OF_A_PASS = 32;

/** Told of a value, batch by batch. */
type Tell = (name: string, values: ArrayLike<number>) => void;

/** Runs a model on pictures and hands out some of its values. @param names Of nodes, or `'input'`. */
export async function runOnPictures(
  model: Model,
  pictures: ImageSet,
  names: readonly string[],
  options: MeasureOptions & { readonly tell: Tell },
): Promise<void> {
  for (let begin = 0; begin < names.length; begin += NAMES_OF_A_PASS)
    await runPass(model, pictures, names.slice(begin, begin + NAMES_OF_A_PASS), options);
}

async function runPass(
  { graph, weights }: Model,
  pictures: ImageSet,
  names: readonly string[],
  { backend, turn, signal, tell }: MeasureOptions & { readonly tell: Tell },
): Promise<void> {
  const classifier = describeClassifier(graph);
  const inner = names.filter((name) => name !== 'input');
  const outputs = Object.fromEntries(inner.map((name, index) => [`value${index}`, name]));
  const network = createNetwork(backend, {
    graph: { ...graph, outputs: { logits: graph.outputs.logits, ...outputs } },
    weights,
  });
  const batch = Math.max(1, Math.floor(inferenceBatchSize(graph) / BATCH_SHARE));
  try {
    for (let begin = 0; begin < pictures.count; begin += batch) {
      await turn();
      signal?.throwIfAborted();
      const count = Math.min(batch, pictures.count - begin);
      const indices = Array.from({ length: count }, (_, index) => begin + index);
      const input = preprocess(pictures, indices, classifier);
      if (names.includes('input')) tell('input', input);
      const tape = new Tape(backend);
      try {
        const images = tape.own(backend.tensor(input, [count, ...graph.inputShape]));
        const values = network.forward(tape, images, { mode: 'inference' });
        for (const [role, name] of Object.entries(outputs)) tell(name, await backend.read(values[role].tensor));
      } finally {
        tape.dispose();
      }
    }
  } finally {
    network.dispose();
  }
}

/** Ranges, histograms and means of values of a model. @param channels Of each value, by name of node or `'input'`. */
export async function measureValues(
  model: Model,
  pictures: ImageSet,
  channels: ReadonlyMap<string, number>,
  options: MeasureOptions,
): Promise<Map<string, ValueStatistics>> {
  const names = [...channels.keys()];
  const found = new Map(
    names.map((name) => [
      name,
      {
        minimum: 0,
        maximum: 0,
        count: 0,
        sums: new Float64Array(channels.get(name)!),
        histogram: new Uint32Array(BINS),
      },
    ]),
  );
  await runOnPictures(model, pictures, names, {
    ...options,
    tell: (name, values) => {
      const statistics = found.get(name)!;
      const { sums } = statistics;
      for (let index = 0, channel = 0; index < values.length; index++) {
        const value = values[index];
        if (value < statistics.minimum) statistics.minimum = value;
        else if (value > statistics.maximum) statistics.maximum = value;
        sums[channel] += value;
        if (++channel === sums.length) channel = 0;
      }
      statistics.count += values.length / sums.length;
    },
  });
  await runOnPictures(model, pictures, names, {
    ...options,
    tell: (name, values) => {
      const { minimum, maximum, histogram } = found.get(name)!;
      const perBin = maximum > minimum ? BINS / (maximum - minimum) : 0;
      for (let index = 0; index < values.length; index++)
        histogram[Math.min(BINS - 1, Math.floor((values[index] - minimum) * perBin))]++;
    },
  });
  return new Map(
    [...found].map(([name, { sums, count, ...rest }]) => [
      name,
      { ...rest, channelMeans: sums.map((sum) => sum / count) },
    ]),
  );
}
