import { inferenceBatchSize } from '../inference-batch-size.ts';
import { describeClassifier } from '../model/classifier.ts';
import type { Network } from '../model/network.ts';
import { argMaxRows, predictLogits } from '../predict.ts';
import { PictureMixer } from './picture-mixer.ts';

/** What a network says of pictures, one of each for every picture. */
export interface PictureAnswers {
  /** The class that it sees. */
  readonly labels: Uint32Array;
  /** By how much that class's logit is above the next, >= 0. */
  readonly margins: Float32Array;
}

/** Asks a network what it sees in pictures, bytes of shape `[count, height, width, channels]`. */
export async function answerPictures(network: Network, pictures: Uint8Array): Promise<PictureAnswers> {
  const { inputShape, preprocessing, classes } = describeClassifier(network.graph);
  const [height, width, channels] = inputShape;
  const size = height * width * channels;
  const count = pictures.length / size;
  const mixer = new PictureMixer({ size: { height, width, channels }, ...preprocessing });
  const list = Array.from({ length: count }, (_, index) => pictures.subarray(index * size, (index + 1) * size));
  const labels = new Uint32Array(count);
  const margins = new Float32Array(count);
  const batch = inferenceBatchSize(network.graph);
  for (let begin = 0; begin < count; begin += batch) {
    const inputs = mixer.normalize(list.slice(begin, begin + batch));
    const images = network.backend.tensor(inputs, [Math.min(batch, count - begin), ...inputShape]);
    try {
      const logits = await predictLogits(network, images);
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
  return { labels, margins };
}
