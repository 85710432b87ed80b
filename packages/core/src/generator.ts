import { check } from './check.ts';
import type { Graph, ModelNode, Preprocessing } from './model/model.ts';

/** Shape of DAFL's generator. */
export interface GeneratorOptions {
  /** Length of the latent vector, >= 1. Official code: 100 for MNIST, 1000 for CIFAR. */
  readonly latentSize: number;
  /** Height and width of the images, >= 1. What is made is a multiple of 4 (of more from 65 on), and cropped where they are none. */
  readonly imageSize: readonly [height: number, width: number];
  /** Channels of the images, >= 1. */
  readonly channels: number;
  /** Channels of the first map and of the two convolutions that follow. Official code: 128, 128, 64. */
  readonly widths: readonly [first: number, second: number, third: number];
  /** Epsilon of the two inner batch normalisations, > 0. Official code: 0.8 (see deviations below). */
  readonly batchNormEpsilon: number;
  readonly output: GeneratorOutput;
  /**
   * Classes that the images can be asked for, >= 2: the input is the latent vector followed by a one-hot row of so many.
   * Absent: the latent vector alone.
   */
  readonly classes?: number;
  /** Of the teacher; needed by outputs that are pixels. Absent: pixels stay at 0..1. */
  readonly preprocessing?: Preprocessing;
}

/**
 * How the last convolution's map becomes images in the teacher's input space.
 *
 * - `normalized`: tanh, then batch norm without scale and offset, as in the official code. Mean 0, variance 1, any value.
 * - `pixels`: batch norm without scale and offset, then sigmoid(contrast x + brightness), then the teacher's own
 *   preprocessing. Every value is one that a stored picture can have, which a teacher's preprocessing tells without data.
 * - `sigmoid`: sigmoid alone, then the teacher's preprocessing (Fang et al., AAAI 2022).
 * - `affine`: batch norm with scale and offset, and nothing more (Micaelli and Storkey, NeurIPS 2019). Any value.
 */
export type GeneratorOutput =
  | { readonly kind: 'normalized' }
  | {
      readonly kind: 'pixels';
      /** > 0: how far apart dark and light lie. */
      readonly contrast: number;
      /** Where the middle lies: 0 is mid-grey, below is darker. */
      readonly brightness: number;
    }
  | { readonly kind: 'sigmoid' }
  | { readonly kind: 'affine' };

/** PyTorch's default, which the generator's first and last batch normalisation have in the official code. */
const DEFAULT_EPSILON = 1e-5;
const LEAKY_SLOPE = 0.2;
/** Largest height and width of the first map: larger images take more upsamplings, so that the dense layer stays small. */
const MOST_FIRST = 16;

/**
 * DAFL's generator: latent vectors to images in the teacher's normalised input space.
 *
 * Linear to `[height/4, width/4, first]` (rounded up); batch norm; x2; conv 3x3 to `second`; batch norm; leaky ReLU 0.2; x2; conv
 * 3x3 to `third`; batch norm; leaky ReLU 0.2; conv 3x3 to `channels`, cropped to the size of the
 * images; then what `output` says. Images of more than 64 pixels begin with further stages (x2; conv 3x3 to `first`; batch norm;
 * leaky ReLU 0.2), as many as make the first map 16 pixels high and wide at most: four upsamplings for 224.
 *
 * Source: Chen et al., "Data-Free Learning of Student Networks", ICCV 2019, and its official code
 * (huawei-noah/Efficient-Computing, DAFL/DAFL-train.py). The code writes `BatchNorm2d(128, 0.8)`, whose second argument
 * is epsilon; `batchNormEpsilon: 0.8` reproduces that.
 *
 * The graph's one output is `images`. It is run in training mode always: batch statistics are part of the method.
 *
 * @throws {DaflError} `USAGE` if a size is out of range.
 */
export function generatorGraph(options: GeneratorOptions): Graph {
  const { latentSize, imageSize, channels, widths, batchNormEpsilon, output, classes } = options;
  const [height, width] = imageSize;
  const [first, second, third] = widths;
  const assertOption = (holds: boolean, name: string, rule: string, value: unknown): void => {
    check(holds, { cannot: 'create generator', as: `'${name}' must ${rule}`, value });
  };
  const isCount = (value: number) => Number.isInteger(value) && value >= 1;
  assertOption(isCount(latentSize), 'latentSize', 'be an integer >= 1', latentSize);
  assertOption(isCount(channels), 'channels', 'be an integer >= 1', channels);
  assertOption(widths.every(isCount), 'widths', 'be integers >= 1', widths);
  assertOption(imageSize.every(isCount), 'imageSize', 'be integers >= 1', imageSize);
  assertOption(classes === undefined || (isCount(classes) && classes >= 2), 'classes', 'be an integer >= 2', classes);
  assertOption(batchNormEpsilon > 0, 'batchNormEpsilon', 'be > 0', batchNormEpsilon);

  const upsamplings = Math.max(2, Math.ceil(Math.log2(Math.max(height, width) / MOST_FIRST)));
  const scale = 2 ** upsamplings;
  const [rows, columns] = imageSize.map((size) => Math.ceil(size / scale));
  const nodes: ModelNode[] = [];
  let last = 'input';
  const append = (node: ModelNode): void => {
    nodes.push(node);
    last = node.name;
  };
  const batchNorm = (name: string, epsilon: number, affine = true): void =>
    // Running statistics are never read, so they never move.
    append({ kind: 'batchNorm', name, inputs: [last], epsilon, momentum: 0, affine });
  const convolution = (name: string, filters: number): void =>
    append({
      kind: 'conv2d',
      name,
      inputs: [last],
      filters,
      kernelSize: [3, 3],
      strides: [1, 1],
      padding: { top: 1, bottom: 1, left: 1, right: 1 },
      dilations: [1, 1],
      groups: 1,
      useBias: true,
    });
  const leaky = (name: string): void =>
    append({ kind: 'activation', name, inputs: [last], function: 'leakyRelu', slope: LEAKY_SLOPE });
  const upsample = (name: string): void => append({ kind: 'upsampleNearest2d', name, inputs: [last], factors: [2, 2] });

  append({ kind: 'dense', name: 'project', inputs: [last], units: rows * columns * first, useBias: true });
  append({ kind: 'reshape', name: 'map', inputs: [last], shape: [rows, columns, first] });
  batchNorm('norm0', DEFAULT_EPSILON);
  for (let stage = 1; stage <= upsamplings - 2; stage++) {
    upsample(`growth${stage}.up`);
    convolution(`growth${stage}.conv`, first);
    batchNorm(`growth${stage}.norm`, batchNormEpsilon);
    leaky(`growth${stage}.leaky`);
  }
  upsample('up1');
  convolution('conv1', second);
  batchNorm('norm1', batchNormEpsilon);
  leaky('leaky1');
  upsample('up2');
  convolution('conv2', third);
  batchNorm('norm2', batchNormEpsilon);
  leaky('leaky2');
  convolution('conv3', channels);
  const [top, left] = [rows * scale - height, columns * scale - width].map((rest) => Math.floor(rest / 2));
  if (rows * scale > height || columns * scale > width)
    append({ kind: 'slice', name: 'crop', inputs: [last], begin: [top, left, 0], size: [height, width, channels] });
  if (output.kind === 'normalized') {
    append({ kind: 'activation', name: 'tanh', inputs: [last], function: 'tanh' });
    batchNorm('norm3', DEFAULT_EPSILON, false);
  } else if (output.kind === 'affine') {
    batchNorm('norm3', DEFAULT_EPSILON);
  } else {
    if (output.kind === 'pixels') {
      assertOption(output.contrast > 0, 'output.contrast', 'be > 0', output.contrast);
      assertOption(Number.isFinite(output.brightness), 'output.brightness', 'be finite', output.brightness);
      batchNorm('norm3', DEFAULT_EPSILON, false);
      append({ kind: 'affine', name: 'tone', inputs: [last], factor: [output.contrast], summand: [output.brightness] });
    }
    append({ kind: 'activation', name: 'pixels', inputs: [last], function: 'sigmoid' });
    const { mean = [0], standardDeviation = [1] } = options.preprocessing ?? {};
    append({
      kind: 'affine',
      name: 'preprocess',
      inputs: [last],
      factor: standardDeviation.map((deviation) => 1 / deviation),
      summand: standardDeviation.map((deviation, channel) => (0 - mean[channel]) / deviation),
    });
  }
  return { name: 'dafl-generator', inputShape: [latentSize + (classes ?? 0)], nodes, outputs: { images: last } };
}
