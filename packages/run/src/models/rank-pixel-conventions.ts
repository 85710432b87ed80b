import { createWasmBackend } from '@dafl/backend-wasm';
import { createNetwork, createRandomStream, DaflError, type Graph, inferShapes, type Model } from '@dafl/core';
import { withTape } from '@dafl/core/autodiff';

/** One way to feed pixels to a network, and how far what its first batch norm sees then is from what it saw in training. */
export interface RankedConvention {
  readonly name: string;
  /** The flags that settle it. */
  readonly flags: string;
  /**
   * Mean over the channels of the divergence of what batch norm remembers from what it sees (both taken as normal), >= 0, for
   * the kind of pictures that fits best. 0: no difference.
   */
  readonly misfit: number;
}

interface Convention {
  readonly name: string;
  readonly flags: string;
  /** Mean and deviation of inputs that pictures of this convention may have. */
  readonly inputs: readonly (readonly [mean: number, deviation: number])[];
}

/** Mean and deviation of pixels (0..1) of data sets: dark with strokes, CIFAR and ImageNet, light. */
const pixels = [
  [0.13, 0.31],
  [0.25, 0.3],
  [0.28, 0.2],
  [0.4, 0.25],
  [0.47, 0.25],
  [0.47, 0.32],
  [0.6, 0.28],
  [0.75, 0.28],
] as const;
/** Of its own data, or of another set's. */
const standardised = [
  [0, 1],
  [-0.3, 0.8],
  [0.3, 0.8],
  [-0.2, 1.15],
  [0.2, 1.15],
] as const;

function listConventions(channels: number): Convention[] {
  return [
    { name: 'pixels in 0..1', flags: '--range 0..1', inputs: pixels },
    {
      name: 'pixels in -1..1',
      flags: '--range -1..1',
      inputs: pixels.map(([mean, deviation]) => [2 * mean - 1, 2 * deviation]),
    },
    {
      name: `mean 0 and deviation 1${channels === 3 ? ', as of ImageNet' : ''}`,
      flags:
        channels === 3 ? '--mean 0.485,0.456,0.406 --std 0.229,0.224,0.225' : '--mean M --std S of its training images',
      inputs: standardised,
    },
    {
      name: 'pixels in 0..255',
      flags: '--range 0..255',
      inputs: pixels.map(([mean, deviation]) => [255 * mean, 255 * deviation]),
    },
  ];
}

/** Pictures of each kind. */
const PICTURES = 4;
/** Larger ones say nothing more of the first layers. */
const LARGEST_SIDE = 48;
/** How much stronger each coarser octave is: rough to smooth. */
const SMOOTHNESSES = [0.6, 1, 1.5];
/** What one channel may add: some are dead, and would outweigh the rest. */
const MOST_MISFIT = 20;

/**
 * Ranks the usual ways to feed pixels to a network by what its first batch norm remembers of its training: the mean and
 * variance of each channel are compared with those that noise of several means, contrasts and smoothnesses gives, fed in
 * each way.
 *
 * @returns The best first; undefined where no batch norm tells.
 */
export async function rankPixelConventions(model: Model): Promise<readonly RankedConvention[] | undefined> {
  const start = cutAtNorm(model);
  if (start === undefined) return undefined;
  const { part, norm } = start;
  const [height, width, channels] = part.graph.inputShape;
  const backend = await createWasmBackend({ threads: 1 });
  try {
    const network = createNetwork(backend, part);
    const noises = SMOOTHNESSES.map((smoothness) => drawNoise([height, width, channels], smoothness));
    const measure = async (noise: Float32Array, mean: number, deviation: number): Promise<number> => {
      const images = backend.tensor(
        noise.map((value) => mean + deviation * value),
        [PICTURES, height, width, channels],
      );
      const values = withTape(backend, (tape) => {
        const { features } = network.forward(tape, tape.constant(images), { mode: 'inference' });
        return backend.read(features.tensor);
      });
      const misfit = compare(await values, norm);
      backend.dispose(images);
      return misfit;
    };
    const ranked: RankedConvention[] = [];
    for (const { name, flags, inputs } of listConventions(channels)) {
      let misfit = Infinity;
      for (const [mean, deviation] of inputs) {
        for (const noise of noises) misfit = Math.min(misfit, await measure(noise, mean, deviation));
      }
      ranked.push({ name, flags, misfit });
    }
    network.dispose();
    return ranked.sort((left, right) => left.misfit - right.misfit);
  } finally {
    await backend.close();
  }
}

/** What a batch norm remembers. */
interface Remembered {
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

/** The network up to what its first batch norm reads, for pictures of a size that is soon computed. */
function cutAtNorm(model: Model): { part: Model; norm: Remembered } | undefined {
  const { graph, weights } = model;
  const node = graph.nodes.find(({ kind }) => kind === 'batchNorm');
  if (node === undefined || graph.inputShape.length !== 3) return undefined;
  const mean = weights.get(`${node.name}.runningMean`)!.data;
  const variance = weights.get(`${node.name}.runningVariance`)!.data;
  // Fresh ones remember nothing.
  if (mean.every((value) => value === 0) && variance.every((value) => value === 1)) return undefined;
  const needed = new Set(node.inputs);
  const nodes = graph.nodes
    .toReversed()
    .filter((each) => {
      if (!needed.has(each.name)) return false;
      each.inputs.forEach((input) => needed.add(input));
      return true;
    })
    .toReversed();
  const isNeeded = (weight: string): boolean => needed.has(weight.slice(0, weight.lastIndexOf('.')));
  const [height, width, channels] = graph.inputShape;
  const small = [Math.min(height, LARGEST_SIDE), Math.min(width, LARGEST_SIDE), channels];
  const outputs = { features: node.inputs[0], logits: node.inputs[0] };
  const part: Graph = { name: graph.name, inputShape: small, nodes, outputs };
  const kept = new Map([...weights].filter(([weight]) => isNeeded(weight)));
  const fitting = fits(part) ? part : { ...part, inputShape: graph.inputShape };
  return nodes.length === 0 ? undefined : { part: { graph: fitting, weights: kept }, norm: { mean, variance } };
}

/** Whether its layers take pictures of that size. */
function fits(graph: Graph): boolean {
  if (graph.nodes.some(({ kind }) => kind === 'dense' || kind === 'reshape' || kind === 'constant')) return false;
  try {
    inferShapes(graph);
    return true;
  } catch (error) {
    if (error instanceof DaflError) return false;
    throw error;
  }
}

/** Noise of mean 0 and deviation 1 whose channels go together, as those of pictures do: octaves of random grids, bilinear. */
function drawNoise([height, width, channels]: readonly number[], smoothness: number): Float32Array {
  const random = createRandomStream(1, 'pixel conventions');
  const area = height * width;
  const noise = new Float32Array(PICTURES * area * channels);
  const addPlane = (picture: number, share: (channel: number) => number): void => {
    for (let cell = 1; cell <= Math.min(height, width); cell *= 2) {
      const [rows, columns] = [Math.ceil(height / cell) + 2, Math.ceil(width / cell) + 2];
      const grid = random.normal(rows * columns);
      const [top, left] = random.uniform(2);
      for (let pixel = 0; pixel < area; pixel++) {
        const [y, x] = [Math.floor(pixel / width) / cell + top, (pixel % width) / cell + left];
        const [row, column] = [Math.floor(y), Math.floor(x)];
        const [down, right] = cell === 1 ? [0, 0] : [y - row, x - column];
        const at = (r: number, c: number) => grid[(row + r) * columns + column + c];
        const value =
          at(0, 0) * (1 - down) * (1 - right) +
          at(0, 1) * (1 - down) * right +
          at(1, 0) * down * (1 - right) +
          at(1, 1) * down * right;
        for (let channel = 0; channel < channels; channel++)
          noise[(picture * area + pixel) * channels + channel] += value * cell ** smoothness * share(channel);
      }
    }
  };
  for (let picture = 0; picture < PICTURES; picture++) {
    addPlane(picture, () => 1);
    for (let own = 0; own < channels; own++) addPlane(picture, (channel) => (channel === own ? 0.3 : 0));
  }
  const mean = noise.reduce((total, value) => total + value, 0) / noise.length;
  const deviation = Math.sqrt(noise.reduce((total, value) => total + (value - mean) ** 2, 0) / noise.length);
  return noise.map((value) => (value - mean) / deviation);
}

/** Mean divergence of normal distributions with the remembered moments from those with the measured ones. */
function compare(values: ArrayLike<number>, { mean, variance }: Remembered): number {
  const channels = mean.length;
  const rows = values.length / channels;
  let total = 0;
  for (let channel = 0; channel < channels; channel++) {
    let [sum, squares] = [0, 0];
    for (let row = 0; row < rows; row++) sum += values[row * channels + channel];
    for (let row = 0; row < rows; row++) squares += (values[row * channels + channel] - sum / rows) ** 2;
    const measured = squares / rows + 1e-12;
    const ratio = (variance[channel] + 1e-12) / measured;
    const misfit = (ratio - 1 - Math.log(ratio) + (mean[channel] - sum / rows) ** 2 / measured) / 2;
    total += Math.min(misfit, MOST_MISFIT);
  }
  return total / channels;
}
