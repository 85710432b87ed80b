import { type AnswerImages, fail, type Model } from '@dafl/core';
import { isPixelConvention, type PixelConvention, setPixelConvention } from '@dafl/models';

/** A program that answers to images. */
export interface AnsweringProgram {
  /** As the user calls it. */
  readonly name: string;
  /** Of one image as the program takes it, without the batch; channels first or last. */
  readonly imageShape: readonly number[];
  /** What it gives for images in its own layout: logits or probabilities, shape `[batch, classes]`. */
  run(images: Float32Array, shape: readonly number[]): Promise<Float32Array>;
}

/** Images that are shown at first, to see what answers look like. */
const PROBES = 4;
/** Probabilities are taken as if they were no smaller. */
const LEAST_PROBABILITY = 1e-7;

/** A classifier that only answers, and what was found out about it, in sentences. */
export interface OpaqueModel {
  readonly model: Model;
  readonly notes: readonly string[];
}

/**
 * Makes a classifier of a program: finds its layout and its number of classes, and whether it gives logits or
 * probabilities, by showing it a few images.
 *
 * @throws {DaflError} `MODEL` if it takes no images or gives no row for each.
 */
export async function opaqueModel(program: AnsweringProgram, pixels: PixelConvention): Promise<OpaqueModel> {
  const { name, imageShape } = program;
  const reject = (rule: string, value: string): never => {
    fail({ code: 'MODEL', cannot: `use '${name}'`, as: `a teacher as ${rule}`, value });
  };
  if (imageShape.length !== 3 || imageShape.some((size) => !(size >= 1)))
    reject('it must take images of a known shape of three sizes', `[${imageShape.join(', ')}]`);
  const isChannelsFirst = imageShape[0] === 1 || imageShape[0] === 3;
  const [height, width, channels] = isChannelsFirst
    ? [imageShape[1], imageShape[2], imageShape[0]]
    : (imageShape as [number, number, number]);
  if (channels !== 1 && channels !== 3) reject('its images must have 1 or 3 channels', `[${imageShape.join(', ')}]`);
  const ask = async (images: Float32Array, [batch]: readonly number[]): Promise<Float32Array> =>
    isChannelsFirst && channels > 1
      ? await program.run(toChannelsFirst(images, channels, batch), [batch, ...imageShape])
      : await program.run(images, [batch, ...imageShape]);

  const size = height * width * channels;
  const probes = Float32Array.from({ length: PROBES * size }, (_, index) =>
    Math.sin(index * 0.37 + index * index * 1e-4),
  );
  const said = await ask(probes, [PROBES]);
  const classes = said.length / PROBES;
  if (!Number.isInteger(classes) || classes < 2)
    reject('it must give one row of at least 2 values an image', `${classes}`);
  const isProbability = Array.from({ length: PROBES }, (_, row) =>
    said.subarray(row * classes, (row + 1) * classes),
  ).every((row) => row.every((value) => value >= 0) && Math.abs(row.reduce((sum, value) => sum + value, 0) - 1) < 1e-3);
  const answer: AnswerImages = async (images, shape) => {
    const values = await ask(images, shape);
    if (values.length !== shape[0] * classes)
      reject(`it must give ${classes} values for each image`, `${values.length} for ${shape[0]} images`);
    const wrong = values.find((value) => !Number.isFinite(value));
    if (wrong !== undefined) reject('its answers must be finite', String(wrong));
    // What is left of logits behind a softmax: they differ by a constant, which no loss sees.
    return isProbability ? values.map((value) => Math.log(Math.max(value, LEAST_PROBABILITY))) : values;
  };
  const bare: Model = {
    graph: {
      name: name.replace(/^.*\//, ''),
      inputShape: [height, width, channels],
      nodes: [{ kind: 'opaque', name: 'answers', inputs: ['input'], classes }],
      outputs: { logits: 'answers', features: 'answers' },
    },
    weights: new Map(),
    answer,
  };
  const notes = [
    `'${name}' only answers: images of ${height}x${width}x${channels}, channels ${isChannelsFirst ? 'first' : 'last'}, ${classes} classes, ${isProbability ? 'probabilities, whose logarithms are taken' : 'logits'}`,
  ];
  if (isPixelConvention(pixels)) return { model: setPixelConvention(bare, pixels), notes };
  notes.push('Nothing is known of how it takes pixels: 0..1 is assumed. Say it by --mean, --std and --range');
  return { model: setPixelConvention(bare, {}), notes };
}

/** `[batch, height, width, channels]` to `[batch, channels, height, width]`. */
function toChannelsFirst(images: Float32Array, channels: number, batch: number): Float32Array {
  const area = images.length / batch / channels;
  const output = new Float32Array(images.length);
  for (let image = 0; image < batch; image++) {
    const begin = image * area * channels;
    for (let pixel = 0; pixel < area; pixel++) {
      for (let channel = 0; channel < channels; channel++)
        output[begin + channel * area + pixel] = images[begin + pixel * channels + channel];
    }
  }
  return output;
}
