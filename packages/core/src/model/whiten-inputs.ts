import type { Tensor, TensorBackend } from '../backend.ts';
import { Tape } from '../autodiff/tape.ts';
import type { WhitenedLayer } from '../optimizers/whitened.ts';
import type { RandomStream } from '../random.ts';
import { sizeOf } from '../shape.ts';
import type { Turn } from '../turn.ts';
import { invertCholesky } from './_invert-cholesky.ts';
import { findBatchNorm } from './find-batch-norm.ts';
import { inferShapes } from './infer-shapes.ts';
import { readsWholeInput } from './reads-whole-input.ts';
import type { Network } from './network.ts';
import { type Patches, readPatches } from './read-patches.ts';

/** What inputs are whitened by. */
export interface WhitenInputsOptions {
  readonly network: Network;
  /** Preprocessed, `[count, height, width, channels]`; all go through the network at once. */
  readonly images: Tensor;
  /** Which positions of the images are looked at. */
  readonly random: RandomStream;
  readonly turn: Turn;
  readonly signal?: AbortSignal;
}

/** Wider layers are left as they are: their matrices would cost more than they bring. */
const MOST_VALUES = 1_152;
/** Rows that a covariance is measured by, for each value that a layer sums up, and at least. */
const ROWS_FOR_EACH = 16;
const LEAST_ROWS = 4_096;
/** Fewer for each value tell noise from nothing. */
const FEWEST_FOR_EACH = 2;
/** What is added to the variances, in relation to their mean: directions in which nothing varies are not blown up. */
const DAMPING = 0.01;
/** Root mean square of weights that usual learning rates suit. */
const USUAL_SCALE = 0.1;

/**
 * For each layer of a network, coordinates in which what it reads has mean 0, variance 1 and no correlations: an optimizer
 * that works in them is spared the narrow valleys that layers without batch norms have. Layers with groups, and those
 * that are too wide for what the images tell of them, are left out.
 *
 * Source: Desjardins et al., "Natural Neural Networks", NIPS 2015, algorithm 1. Deviations: Cholesky's factor in place of
 * the eigenvectors; the coordinates are chosen once; weights are scaled so that one learning rate suits all layers.
 *
 * @throws What `signal` was aborted with, or what a kernel threw.
 */
export async function whitenInputs(options: WhitenInputsOptions): Promise<WhitenedLayer[]> {
  const { network, images, random, turn, signal } = options;
  const { backend, graph } = network;
  const shapes = inferShapes(graph);
  const layers: WhitenedLayer[] = [];
  const tape = new Tape(backend);
  try {
    const walked = network.walk(tape, tape.constant(images), { mode: 'inference', trainable: false });
    for (let visit = walked.next(); visit.done !== true; visit = walked.next()) {
      await turn();
      signal?.throwIfAborted();
      const { node, inputs } = visit.value;
      if (node.kind !== 'dense' && !(node.kind === 'conv2d' && node.groups === 1)) continue;
      const layerShapes = shapes.get(node.name)!;
      const [input] = inputs;
      if (!readsWholeInput(graph, shapes, node, input.shape)) continue;
      const values = sizeOf(layerShapes.weights.kernel.shape.slice(0, -1));
      const count = input.shape[0];
      const wanted = Math.max(LEAST_ROWS, ROWS_FOR_EACH * values);
      const positions = Math.ceil(wanted / count);
      const rows = count * Math.min(positions, sizeOf(layerShapes.output.slice(0, -1)));
      if (values > MOST_VALUES || rows < FEWEST_FOR_EACH * values) continue;
      const patches = readPatches(backend, node, layerShapes, input.tensor, positions, random);
      const moments = await measureMoments(backend, patches, values, turn);
      // Without a bias or a batch norm behind it, nothing could take a mean.
      const centres = node.useBias || findBatchNorm(graph, node.name) !== undefined;
      const layer = await whiten(network, node.name, moments, { hasBias: node.useBias, centres, turn });
      if (layer !== undefined) layers.push(layer);
    }
  } finally {
    tape.dispose();
  }
  return layers;
}

interface InputMoments {
  readonly mean: Float64Array;
  /** Of what differs from the mean, `[values, values]`. */
  readonly covariance: Float64Array;
}

async function measureMoments(
  backend: TensorBackend,
  patches: AsyncIterable<Patches>,
  values: number,
  turn: Turn,
): Promise<InputMoments> {
  let total = 0;
  /** Close to the mean, so that products of single precision lose nothing. */
  let centre: Float64Array | undefined;
  const sums = new Float64Array(values);
  const products = new Float64Array(values * values);
  for await (const { rows, data } of patches) {
    if (centre === undefined) centre = sumRows(data, values).map((sum) => sum / rows);
    for (let index = 0; index < data.length; index++) data[index] -= centre[index % values];
    const tensor = backend.tensor(data, [rows, values]);
    const product = backend.matMul(tensor, tensor, true, false);
    try {
      const read = await backend.read(product);
      for (let index = 0; index < products.length; index++) products[index] += read[index];
    } finally {
      backend.dispose(tensor);
      backend.dispose(product);
    }
    sumRows(data, values).forEach((sum, value) => (sums[value] += sum));
    total += rows;
    await turn();
  }
  const shift = sums.map((sum) => sum / total);
  const covariance = products.map((product, index) => {
    return product / total - shift[Math.floor(index / values)] * shift[index % values];
  });
  return { mean: shift.map((value, index) => value + centre![index]), covariance };
}

/** Of each column. */
function sumRows(data: Float32Array, columns: number): Float64Array {
  const sums = new Float64Array(columns);
  for (let index = 0; index < data.length; index++) sums[index % columns] += data[index];
  return sums;
}

/**
 * The coordinates of one layer: with C = L Lᵀ what it reads is x̃ = s L⁻¹ (x - μ), and the kernel is W = s L⁻ᵀ Ŵ, where s
 * makes the first Ŵ as large as usual; the bias is that at the mean.
 */
async function whiten(
  { backend, variables }: Network,
  name: string,
  { mean, covariance }: InputMoments,
  { hasBias, centres, turn }: { readonly hasBias: boolean; readonly centres: boolean; readonly turn: Turn },
): Promise<WhitenedLayer | undefined> {
  const values = mean.length;
  const matrix = centres
    ? covariance
    : covariance.map((value, index) => value + mean[Math.floor(index / values)] * mean[index % values]);
  let trace = 0;
  for (let at = 0; at < values; at++) trace += matrix[at * values + at];
  // What never varies has no directions.
  if (!(trace > 0)) return undefined;
  for (let at = 0; at < values; at++) matrix[at * values + at] += (DAMPING * trace) / values;
  const factors = await invertCholesky(matrix, values, turn);
  if (factors === undefined) return undefined;
  const kernel = await backend.read(variables.get(`${name}.kernel`)!.tensor);
  const columns = kernel.length / values;
  const bias = hasBias ? await backend.read(variables.get(`${name}.bias`)!.tensor) : undefined;
  const size = hasBias ? values + 1 : values;
  const weights = new Float64Array(size * columns);
  let squares = 0;
  for (let row = 0; row < values; row++) {
    for (let from = row; from < values; from++) {
      const share = factors.factor[from * values + row];
      for (let column = 0; column < columns; column++)
        weights[row * columns + column] += share * kernel[from * columns + column];
    }
    if (row % 64 === 0) await turn();
    for (let column = 0; column < columns; column++) squares += weights[row * columns + column] ** 2;
  }
  const scale = Math.sqrt(squares / (values * columns)) / USUAL_SCALE || 1;
  for (let index = 0; index < values * columns; index++) weights[index] /= scale;
  const transform = new Float32Array(size * size);
  for (let row = 0; row < values; row++) {
    let shift = 0;
    for (let column = 0; column <= row; column++) {
      const value = scale * factors.inverse[row * values + column];
      transform[row * size + column] = value;
      shift += value * mean[column];
    }
    if (hasBias) transform[row * size + values] = -shift;
  }
  if (bias !== undefined) {
    transform[size * size - 1] = 1;
    for (let column = 0; column < columns; column++) {
      let value = bias[column];
      for (let row = 0; row < values; row++) value += mean[row] * kernel[row * columns + column];
      weights[values * columns + column] = value;
    }
  }
  return { name, transform, weights: Float32Array.from(weights), size };
}
