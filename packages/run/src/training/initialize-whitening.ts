import { describeClassifier, fail, type HostTensor, type ImageSet, type Model, preprocess } from '@dafl/core';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';

/** Images that the statistics are taken of. */
const IMAGES = 5000;
/** Added to each eigenvalue, so that directions without variance are not blown up. */
const EPSILON = 5e-4;

/**
 * Lets the convolution that reads the image whiten its patches: its filters are the eigenvectors of the patches'
 * covariance, each over the root of its eigenvalue, once with either sign, so that nothing is lost behind a ReLU.
 *
 * Source: Page, "How to Train Your ResNet 8: Bag of Tricks", 2019; Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single
 * GPU", 2024, section 3.2.
 *
 * @returns The model, and the name of the convolution, which training must leave as it is.
 * @throws {DaflError} `USAGE` if the network has no such convolution, or not two filters for each value of a patch.
 */
export function initializeWhitening({ graph, weights }: Model, data: ImageSet): { model: Model; node: string } {
  const first = graph.nodes.find((node) => node.kind === 'conv2d' && node.inputs[0] === 'input');
  const reject = (rule: string, value: unknown): never => {
    fail({ cannot: `whiten the patches of '${graph.name}'`, as: rule, value });
  };
  if (first?.kind !== 'conv2d') return reject('a convolution must read the image', first?.kind ?? 'none');
  const classifier = describeClassifier(graph);
  const [height, width, channels] = classifier.inputShape;
  const [kernelHeight, kernelWidth] = first.kernelSize;
  const size = kernelHeight * kernelWidth * channels;
  if (first.filters !== 2 * size) reject(`node '${first.name}' must have ${2 * size} filters`, first.filters);

  const count = Math.min(IMAGES, data.count);
  const inputs = preprocess(
    data,
    Uint32Array.from({ length: count }, (_, index) => index),
    classifier,
  );
  const covariance = Matrix.zeros(size, size);
  const patch = new Float64Array(size);
  let patches = 0;
  for (let image = 0; image < count; image++) {
    for (let top = 0; top + kernelHeight <= height; top++) {
      for (let left = 0; left + kernelWidth <= width; left++) {
        let position = 0;
        for (let row = top; row < top + kernelHeight; row++) {
          const start = ((image * height + row) * width + left) * channels;
          for (let offset = 0; offset < kernelWidth * channels; offset++) patch[position++] = inputs[start + offset];
        }
        for (let i = 0; i < size; i++) {
          for (let j = 0; j <= i; j++) covariance.set(i, j, covariance.get(i, j) + patch[i] * patch[j]);
        }
        patches++;
      }
    }
  }
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      covariance.set(i, j, covariance.get(i, j) / patches);
      covariance.set(j, i, covariance.get(i, j));
    }
  }
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(covariance, { assumeSymmetric: true });
  const kernel = new Float32Array(size * first.filters);
  realEigenvalues.forEach((eigenvalue, index) => {
    const scale = 1 / Math.sqrt(eigenvalue + EPSILON);
    for (let value = 0; value < size; value++) {
      const weight = eigenvectorMatrix.get(value, index) * scale;
      kernel[value * first.filters + index] = weight;
      kernel[value * first.filters + size + index] = -weight;
    }
  });
  const { shape } = weights.get(`${first.name}.kernel`)!;
  const changed = new Map<string, HostTensor>(weights).set(`${first.name}.kernel`, { shape, data: kernel });
  if (first.useBias)
    changed.set(`${first.name}.bias`, { shape: [first.filters], data: new Float32Array(first.filters) });
  return { model: { graph, weights: changed }, node: first.name };
}
