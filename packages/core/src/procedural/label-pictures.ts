import { inferenceBatchSize } from '../inference-batch-size.ts';
import { describeClassifier } from '../model/classifier.ts';
import type { Network } from '../model/network.ts';
import { argMaxRows, predictLogits } from '../predict.ts';
import { PictureMixer } from './picture-mixer.ts';

/** The classes that a network sees in pictures, bytes of shape `[count, height, width, channels]`. */
export async function labelPictures(network: Network, pictures: Uint8Array): Promise<Uint32Array> {
  const { inputShape, preprocessing, classes } = describeClassifier(network.graph);
  const [height, width, channels] = inputShape;
  const size = height * width * channels;
  const count = pictures.length / size;
  const mixer = new PictureMixer({ size: { height, width, channels }, ...preprocessing });
  const list = Array.from({ length: count }, (_, index) => pictures.subarray(index * size, (index + 1) * size));
  const labels = new Uint32Array(count);
  const batch = inferenceBatchSize(network.graph);
  for (let begin = 0; begin < count; begin += batch) {
    const inputs = mixer.normalize(list.slice(begin, begin + batch));
    const images = network.backend.tensor(inputs, [Math.min(batch, count - begin), ...inputShape]);
    try {
      labels.set(argMaxRows(await predictLogits(network, images), classes), begin);
    } finally {
      network.backend.dispose(images);
    }
  }
  return labels;
}
