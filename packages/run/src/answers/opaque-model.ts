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

/** What a program may not say of the images that it takes. */
export interface OpaqueModelOptions extends PixelConvention {
  /** Height and width, where it leaves them open. */
  readonly inputSize?: readonly [height: number, width: number];
}

/** Images that are shown at first, to see what answers look like. */
const PROBES = 4;
/** Probabilities are taken as if they were no smaller. */
const LEAST_PROBABILITY = 1e-7;

/** What the answers of a program are, and the logits of them: of one image, for its values. */
interface Answers {
  readonly called: string;
  readonly classes: number;
  readonly toLogits: (values: Float32Array) => Float32Array;
}

const isWithin = (values: Float32Array, most: number): boolean => values.every((value) => value >= 0 && value <= most);
/** The logit of a probability. */
const logitOf = (probability: number): number => {
  const bounded = Math.min(1 - LEAST_PROBABILITY, Math.max(LEAST_PROBABILITY, probability));
  return Math.log(bounded / (1 - bounded));
};

/** Tells by a few answers what they are. What is left of logits behind a softmax differs from them by a constant, which no loss sees. */
function recognizeAnswers(rows: readonly Float32Array[]): Answers {
  const width = rows[0].length;
  if (width === 1) {
    const isProbability = rows.every((row) => isWithin(row, 1));
    return {
      called: isProbability
        ? 'the probability of the second, of which logits are made'
        : 'one value, which is above 0 for the second',
      classes: 2,
      toLogits: (values) =>
        Float32Array.from({ length: 2 * values.length }, (_, index) => {
          const value = values[index >> 1];
          return (index % 2 === 0 ? -0.5 : 0.5) * (isProbability ? logitOf(value) : value);
        }),
    };
  }
  const sums = rows.map((row) => row.reduce((sum, value) => sum + value, 0));
  for (const total of [1, 100]) {
    if (!rows.every((row, index) => isWithin(row, total * 1.001) && Math.abs(sums[index] - total) < 1e-3 * total))
      continue;
    return {
      called: `probabilities${total === 1 ? '' : ' in percent'}, whose logarithms are taken`,
      classes: width,
      toLogits: (values) => values.map((value) => Math.log(Math.max(value / total, LEAST_PROBABILITY))),
    };
  }
  return rows.every((row) => isWithin(row, 1))
    ? {
        called:
          'a probability for each by itself, whose logits are taken: that an image may have several labels or none is lost',
        classes: width,
        toLogits: (values) => values.map(logitOf),
      }
    : { called: 'logits', classes: width, toLogits: (values) => values };
}

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
export async function opaqueModel(
  program: AnsweringProgram,
  { inputSize, ...pixels }: OpaqueModelOptions = {},
): Promise<OpaqueModel> {
  const { name } = program;
  const imageShape = sizeImages(program.imageShape, inputSize);
  const reject = (rule: string, value: string): never => {
    fail({ code: 'MODEL', cannot: `use '${name}'`, as: `a teacher as ${rule}`, value });
  };
  if (imageShape.length !== 3 || imageShape.some((size) => !(size >= 1)))
    reject(
      "it must take images of three sizes where 'inputSize' is not given",
      `[${imageShape.map((size) => (size >= 1 ? size : '?')).join(', ')}]`,
    );
  if (
    inputSize !== undefined &&
    [imageShape.slice(0, 2), imageShape.slice(1)].every((size) => size.join() !== inputSize.join())
  )
    reject("'inputSize' must be that of its images", `[${inputSize.join(', ')}] for [${imageShape.join(', ')}]`);
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
  const rowLength = said.length / PROBES;
  if (!Number.isInteger(rowLength) || rowLength < 1) reject('it must give one row of values an image', `${rowLength}`);
  const rows = Array.from({ length: PROBES }, (_, row) => said.subarray(row * rowLength, (row + 1) * rowLength));
  const { called, classes, toLogits } = recognizeAnswers(rows);
  const answer: AnswerImages = async (images, shape) => {
    const values = await ask(images, shape);
    if (values.length !== shape[0] * rowLength)
      reject(`it must give ${rowLength} values for each image`, `${values.length} for ${shape[0]} images`);
    const wrong = values.find((value) => !Number.isFinite(value));
    if (wrong !== undefined) reject('its answers must be finite', String(wrong));
    return toLogits(values);
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
    `'${name}' only answers: images of ${height}x${width}x${channels}, channels ${isChannelsFirst ? 'first' : 'last'}, ${classes} classes, ${called}`,
  ];
  if (rows.every((row) => row.join() === rows[0].join()))
    notes.push(`It answers ${PROBES} different images with the same values: what it sees may not be what it is sent`);
  if (isPixelConvention(pixels)) return { model: setPixelConvention(bare, pixels), notes };
  notes.push('Nothing is known of how it takes pixels: 0..1 is assumed. Say it by --mean, --std and --range');
  return { model: setPixelConvention(bare, {}), notes };
}

/** Fills in the height and width, where the program leaves them open. */
function sizeImages(shape: readonly number[], inputSize: OpaqueModelOptions['inputSize']): readonly number[] {
  if (inputSize === undefined || shape.length !== 3) return shape;
  const first = shape[0] === 1 || shape[0] === 3 ? 1 : 0;
  return shape.map((size, axis) => (size >= 1 ? size : (inputSize[axis - first] ?? size)));
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
