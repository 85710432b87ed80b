import { inferenceBatchSize } from '../inference-batch-size.ts';
import { describeClassifier } from '../model/classifier.ts';
import type { Network } from '../model/network.ts';
import { argMaxRows, predictLogits } from '../predict.ts';
import type { Turn } from '../turn.ts';
import { type Look, lookAtImages } from './look-at-images.ts';
import { PictureMixer } from './picture-mixer.ts';

/** What a network says of pictures, one of each for every picture. */
export interface PictureAnswers {
  /** The class that it sees. */
  readonly labels: Uint32Array;
  /** By how much that class's logit is above the next, >= 0. */
  readonly margins: Float32Array;
  /** Null where it was not asked for, or the network does not tell. @see lookAtImages */
  readonly strangeness: Float32Array | null;
}

/** How a network is asked. */
export interface AnswerOptions {
  /** Taken before each batch: hundreds of pictures take a large network minutes. */
  readonly turn: Turn;
  readonly signal?: AbortSignal;
  /** Pictures of a batch at most; no more than memory allows in any case. */
  readonly batchSize?: number;
  readonly measuresStrangeness?: boolean;
}

/**
 * Asks a network what it sees in pictures.
 *
 * @param pictures Bytes of shape `[count, height, width, channels]`.
 */
export async function answerPictures(
  network: Network,
  pictures: Uint8Array,
  { turn, signal, batchSize = Infinity, measuresStrangeness = false }: AnswerOptions,
): Promise<PictureAnswers> {
  const { inputShape, preprocessing, classes } = describeClassifier(network.graph);
  const [height, width, channels] = inputShape;
  const size = height * width * channels;
  const count = pictures.length / size;
  const mixer = new PictureMixer({ size: { height, width, channels }, ...preprocessing });
  const list = Array.from({ length: count }, (_, index) => pictures.subarray(index * size, (index + 1) * size));
  const labels = new Uint32Array(count);
  const margins = new Float32Array(count);
  let strangeness: Float32Array | null = null;
  const atOnce = Math.min(batchSize, inferenceBatchSize(network.graph));
  for (let begin = 0; begin < count; begin += atOnce) {
    await turn();
    signal?.throwIfAborted();
    const inputs = mixer.normalize(list.slice(begin, begin + atOnce));
    const images = network.backend.tensor(inputs, [Math.min(atOnce, count - begin), ...inputShape]);
    try {
      const { logits, strangeness: ofBatch }: Look = measuresStrangeness
        ? await lookAtImages(network, images)
        : { logits: await predictLogits(network, images), strangeness: null };
      if (ofBatch !== null) (strangeness ??= new Float32Array(count)).set(ofBatch, begin);
      argMaxRows(logits, classes).forEach((label, row) => {
        labels[begin + row] = label;
        let next = -Infinity;
        for (let other = 0; other < classes; other++)
          if (other !== label) next = Math.max(next, logits[row * classes + other]);
        margins[begin + row] = logits[row * classes + label] - next;
      });
    } finally {
      network.backend.dispose(images);
    }
  }
  return { labels, margins, strangeness };
}
