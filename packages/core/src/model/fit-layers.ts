import type { Tensor, TensorBackend } from '../backend.ts';
import { affine, square, subtract } from '../autodiff/operations/element-wise.ts';
import { mean } from '../autodiff/operations/reduction.ts';
import { Tape, type Value } from '../autodiff/tape.ts';
import { withTape } from '../autodiff/with-tape.ts';
import type { Turn } from '../turn.ts';
import { sizeOf } from '../shape.ts';
import { findBatchNorm } from './find-batch-norm.ts';
import { findLogitNodes } from './find-logit-nodes.ts';
import { inferShapes } from './infer-shapes.ts';
import { readsWholeInput } from './reads-whole-input.ts';
import type { ModelNode } from './model.ts';
import type { Network, NodeVisit } from './network.ts';
import type { NodeShapes } from './node-kind.ts';
import { kindOf } from './node-kinds.ts';

/** What layers are fitted by. */
export interface FitLayersOptions {
  readonly teacher: Network;
  /** A narrower form of the teacher that inherited some of its channels; its weights are changed. */
  readonly student: Network;
  /** Of each node: which of the teacher's channels (the last axis) the student's are. @see inheritChannels */
  readonly channels: ReadonlyMap<string, readonly number[]>;
  /** Preprocessed, `[count, height, width, channels]`; all go through both networks at once. */
  readonly images: Tensor;
  readonly turn: Turn;
  readonly signal?: AbortSignal;
}

/** Updates towards the least squares of a layer: about as many as it takes until more change little. */
const ITERATIONS = 16;
/** What holds a kernel to its inherited values, in relation to the mean square of what it reads. */
const RIDGE = 0.003;
/** Values of a map that a layer is fitted by, for each value that it sums up: where a few images give enough, no more are taken. */
const ROWS_FOR_EACH = 32;
/** Fewer tell nothing about images. */
const LEAST_IMAGES = 256;
/** A layer that sums up more values than this share of what is known of its results keeps its weights. */
const MOST_VALUES = 0.5;
/** Errors of a layer, in relation to its variance, that are rounding. */
const NO_ERROR = 1e-8;
/** By how much a layer's results are stretched at most, where the fit has shrunk them. */
const MOST_STRETCH = 3;

type Layer = Extract<ModelNode, { kind: 'conv2d' | 'dense' }>;

/**
 * Fits the layers of a student, from the first to the last, to what the teacher computes in the channels that the student
 * inherited: by least squares on what the student's own earlier layers, fitted by then, make of the images. The results
 * keep the teacher's mean and variance in each channel, as a fit by itself shrinks them and nonlinearities behind it would go quiet.
 *
 * Source: the reconstruction of layers in He et al., "Channel Pruning for Accelerating Very Deep Neural Networks", ICCV
 * 2017, section 3.1. Deviations: it is the layer before the nonlinearity that is fitted, by a few conjugate gradients from the
 * inherited weights on, so that layers of any width fit into memory; and the variance is kept.
 *
 * @throws What `signal` was aborted with, or what a kernel threw; the student is then as it was before.
 */
export async function fitLayers(options: FitLayersOptions): Promise<void> {
  const { teacher, student, images, turn, signal } = options;
  const before = (await student.toModel()).weights;
  const tape = new Tape(student.backend);
  try {
    const count = images.shape[0];
    const logits = findLogitNodes(student.graph);
    const shapes = inferShapes(student.graph);
    const teaching = follow(teacher, tape, images);
    const learning = student.walk(tape, tape.constant(images), { mode: 'inference', trainable: false });
    for (let visit = learning.next(); visit.done !== true; visit = learning.next()) {
      await turn();
      signal?.throwIfAborted();
      const { node, inputs } = visit.value;
      if (node.kind !== 'conv2d' && node.kind !== 'dense') continue;
      const layerShapes = shapes.get(node.name)!;
      const rows = sizeOf(layerShapes.output.slice(0, -1));
      const values = sizeOf(layerShapes.weights.kernel.shape.slice(0, -1));
      const taken = Math.min(count, Math.max(LEAST_IMAGES, Math.ceil((ROWS_FOR_EACH * values) / rows)));
      const target = await teaching(node.name, taken, turn);
      if (target === undefined) continue;
      try {
        if (!readsWholeInput(student.graph, shapes, node, inputs[0].shape) || values > MOST_VALUES * taken * rows)
          continue;
        await fitLayer(node, layerShapes, {
          ...options,
          input: inputs[0],
          target,
          taken,
          scales: !logits.has(node.name),
        });
      } finally {
        student.backend.dispose(target);
      }
    }
  } catch (error) {
    student.load(before);
    throw error;
  } finally {
    tape.dispose();
  }
}

/** Walks through the teacher as far as it is asked for. */
function follow(
  teacher: Network,
  tape: Tape,
  images: Tensor,
): (name: string, count: number, turn: Turn) => Promise<Tensor | undefined> {
  let last: { readonly name: string; readonly output: Value } | undefined;
  const walked = teacher.walk(tape, tape.constant(images), {
    mode: 'inference',
    trainable: false,
    observe: ({ name }, _inputs, output) => (last = { name, output }),
  });
  let visit: IteratorResult<NodeVisit, unknown> = walked.next();
  return async (name, count, turn) => {
    while (visit.done !== true && visit.value.node.name !== name) {
      await turn();
      visit = walked.next();
    }
    if (visit.done === true) return undefined;
    // The node itself, whose result lives until the next.
    visit = walked.next();
    if (last?.name !== name) return undefined;
    const { tensor, shape } = last.output;
    return tape.backend.slice(
      tensor,
      shape.map(() => 0),
      [count, ...shape.slice(1)],
    );
  };
}

interface LayerFit extends FitLayersOptions {
  readonly input: Value;
  /** The teacher's results for the first images, all of its channels. */
  readonly target: Tensor;
  readonly taken: number;
  readonly scales: boolean;
}

async function fitLayer(layer: Layer, shapes: NodeShapes, fit: LayerFit): Promise<void> {
  const { teacher, student, channels, turn, signal, taken } = fit;
  const { backend } = student;
  const chosen = channels.get(layer.name);
  const { shape } = shapes.weights.kernel;
  const columns = shape.at(-1)!;
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
    const axes = target.shape.map((_, axis) => axis).slice(0, -1);
    const squares = keep(backend.unary('square', target));
    const targetMean = Float64Array.from(await backend.read(keep(backend.reduce('mean', target, axes, false))));
    const targetVariance = Float64Array.from(await backend.read(keep(backend.reduce('mean', squares, axes, false))));
    if (centres) targetVariance.forEach((value, column) => (targetVariance[column] = value - targetMean[column] ** 2));

    const first = Float64Array.from(await backend.read(student.variables.get(`${layer.name}.kernel`)!.tensor));
    const means = centres ? await products.means(first) : new Float64Array(first.length);
    const squareMeans = await products.squareMeans(first);
    const diagonal = squareMeans.map((value, index) => Math.max(0, value - means[index] ** 2));
    const ridge = sumColumns(diagonal, columns).map((sum) => (RIDGE * sum) / (first.length / columns) + 1e-30);
    /** Covariances of what the layer reads, times a kernel. */
    const covariances = async (kernel: Float64Array): Promise<Float64Array> => {
      await turn();
      signal?.throwIfAborted();
      const product = await products.gradient(kernel, null);
      const shares = dotColumns(means, kernel, columns);
      return product.map((value, index) => value - means[index] * shares[index % columns]);
    };

    // Conjugate gradients for each column by itself, preconditioned by the diagonal.
    const gradient = await products.gradient(first, target);
    const offsets = dotColumns(means, first, columns).map((value, column) => value - targetMean[column]);
    const rest = gradient.map((value, index) => means[index] * (centres ? offsets[index % columns] : 0) - value);
    const precondition = (values: Float64Array): Float64Array =>
      values.map((value, index) => value / (diagonal[index] + ridge[index % columns]));
    const change = new Float64Array(first.length);
    let direction = precondition(rest);
    let sizes = dotColumns(rest, direction, columns);
    const total = targetVariance.reduce((sum, value) => sum + value, 0);
    if (!(sizes.reduce((sum, value) => sum + value, 0) > NO_ERROR * total)) return;
    for (let iteration = 0; iteration < ITERATIONS; iteration++) {
      const product = (await covariances(direction)).map(
        (value, index) => value + ridge[index % columns] * direction[index],
      );
      const curvatures = dotColumns(direction, product, columns);
      const steps = sizes.map((size, column) => (curvatures[column] > 0 ? size / curvatures[column] : 0));
      for (let index = 0; index < change.length; index++) {
        change[index] += steps[index % columns] * direction[index];
        rest[index] -= steps[index % columns] * product[index];
      }
      const next = precondition(rest);
      const nextSizes = dotColumns(rest, next, columns);
      const shares = nextSizes.map((size, column) => (sizes[column] > 0 ? size / sizes[column] : 0));
      direction = next.map((value, index) => value + shares[index % columns] * direction[index]);
      sizes = nextSizes;
    }
    const kernel = first.map((value, index) => value + change[index]);
    if (fit.scales) {
      const variances = dotColumns(kernel, await covariances(kernel), columns);
      const stretches = variances.map((variance, column) =>
        variance > 0 ? Math.min(MOST_STRETCH, Math.sqrt(Math.max(0, targetVariance[column]) / variance)) : 1,
      );
      for (let index = 0; index < kernel.length; index++) kernel[index] *= stretches[index % columns];
    }
    if (!kernel.every(Number.isFinite)) return;
    const reached = dotColumns(means, kernel, columns);
    const bias = targetMean.map((value, column) => value - reached[column]);
    student.variables.get(`${layer.name}.kernel`)!.assign(backend.tensor(Float32Array.from(kernel), shape));
    if (layer.useBias) {
      student.variables.get(`${layer.name}.bias`)!.assign(backend.tensor(Float32Array.from(bias), [columns]));
    } else if (norm !== undefined) {
      const name = `${norm}.runningMean`;
      const known = await backend.read(teacher.variables.get(name)!.tensor);
      const moved = Float32Array.from(chosen, (channel, column) => known[channel] - bias[column]);
      student.variables.get(name)!.assign(backend.tensor(moved, [columns]));
    }
  } finally {
    for (const tensor of made) backend.dispose(tensor);
  }
}

/** Products with what a layer reads, as gradients: so that they are the same for each kind of layer, and no matrix of patches is made. */
class LayerProducts {
  readonly #backend: TensorBackend;
  readonly #layer: Layer;
  readonly #shapes: NodeShapes;
  readonly #input: Tensor;
  readonly #batch: number;

  constructor(backend: TensorBackend, layer: Layer, shapes: NodeShapes, input: Tensor, batch: number) {
    this.#backend = backend;
    this.#layer = { ...layer, useBias: false };
    this.#shapes = shapes;
    this.#input = input;
    this.#batch = batch;
  }

  /** For each value of the kernel: the mean over all positions of what it is multiplied with, times the result less `target`. */
  gradient(kernel: Float64Array, target: Tensor | null): Promise<Float64Array> {
    return this.#derive(kernel, false, (tape, output) =>
      affine(
        tape,
        mean(tape, square(tape, target === null ? output : subtract(tape, output, tape.constant(target)))),
        0.5,
        0,
      ),
    );
  }

  /** For each value of the kernel: the mean of what it is multiplied with. */
  means(kernel: Float64Array): Promise<Float64Array> {
    return this.#derive(kernel, false, (tape, output) => mean(tape, output));
  }

  /** For each value of the kernel: the mean square of what it is multiplied with. */
  squareMeans(kernel: Float64Array): Promise<Float64Array> {
    return this.#derive(kernel, true, (tape, output) => mean(tape, output));
  }

  async #derive(
    values: Float64Array,
    isSquared: boolean,
    measure: (tape: Tape, output: Value) => Value,
  ): Promise<Float64Array> {
    const { shape } = this.#shapes.weights.kernel;
    const columns = shape.at(-1)!;
    const kernel = this.#backend.tensor(Float32Array.from(values), shape);
    try {
      const gradient = withTape(this.#backend, (tape) => {
        const leaf = tape.leaf(kernel);
        const read = tape.constant(this.#input);
        const output = kindOf(this.#layer).forward(this.#layer, [isSquared ? square(tape, read) : read], {
          tape,
          mode: 'inference',
          batch: this.#batch,
          shapes: this.#shapes,
          weight: () => leaf,
          variable: () => undefined as never,
        });
        // A mean over the columns, each of which is by itself.
        return tape.gradients(affine(tape, measure(tape, output), columns, 0), [leaf])[0];
      });
      try {
        return Float64Array.from(await this.#backend.read(gradient));
      } finally {
        this.#backend.dispose(gradient);
      }
    } finally {
      this.#backend.dispose(kernel);
    }
  }
}

/** Some channels of a tensor, in order. */
function pickChannels(backend: TensorBackend, tensor: Tensor, channels: readonly number[]): Tensor {
  const width = tensor.shape.at(-1)!;
  const selection = new Float32Array(width * channels.length);
  channels.forEach((channel, position) => (selection[channel * channels.length + position] = 1));
  const rows = backend.reshape(tensor, [sizeOf(tensor.shape) / width, width]);
  const picks = backend.tensor(selection, [width, channels.length]);
  const picked = backend.matMul(rows, picks, false, false);
  const result = backend.reshape(picked, [...tensor.shape.slice(0, -1), channels.length]);
  for (const other of [rows, picks, picked]) backend.dispose(other);
  return result;
}

/** Sums of the products of two kernels, for each filter. */
function dotColumns(one: Float64Array, other: Float64Array, columns: number): Float64Array {
  const sums = new Float64Array(columns);
  for (let index = 0; index < one.length; index++) sums[index % columns] += one[index] * other[index];
  return sums;
}

function sumColumns(values: Float64Array, columns: number): Float64Array {
  return dotColumns(values, new Float64Array(values.length).fill(1), columns);
}
