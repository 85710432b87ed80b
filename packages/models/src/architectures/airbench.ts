import { DaflError, type Graph, type ModelNode, type Padding2d } from '@dafl/core';

/** How an airbench network may differ from the published one. */
export interface AirbenchOptions {
  /** Share of the widths, > 0; default 1. Widths are rounded, at least 1. */
  readonly width?: number;
  /** Number of classes, an integer >= 2. Default: 10. */
  readonly classes?: number;
  /** Name of the graph. Default: `airbench`, or `airbench-<width>`. */
  readonly name?: string;
}

/** Mean and standard deviation of the pixels (0..1) of CIFAR-10's training images, each channel. */
const CIFAR_MEAN = [0.4914, 0.4822, 0.4465];
const CIFAR_DEVIATION = [0.247, 0.2435, 0.2616];
const WIDTHS = [64, 256, 256];
/** Two for each value of a 2x2 patch in three channels: what a whitening of the patches needs. */
const FIRST_FILTERS = 24;
const NONE: Padding2d = { top: 0, bottom: 0, left: 0, right: 0 };
const SAME: Padding2d = { top: 1, bottom: 1, left: 1, right: 1 };

/**
 * The network that reaches 94 % on CIFAR-10 in the fewest operations known: for 32x32 images of three channels, a 2x2
 * convolution (24 filters, meant to be set by `--whitening`), then three blocks of two 3x3 convolutions (64, 256 and 256
 * filters), each with batch norm and ReLU, max pooling by 2 after the first convolution of each block; max pooling by 3,
 * a dense layer without bias, and its outputs over 9.
 *
 * At width 1 it has 1,972,792 parameters and takes 118.1 million multiply-accumulates an image.
 *
 * Source: Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024, section 3.1. Deviations: ReLU in place of
 * GELU; batch norm has a scale.
 *
 * @throws {DaflError} `USAGE` if an option is out of range.
 */
export function airbench(options: AirbenchOptions = {}): Graph {
  const { width = 1, classes = 10 } = options;
  if (!(width > 0 && Number.isFinite(width)))
    throw new DaflError('USAGE', `Cannot create airbench as 'width' must be > 0: current value is ${width}`);
  if (!(Number.isInteger(classes) && classes >= 2)) {
    throw new DaflError(
      'USAGE',
      `Cannot create airbench as 'classes' must be an integer >= 2: current value is ${classes}`,
    );
  }
  const { name = width === 1 ? 'airbench' : `airbench-${width}` } = options;

  const nodes: ModelNode[] = [];
  const last = (): string => nodes.at(-1)?.name ?? 'input';
  const convolution = (nodeName: string, filters: number, kernel: number, padding: Padding2d, useBias: boolean): void =>
    void nodes.push({
      kind: 'conv2d',
      name: nodeName,
      inputs: [last()],
      filters,
      kernelSize: [kernel, kernel],
      strides: [1, 1],
      padding,
      dilations: [1, 1],
      groups: 1,
      useBias,
    });
  const norm = (nodeName: string): void =>
    void nodes.push({
      kind: 'batchNorm',
      name: nodeName,
      inputs: [last()],
      epsilon: 1e-5,
      momentum: 0.4,
      affine: true,
    });
  const relu = (nodeName: string): void =>
    void nodes.push({ kind: 'activation', name: nodeName, inputs: [last()], function: 'relu' });
  const pool = (nodeName: string, size: number): void =>
    void nodes.push({
      kind: 'maxPool2d',
      name: nodeName,
      inputs: [last()],
      windowSize: [size, size],
      strides: [size, size],
      padding: NONE,
    });

  convolution('patches', FIRST_FILTERS, 2, NONE, true);
  relu('patches/relu');
  WIDTHS.forEach((filters, index) => {
    const block = `block${index + 1}`;
    const scaled = Math.max(1, Math.round(filters * width));
    convolution(`${block}/conv1`, scaled, 3, SAME, false);
    pool(`${block}/pool`, 2);
    norm(`${block}/norm1`);
    relu(`${block}/relu1`);
    convolution(`${block}/conv2`, scaled, 3, SAME, false);
    norm(`${block}/norm2`);
    relu(`${block}/relu2`);
  });
  pool('pool', 3);
  nodes.push({ kind: 'flatten', name: 'features', inputs: [last()], order: 'hwc' });
  nodes.push({ kind: 'dense', name: 'dense', inputs: [last()], units: classes, useBias: false });
  nodes.push({ kind: 'affine', name: 'logits', inputs: [last()], factor: [1 / 9], summand: [0] });
  return {
    name,
    inputShape: [32, 32, 3],
    nodes,
    outputs: { logits: 'logits', features: 'features' },
    preprocessing: { resize: 'bilinear', mean: CIFAR_MEAN, standardDeviation: CIFAR_DEVIATION },
  };
}
