import {
  createNetwork,
  createTurn,
  DaflError,
  describeClassifier,
  fail,
  type ImageSet,
  inferenceBatchSize,
  inferShapes,
  type Model,
  preprocess,
  type Tensor,
  type TensorBackend,
  type Turn,
} from '@dafl/core';
import { Tape } from '@dafl/core/autodiff';
import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import { decomposeSymmetric, type SymmetricDecomposition } from './decompose-symmetric.ts';
import type { Metadata, MetadataVariant, RecordedLayer, RecordedView } from './metadata.ts';
import { isRecorded, readUnits } from './_read-units.ts';

/** What is recorded of what. */
export interface RecordMetadataOptions {
  readonly backend: TensorBackend;
  readonly teacher: Model;
  /** Labelled: classes are told apart by the labels. */
  readonly images: ImageSet;
  /** Images that are read at most, the first ones; default 20,000. */
  readonly mostImages?: number;
  readonly signal?: AbortSignal;
  /** Called between batches and matrices, so that signals and timers are heard; default: a macrotask. */
  readonly turn?: Turn;
  /** Decomposes the graphs of the spectral views; default: `decomposeSymmetric`, which lets nothing be heard meanwhile. */
  readonly decompose?: (matrix: Float64Array, size: number) => Promise<SymmetricDecomposition>;
}

const BATCH = 250;
/** Maps are averaged to about this many positions each way. */
const GRID = 4;
/** Units of a layer that are recorded at most: those of the largest variance. */
const MOST_UNITS = 400;
/** Coefficients up to which a whole covariance is recorded, beyond it deviations. */
const MOST_COVARIANCE = 128;
/** Basis vectors of a spectral view: the smoothest ones. */
const MOST_VECTORS = 100;
/** Added to the diagonal of covariances (in standardised units), which may have directions without variance. */
const RIDGE = 1e-4;

interface Recording {
  readonly layer: RecordedLayer;
  /** Standardised, shape `[images, units]`. */
  readonly rows: Float32Array;
}

/**
 * Records how a teacher's activations are distributed on its training data, class by class: all that the method
 * `metadata` needs, and no image.
 *
 * Source: Lopes, Fenu and Starner, "Data-Free Knowledge Distillation for Deep Neural Networks", 2017. The spectral views
 * follow the paper's description, as its public code has them as copies of `all-layers`. Our reading: units are the
 * nodes of a graph whose edges are their correlations; its signed Laplacian D - C (D: sums of absolute correlations) has
 * as eigenvectors the basis of a graph Fourier transform, of which the smoothest vectors are kept; recorded is the
 * distribution of the coefficients. `spectral-all-layers` has one graph over all layers, `spectral-layer-pairs` one for
 * each two layers that follow each other. Deviations: maps are averaged over windows, and layers of more than 400 units
 * are recorded by those of largest variance, which bounds the file and the eigenvalue problem.
 *
 * @throws {DaflError} `DATA` if images have no labels, a label is no class of the teacher, or a class has fewer than two.
 */
export async function recordMetadata(options: RecordMetadataOptions): Promise<Metadata> {
  const { backend, teacher, images, mostImages = 20_000, signal, turn = createTurn() } = options;
  const { decompose = async (matrix, size) => decomposeSymmetric(matrix, size) } = options;
  const breathe = async (): Promise<void> => {
    await turn();
    signal?.throwIfAborted();
  };
  const { classes } = describeClassifier(teacher.graph);
  const count = Math.min(images.count, mostImages);
  const members = groupByClass(images, count, classes);
  const recordings = await recordLayers(backend, teacher, images, count, breathe);
  const layers = recordings.map(({ layer }) => layer);
  const all = layers.map((_, index) => index);
  const views: RecordedView[] = [await recordView('top-layer', [layers.length - 1], false)];
  for (const index of all) views.push(await recordView('all-layers', [index], false));
  views.push(await recordView('spectral-all-layers', all, true));
  for (const index of all.slice(1)) views.push(await recordView('spectral-layer-pairs', [index - 1, index], true));
  return { classes, images: count, layers, views };

  async function recordView(
    variant: MetadataVariant,
    chosen: readonly number[],
    isSpectral: boolean,
  ): Promise<RecordedView> {
    const joined = join(
      chosen.map((index) => recordings[index].rows),
      count,
    );
    const size = joined.length / count;
    await breathe();
    const basis = isSpectral ? await fourierBasis(await gram(backend, joined, count, size), size, decompose) : null;
    const coefficients = basis === null ? size : basis.length / size;
    const rows = basis === null ? joined : await project(backend, joined, basis, count, size, coefficients);
    const mean = new Float32Array(classes * coefficients);
    const kind = coefficients <= MOST_COVARIANCE ? 'factor' : 'deviation';
    const spread = new Float32Array(classes * coefficients * (kind === 'factor' ? coefficients : 1));
    for (const [label, indices] of members.entries()) {
      await breathe();
      const own = new Float32Array(indices.length * coefficients);
      const centre = mean.subarray(label * coefficients, (label + 1) * coefficients);
      indices.forEach((index, position) => {
        for (let unit = 0; unit < coefficients; unit++) {
          const value = rows[index * coefficients + unit];
          own[position * coefficients + unit] = value;
          centre[unit] += value / indices.length;
        }
      });
      for (let position = 0; position < own.length; position++) own[position] -= centre[position % coefficients];
      const covariance = await gram(backend, own, indices.length, coefficients);
      if (kind === 'factor') {
        spread.set(factorOf(covariance, coefficients), label * coefficients * coefficients);
      } else {
        for (let unit = 0; unit < coefficients; unit++)
          spread[label * coefficients + unit] = Math.sqrt(covariance[unit * coefficients + unit] + RIDGE);
      }
    }
    return { variant, layers: chosen, basis, coefficients, mean, spread: { kind, data: spread } };
  }
}

/** Places of the images of each class. */
function groupByClass(images: ImageSet, count: number, classes: number): number[][] {
  const { labels } = images;
  if (labels === undefined)
    throw new DaflError('DATA', 'Cannot record metadata as the images must have labels: current value is none');
  const members = Array.from({ length: classes }, (): number[] => []);
  for (let index = 0; index < count; index++) {
    if (labels[index] >= classes) {
      fail({
        code: 'DATA',
        cannot: 'record metadata',
        as: `labels must be in 0..${classes - 1}`,
        value: labels[index],
      });
    }
    members[labels[index]].push(index);
  }
  members.forEach(({ length }, label) => {
    if (length < 2)
      fail({
        code: 'DATA',
        cannot: 'record metadata',
        as: `class ${label} must have at least 2 images`,
        value: length,
      });
  });
  return members;
}

async function recordLayers(
  backend: TensorBackend,
  teacher: Model,
  images: ImageSet,
  count: number,
  breathe: () => Promise<void>,
): Promise<Recording[]> {
  const classifier = describeClassifier(teacher.graph);
  const shapes = inferShapes(teacher.graph);
  const nodes = teacher.graph.nodes.filter(isRecorded);
  const poolSizes = nodes.map(({ name }): readonly [number, number] | null => {
    const { output } = shapes.get(name)!;
    return output.length === 3
      ? [Math.max(1, Math.floor(output[0] / GRID)), Math.max(1, Math.floor(output[1] / GRID))]
      : null;
  });
  const values: Float32Array[] = [];
  const network = createNetwork(backend, teacher);
  try {
    const batch = Math.min(BATCH, inferenceBatchSize(teacher.graph));
    for (let begin = 0; begin < count; begin += batch) {
      await breathe();
      const indices = Uint32Array.from({ length: Math.min(batch, count - begin) }, (_, offset) => begin + offset);
      const tape = new Tape(backend);
      try {
        const input = tape.own(
          backend.tensor(preprocess(images, indices, classifier), [indices.length, ...classifier.inputShape]),
        );
        const read: Tensor[] = [];
        network.forward(tape, input, {
          mode: 'inference',
          observe: (node, _, output) => {
            if (!isRecorded(node)) return;
            const units = readUnits(tape, output, poolSizes[read.length]);
            read.push(backend.reshape(units.tensor, units.shape));
          },
        });
        for (const [layer, tensor] of read.entries()) {
          const data = await backend.read(tensor);
          const size = tensor.shape[1];
          values[layer] ??= new Float32Array(count * size);
          values[layer].set(data, begin * size);
          backend.dispose(tensor);
        }
      } finally {
        tape.dispose();
      }
    }
  } finally {
    network.dispose();
  }
  return nodes.map(({ name }, index) => standardise(name, poolSizes[index], values[index], count));
}

function standardise(
  node: string,
  poolSize: readonly [number, number] | null,
  values: Float32Array,
  count: number,
): Recording {
  const size = values.length / count;
  const sums = new Float64Array(size);
  const squares = new Float64Array(size);
  for (let position = 0; position < values.length; position++) sums[position % size] += values[position] / count;
  for (let position = 0; position < values.length; position++)
    squares[position % size] += (values[position] - sums[position % size]) ** 2 / count;
  const order = Array.from(squares.keys()).sort((a, b) => squares[b] - squares[a] || a - b);
  const units = Uint32Array.from(order.slice(0, MOST_UNITS)).sort();
  const mean = Float32Array.from(units, (unit) => sums[unit]);
  // A unit that never moves says nothing; a deviation of 1 leaves it at 0.
  const deviation = Float32Array.from(units, (unit) => (squares[unit] > 1e-12 ? Math.sqrt(squares[unit]) : 1));
  const rows = new Float32Array(count * units.length);
  for (let image = 0; image < count; image++) {
    units.forEach((unit, position) => {
      rows[image * units.length + position] = (values[image * size + unit] - mean[position]) / deviation[position];
    });
  }
  return { layer: { node, poolSize, units, mean, deviation }, rows };
}

function join(parts: readonly Float32Array[], count: number): Float32Array {
  const sizes = parts.map(({ length }) => length / count);
  const size = sizes.reduce((total, length) => total + length, 0);
  const joined = new Float32Array(count * size);
  for (let image = 0; image < count; image++) {
    let position = image * size;
    parts.forEach((rows, part) => {
      joined.set(rows.subarray(image * sizes[part], (image + 1) * sizes[part]), position);
      position += sizes[part];
    });
  }
  return joined;
}

/** rowsᵀ × rows / count, shape `[size, size]`. */
async function gram(
  backend: TensorBackend,
  rows: Float32Array,
  count: number,
  size: number,
): Promise<ArrayLike<number>> {
  const matrix = backend.tensor(rows, [count, size]);
  const product = backend.matMul(matrix, matrix, true, false);
  const mean = backend.affine(product, 1 / count, 0);
  const data = await backend.read(mean);
  for (const tensor of [matrix, product, mean]) backend.dispose(tensor);
  return data;
}

async function project(
  backend: TensorBackend,
  rows: Float32Array,
  basis: Float32Array,
  count: number,
  size: number,
  coefficients: number,
): Promise<ArrayLike<number>> {
  const left = backend.tensor(rows, [count, size]);
  const right = backend.tensor(basis, [size, coefficients]);
  const product = backend.matMul(left, right, false, false);
  const data = await backend.read(product);
  for (const tensor of [left, right, product]) backend.dispose(tensor);
  return data;
}

/** The smoothest eigenvectors of the signed Laplacian of a correlation graph, as columns. */
async function fourierBasis(
  correlations: ArrayLike<number>,
  size: number,
  decompose: NonNullable<RecordMetadataOptions['decompose']>,
): Promise<Float32Array> {
  const laplacian = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    let degree = 0;
    for (let column = 0; column < size; column++) {
      if (row === column) continue;
      const correlation = (correlations[row * size + column] + correlations[column * size + row]) / 2;
      laplacian[row * size + column] = -correlation;
      degree += Math.abs(correlation);
    }
    laplacian[row * size + row] = degree;
  }
  const { values, vectors } = await decompose(laplacian, size);
  const order = Array.from(values.keys()).sort((a, b) => values[a] - values[b]);
  const kept = order.slice(0, Math.min(MOST_VECTORS, size));
  const basis = new Float32Array(size * kept.length);
  for (let row = 0; row < size; row++)
    kept.forEach((column, position) => (basis[row * kept.length + position] = vectors[row * size + column]));
  return basis;
}

/** The lower triangle L with L Lᵀ = covariance + ridge. */
function factorOf(covariance: ArrayLike<number>, size: number): Float64Array {
  const matrix = Matrix.zeros(size, size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      const value = (covariance[row * size + column] + covariance[column * size + row]) / 2;
      matrix.set(row, column, value);
      matrix.set(column, row, value);
    }
    matrix.set(row, row, matrix.get(row, row) + RIDGE);
  }
  return Float64Array.from(new CholeskyDecomposition(matrix).lowerTriangularMatrix.to1DArray());
}
