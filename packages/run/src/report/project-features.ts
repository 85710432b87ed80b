import {
  createNetwork,
  describeClassifier,
  type ImageSet,
  inferenceBatchSize,
  type Model,
  preprocess,
  type SamplesEvent,
  type TensorBackend,
} from '@dafl/core';
import { Tape } from '@dafl/core/autodiff';
import { Matrix, SVD } from 'ml-matrix';
import { spreadOrder } from '../data/spread-order.ts';

/** Images as the teacher's features see them, in two dimensions. */
export interface FeatureProjection {
  readonly points: readonly FeaturePoint[];
  /** Share of the real features' variance that the two dimensions show, 0..1. */
  readonly shownVariance: number;
}

/** One image. */
export interface FeaturePoint {
  readonly x: number;
  readonly y: number;
  /** True class of a real image, the teacher's answer for a generated one. */
  readonly label: number;
  readonly isGenerated: boolean;
}

const REAL_IMAGES = 400;
/** Of more features, evenly chosen ones: the picture needs no more. */
const MOST_FEATURES = 256;

/**
 * Projects the teacher's features of real and of generated images on the two principal components of the real ones.
 *
 * @param real Labelled images; 400 of them are shown, spread over all.
 * @param generated A picture of samples; its pixels, brought back to the teacher's input.
 */
export async function projectFeatures(
  backend: TensorBackend,
  teacher: Model,
  real: ImageSet,
  generated: SamplesEvent,
): Promise<FeatureProjection> {
  const classifier = describeClassifier(teacher.graph);
  const { mean, standardDeviation } = classifier.preprocessing;
  const count = Math.min(REAL_IMAGES, real.count);
  const indices = Uint32Array.from(spreadOrder(real.count).slice(0, count));
  const channels = mean.length;
  const inputs = Float32Array.from(
    generated.images,
    (pixel, index) => (pixel - mean[index % channels]) / standardDeviation[index % channels],
  );
  const network = createNetwork(backend, teacher);
  const atOnce = inferenceBatchSize(teacher.graph);
  const featuresOf = async (data: Float32Array, images: number): Promise<number[][]> => {
    const size = data.length / images;
    const rows: number[][] = [];
    for (let begin = 0; begin < images; begin += atOnce) {
      const end = Math.min(images, begin + atOnce);
      rows.push(...(await featuresOfBatch(data.subarray(begin * size, end * size), end - begin)));
    }
    return rows;
  };
  const featuresOfBatch = async (data: Float32Array, images: number): Promise<number[][]> => {
    const tape = new Tape(backend);
    try {
      const input = tape.own(backend.tensor(data, [images, ...classifier.inputShape]));
      const { features } = network.forward(tape, input, { mode: 'inference' });
      const values = await backend.read(features.tensor);
      const size = values.length / images;
      const stride = Math.max(1, Math.ceil(size / MOST_FEATURES));
      return Array.from({ length: images }, (_, image) =>
        Array.from(
          { length: Math.floor((size - 1) / stride) + 1 },
          (__, index) => values[image * size + index * stride],
        ),
      );
    } finally {
      tape.dispose();
    }
  };
  try {
    const ofReal = await featuresOf(preprocess(real, indices, classifier), count);
    const ofGenerated = generated.labels.length === 0 ? [] : await featuresOf(inputs, generated.labels.length);
    const matrix = new Matrix(ofReal);
    const centre = matrix.mean('column');
    const { rightSingularVectors, diagonal } = new SVD(matrix.subRowVector(centre), { autoTranspose: true });
    const place = (features: readonly number[], axis: number): number =>
      features.reduce((sum, value, index) => sum + (value - centre[index]) * rightSingularVectors.get(index, axis), 0);
    const energy = diagonal.map((value) => value * value);
    const points = [...ofReal, ...ofGenerated].map((features, index): FeaturePoint => {
      const isGenerated = index >= count;
      const label = isGenerated ? generated.labels[index - count] : (real.labels?.[indices[index]] ?? 0);
      return { x: place(features, 0), y: place(features, 1), label, isGenerated };
    });
    const total = energy.reduce((sum, value) => sum + value, 0) || 1;
    return { points, shownVariance: (energy[0] + (energy[1] ?? 0)) / total };
  } finally {
    network.dispose();
  }
}
