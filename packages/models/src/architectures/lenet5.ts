import { check, type Graph, type ModelNode } from '@dafl/core';

/** How a LeNet-5 may differ from the paper's. */
export interface LeNet5Options {
  /** Share of the widths, > 0: 1 is LeNet-5 (the default), 0.5 is LeNet-5-HALF. Widths are rounded, at least 1. */
  readonly width?: number;
  /** Number of classes, an integer >= 2. Default: 10. */
  readonly classes?: number;
  /** `[height, width, channels]`, at least 32x32. Default: `[32, 32, 1]`. */
  readonly inputShape?: readonly [height: number, width: number, channels: number];
  /** Name of the graph. Default: `lenet5`, `lenet5-half`, `lenet5-quarter` or `lenet5-<width>`. */
  readonly name?: string;
}

/** Mean and standard deviation of the pixels (0..1) of MNIST's training images, as the official code rounds them. */
const MNIST_MEAN = 0.1307;
const MNIST_DEVIATION = 0.3081;

/**
 * LeNet-5 as DAFL's official code has it: for 32x32 images of one channel, three 5x5 convolutions without padding (6,
 * 16 and 120 filters), each with ReLU, max pooling by 2 after the first two, then dense layers of 84 and of `classes`.
 *
 * The features, which DAFL's activation loss reads, are the 120 values of the last convolution after ReLU. At width 1
 * it has 61,706 parameters and takes 416,520 multiply-accumulates an image; at 0.5 15,738 and 133,740. `lenet5({ width:
 * 0.5 })` equals `shrink(lenet5(), 0.5)`.
 *
 * Source: huawei-noah/Efficient-Computing, Data-Efficient-Model-Compression/DAFL/lenet.py, after LeCun et al., "Gradient-
 * based learning applied to document recognition", 1998. Deviations: none.
 *
 * @throws {DaflError} `USAGE` if an option is out of range.
 * @example
 * ```ts
 * describeModel(lenet5()).parameters; // 61706
 * ```
 */
export function lenet5(options: LeNet5Options = {}): Graph {
  const { width = 1, classes = 10 } = options;
  check(width > 0 && Number.isFinite(width), { cannot: 'create lenet5', as: "'width' must be > 0", value: width });
  check(Number.isInteger(classes) && classes >= 2, {
    cannot: 'create lenet5',
    as: "'classes' must be an integer >= 2",
    value: classes,
  });
  const { name = nameOfWidth(width), inputShape = [32, 32, 1] } = options;
  const scale = (size: number): number => Math.max(1, Math.round(size * width));

  const nodes: ModelNode[] = [];
  const append = (node: ModelNode): void => void nodes.push(node);
  const last = (): string => nodes.at(-1)?.name ?? 'input';
  const convolution = (index: number, filters: number): void => {
    append({
      kind: 'conv2d',
      name: `conv${index}`,
      inputs: [last()],
      filters: scale(filters),
      kernelSize: [5, 5],
      strides: [1, 1],
      padding: { top: 0, bottom: 0, left: 0, right: 0 },
      dilations: [1, 1],
      groups: 1,
      useBias: true,
    });
    relu(index);
  };
  const relu = (index: number): void =>
    append({ kind: 'activation', name: `relu${index}`, inputs: [last()], function: 'relu' });
  const pool = (index: number): void =>
    append({
      kind: 'maxPool2d',
      name: `pool${index}`,
      inputs: [last()],
      windowSize: [2, 2],
      strides: [2, 2],
      padding: { top: 0, bottom: 0, left: 0, right: 0 },
    });

  convolution(1, 6);
  pool(1);
  convolution(2, 16);
  pool(2);
  convolution(3, 120);
  append({ kind: 'flatten', name: 'features', inputs: [last()], order: 'hwc' });
  append({ kind: 'dense', name: 'dense', inputs: [last()], units: scale(84), useBias: true });
  relu(4);
  append({ kind: 'dense', name: 'logits', inputs: [last()], units: classes, useBias: true });

  return {
    name,
    inputShape,
    nodes,
    outputs: { logits: 'logits', features: 'features' },
    preprocessing: {
      resize: 'bilinear',
      mean: Array<number>(inputShape[2]).fill(MNIST_MEAN),
      standardDeviation: Array<number>(inputShape[2]).fill(MNIST_DEVIATION),
    },
  };
}

/** The names that core's `shrink` gives. */
function nameOfWidth(width: number): string {
  if (width === 1) return 'lenet5';
  return `lenet5-${width === 0.5 ? 'half' : width === 0.25 ? 'quarter' : width}`;
}
