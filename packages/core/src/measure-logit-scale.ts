import { fail } from './check.ts';
import { describeClassifier } from './model/classifier.ts';
import type { Network } from './model/network.ts';
import { predictLogits } from './predict.ts';
import { drawPicture } from './procedural/draw-picture.ts';
import { type PictureFamilyName, pictureFamilies } from './procedural/picture-families.ts';
import { PictureMixer } from './procedural/picture-mixer.ts';
import { createRandomStream } from './random.ts';

/** Pictures that are shown. */
const PICTURES = 96;
/** Logits of a classifier that was trained with one-hot labels lie about so far from their mean. */
const USUAL_SPREAD = 3.5;

/**
 * How much larger a classifier's logits are than usual, as a power of two. Two classifiers that differ in the scale of
 * their logits decide alike, but temperatures and learning rates that suit one don't suit the other.
 *
 * Measured as the root mean square of the logits around each picture's mean, on procedural pictures that are the same
 * for every classifier.
 *
 * @returns 1 where the scale is usual, within a factor of two.
 * @throws {DaflError} `NON_FINITE` if the classifier overflows.
 */
export async function measureLogitScale(network: Network): Promise<number> {
  const { backend } = network;
  const { inputShape, preprocessing, classes } = describeClassifier(network.graph);
  const [height, width, channels] = inputShape;
  const size = { height, width, channels };
  const families = Object.keys(pictureFamilies) as PictureFamilyName[];
  const mixer = new PictureMixer({ size, ...preprocessing });
  let squares = 0;
  // One at a time takes no memory to speak of, whatever the size of the pictures.
  for (let index = 0; index < PICTURES; index++) {
    const picture = new Uint8Array(height * width * channels);
    const kind = { family: families[index % families.length], isInverted: index % 2 === 1 };
    drawPicture(kind, size, createRandomStream(0, `logit scale ${index}`), picture);
    const inputs = mixer.normalize([picture]);
    const images = backend.tensor(inputs, [1, ...inputShape]);
    const logits = await predictLogits(network, images);
    backend.dispose(images);
    const bad = logits.find((value) => !Number.isFinite(value));
    if (bad !== undefined) {
      fail({
        code: 'NON_FINITE',
        cannot: `use '${network.graph.name}'`,
        as: 'its outputs must be finite numbers',
        value: `${bad} for a picture in 0..255. Its weights are damaged, or its values or its preprocessing too large for float32`,
      });
    }
    let mean = 0;
    for (const value of logits) mean += value / classes;
    for (const value of logits) squares += (value - mean) ** 2;
  }
  const spread = Math.sqrt(squares / (PICTURES * classes));
  const ratio = spread / USUAL_SPREAD;
  if (!(ratio > 0) || (ratio > 0.5 && ratio < 2)) return 1;
  return 2 ** Math.round(Math.log2(ratio));
}
