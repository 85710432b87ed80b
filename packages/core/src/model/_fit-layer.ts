import type { Tensor, TensorBackend } from '../backend.ts';
import type { Value } from '../autodiff/tape.ts';
import type { Turn } from '../turn.ts';
import { dotColumns } from './_dot-columns.ts';
import { type Layer, LayerProducts } from './_layer-products.ts';
import { pickChannels } from './_pick-channels.ts';
import { solveColumns } from './_solve-columns.ts';
import { findBatchNorm } from './find-batch-norm.ts';
import type { Network } from './network.ts';
import type { NodeShapes } from './node-kind.ts';

/** What a layer is fitted by. */
export interface LayerFit {
  readonly teacher: Network;
  readonly student: Network;
  /** Of each node: which of the teacher's channels the student's are. */
  readonly channels: ReadonlyMap<string, readonly number[]>;
  /** What the student's layer reads. */
  readonly input: Value;
  /** The teacher's results for the first images, all of its channels. */
  readonly target: Tensor;
  /** How many images those are. */
  readonly taken: number;
  /** Whether the results are stretched to the teacher's variance. */
  readonly scales: boolean;
  readonly turn: Turn;
  readonly signal?: AbortSignal;
}

/** Updates towards the least squares of a layer: about as many as it takes until more change little. */
const ITERATIONS = 16;
/** What holds a kernel to its inherited values, in relation to the mean square of what it reads. */
const RIDGE = 0.003;
/** Errors of a layer, in relation to its variance, that are rounding. */
const NO_ERROR = 1e-8;
/** By how much a layer's results are stretched at most, where the fit has shrunk them. */
const MOST_STRETCH = 3;

/** Fits one layer of a student to what the teacher computes in the channels that it inherited. @see fitLayers */
export async function fitLayer(layer: Layer, shapes: NodeShapes, fit: LayerFit): Promise<void> {
  const { student, channels, turn, signal, taken } = fit;
  const { backend } = student;
  const chosen = channels.get(layer.name);
  const columns = shapes.weights.kernel.shape.at(-1)!;
  if (chosen?.length !== columns) return;
  const norm = layer.useBias ? undefined : findBatchNorm(student.graph, layer.name);
  // Without either, nothing could take a mean.
  const centres = layer.useBias || norm !== undefined;
  const made: Tensor[] = [];
  const keep = (tensor: Tensor): Tensor => {
    made.push(tensor);
    return tensor;
  };
  try {
    const from = fit.input;
    const input = keep(
      backend.slice(
        from.tensor,
        from.shape.map(() => 0),
        [taken, ...from.shape.slice(1)],
      ),
    );
    const target = keep(pickChannels(backend, fit.target, chosen));
    const products = new LayerProducts(backend, layer, shapes, input, taken);
    const wanted = await measureChannels(backend, target, centres);
    const first = Float64Array.from(await backend.read(student.variables.get(`${layer.name}.kernel`)!.tensor));
    const means = centres ? await products.means(first) : new Float64Array(first.length);
    const squareMeans = await products.squareMeans(first);
    const variances = squareMeans.map((value, index) => Math.max(0, value - means[index] ** 2));
    const ridge = sumColumns(variances, columns).map((sum) => (RIDGE * sum) / (first.length / columns) + 1e-30);
    /** Covariances of what the layer reads, times a kernel. */
    const covariances = async (kernel: Float64Array): Promise<Float64Array> => {
      await turn();
      signal?.throwIfAborted();
      const product = await products.gradient(kernel, null);
      const shares = dotColumns(means, kernel, columns);
      return product.map((value, index) => value - means[index] * shares[index % columns]);
    };

    const gradient = await products.gradient(first, target);
    const offsets = dotColumns(means, first, columns).map((value, column) => value - wanted.means[column]);
    const change = await solveColumns({
      multiply: async (kernel) =>
        (await covariances(kernel)).map((value, index) => value + ridge[index % columns] * kernel[index]),
      diagonal: variances.map((value, index) => value + ridge[index % columns]),
      right: gradient.map((value, index) => means[index] * (centres ? offsets[index % columns] : 0) - value),
      columns,
      iterations: ITERATIONS,
      leastGain: NO_ERROR * wanted.variances.reduce((sum, value) => sum + value, 0),
    });
    if (change === undefined) return;
    const kernel = first.map((value, index) => value + change[index]);
    if (fit.scales) {
      const fittedVariances = dotColumns(kernel, await covariances(kernel), columns);
      const stretches = fittedVariances.map((variance, column) =>
        variance > 0 ? Math.min(MOST_STRETCH, Math.sqrt(Math.max(0, wanted.variances[column]) / variance)) : 1,
      );
      for (let index = 0; index < kernel.length; index++) kernel[index] *= stretches[index % columns];
    }
    if (!kernel.every(Number.isFinite)) return;
    const reached = dotColumns(means, kernel, columns);
    const bias = wanted.means.map((value, column) => value - reached[column]);
    await assign(layer, { kernel, bias, norm, chosen }, shapes, fit);
  } finally {
    for (const tensor of made) backend.dispose(tensor);
  }
}

/** Mean and variance of each channel; in place of the variance the mean square, where nothing `centres` them. */
async function measureChannels(
  backend: TensorBackend,
  tensor: Tensor,
  centres: boolean,
): Promise<{ readonly means: Float64Array; readonly variances: Float64Array }> {
  const axes = tensor.shape.map((_, axis) => axis).slice(0, -1);
  const made = [backend.unary('square', tensor)];
  try {
    made.push(backend.reduce('mean', tensor, axes, false));
    made.push(backend.reduce('mean', made[0], axes, false));
    const means = Float64Array.from(await backend.read(made[1]));
    const variances = Float64Array.from(await backend.read(made[2]));
    if (centres) variances.forEach((value, column) => (variances[column] = value - means[column] ** 2));
    return { means, variances };
  } finally {
    for (const other of made) backend.dispose(other);
  }
}

/** Gives a layer its new weights. Where it has no bias, the batch norm behind it takes the mean. */
async function assign(
  layer: Layer,
  fitted: {
    readonly kernel: Float64Array;
    readonly bias: Float64Array;
    readonly norm: string | undefined;
    readonly chosen: readonly number[];
  },
  shapes: NodeShapes,
  { teacher, student }: LayerFit,
): Promise<void> {
  const { backend, variables } = student;
  const { kernel, bias, norm, chosen } = fitted;
  const { shape } = shapes.weights.kernel;
  variables.get(`${layer.name}.kernel`)!.assign(backend.tensor(Float32Array.from(kernel), shape));
  if (layer.useBias) {
    variables.get(`${layer.name}.bias`)!.assign(backend.tensor(Float32Array.from(bias), [bias.length]));
  } else if (norm !== undefined) {
    const name = `${norm}.runningMean`;
    const known = await backend.read(teacher.variables.get(name)!.tensor);
    const moved = Float32Array.from(chosen, (channel, column) => known[channel] - bias[column]);
    variables.get(name)!.assign(backend.tensor(moved, [bias.length]));
  }
}

function sumColumns(values: Float64Array, columns: number): Float64Array {
  return dotColumns(values, new Float64Array(values.length).fill(1), columns);
}
