import { withTape } from '../autodiff/with-tape.ts';
import type { Tensor, TensorData } from '../backend.ts';
import type { Network } from '../model/network.ts';
import { predictLogits } from '../predict.ts';

/** What a teacher makes of images. */
export interface Look {
  /** Shape `[batch, classes]`. */
  readonly logits: TensorData;
  /**
   * How far each image is, inside the teacher, from its training images: a logarithm, the smaller the more alike; shape
   * `[batch]`. Null where the teacher has no batch norms over positions, or only answers.
   */
  readonly strangeness: Float32Array | null;
}

/** Relative to what a batch norm expects: below it, differences are rounding. */
const LEAST_SHARE = 1e-3;
const LEAST_DISTANCE = 1e-6;

/**
 * Shows a teacher images.
 *
 * Batch norms keep the mean and the variance that each channel had over the training images. Of an image, those over its
 * positions are compared with them: s = mean over layers of log mean_c (μ_c - μ̂_c)² / σ̂²_c + log mean_c log² (σ²_c / σ̂²_c).
 * Source: batch norms as a measure of natural images: Yin et al., "Dreaming to Distill", CVPR 2020, eq. 4, which has it of
 * batches, as a loss.
 *
 * @param images Shape `[batch, ...inputShape]`, preprocessed. The caller keeps it.
 */
export async function lookAtImages(teacher: Network, images: Tensor): Promise<Look> {
  const { backend, variables } = teacher;
  const [batch] = images.shape;
  if (teacher.answer !== undefined || !teacher.graph.nodes.some(({ kind }) => kind === 'batchNorm'))
    return { logits: await predictLogits(teacher, images), strangeness: null };
  const names: string[] = [];
  /** Of each layer two, shape `[batch, channels]`: means, and means of squares. */
  const moments: Tensor[] = [];
  let logits: Tensor | undefined;
  try {
    logits = withTape(backend, (tape) => {
      const said = teacher.forward(tape, tape.constant(images), {
        mode: 'inference',
        observe: ({ kind, name }, [input]) => {
          if (kind !== 'batchNorm' || input.shape.length !== 4) return;
          const squares = backend.unary('square', input.tensor);
          names.push(name);
          moments.push(
            backend.reduce('mean', input.tensor, [1, 2], false),
            backend.reduce('mean', squares, [1, 2], false),
          );
          backend.dispose(squares);
        },
      });
      return backend.reshape(said.logits.tensor, said.logits.shape);
    });
    const strangeness = new Float32Array(batch);
    for (const [index, name] of names.entries()) {
      const [expectedMean, expectedVariance] = await Promise.all(
        ['runningMean', 'runningVariance'].map((part) => backend.read(variables.get(`${name}.${part}`)!.tensor)),
      );
      const means = await backend.read(moments[2 * index]);
      const squares = await backend.read(moments[2 * index + 1]);
      const channels = expectedMean.length;
      for (let image = 0; image < batch; image++) {
        let ofMeans = 0;
        let ofVariances = 0;
        for (let channel = 0; channel < channels; channel++) {
          const mean = means[image * channels + channel];
          const expected = expectedVariance[channel] + 1e-5;
          const variance = Math.max(0, squares[image * channels + channel] - mean * mean);
          ofMeans += (mean - expectedMean[channel]) ** 2 / expected;
          ofVariances += Math.log(variance / expected + LEAST_SHARE) ** 2;
        }
        strangeness[image] +=
          (Math.log(Math.max(LEAST_DISTANCE, ofMeans / channels)) +
            Math.log(Math.max(LEAST_DISTANCE, ofVariances / channels))) /
          names.length;
      }
    }
    return { logits: await backend.read(logits), strangeness: names.length === 0 ? null : strangeness };
  } finally {
    for (const tensor of [...(logits === undefined ? [] : [logits]), ...moments]) backend.dispose(tensor);
  }
}
