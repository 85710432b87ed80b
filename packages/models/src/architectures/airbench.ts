import { check, type Graph } from '@dafl/core';
import { type ArchitectureOptions, cifarPreprocessing, GraphBuilder } from './_graph-builder.ts';

/** How an airbench network may differ from the published one. */
export interface AirbenchOptions extends ArchitectureOptions {
  /** Share of the widths, > 0; default 1. Widths are rounded, at least 1. */
  readonly width?: number;
}

const WIDTHS = [64, 256, 256];

/**
 * The network that reaches 94 % on CIFAR-10 in the fewest operations known: for 32x32 images, a 2x2 convolution (two
 * filters for each value of a patch, meant to be set by `dafl train --whitening`), then three blocks of two 3x3
 * convolutions (64, 256 and 256 filters), each with batch norm and ReLU, max pooling by 2 after the first convolution of
 * each block; max pooling by 3, a dense layer without bias, and its outputs over 9.
 *
 * At width 1 it has 1,972,792 parameters and takes 118.1 million multiply-accumulates an image.
 *
 * Source: Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024, section 3.1. Deviations: ReLU in place of
 * GELU; batch norm has a scale.
 *
 * @throws {DaflError} `USAGE` if an option is out of range.
 */
export function airbench(options: AirbenchOptions = {}): Graph {
  const { width = 1 } = options;
  check(width > 0 && Number.isFinite(width), { cannot: 'create airbench', as: "'width' must be > 0", value: width });
  const builder = new GraphBuilder(options, {
    name: width === 1 ? 'airbench' : `airbench-${width}`,
    classes: 10,
    inputShape: [32, 32, 3],
    preprocessing: cifarPreprocessing,
  });
  // Statistics move fast, as runs are short.
  const norm = (name: string): void =>
    void builder.append({
      kind: 'batchNorm',
      name,
      inputs: [builder.last],
      epsilon: 1e-5,
      momentum: 0.4,
      affine: true,
    });

  builder.convolution('patches', 8 * builder.inputShape[2], { kernel: 2, padding: 0, useBias: true });
  builder.activation('patches/relu');
  WIDTHS.forEach((filters, index) => {
    const block = `block${index + 1}`;
    const scaled = Math.max(1, Math.round(filters * width));
    builder.convolution(`${block}/conv1`, scaled);
    builder.maxPool(`${block}/pool`, 2);
    norm(`${block}/norm1`);
    builder.activation(`${block}/relu1`);
    builder.convolution(`${block}/conv2`, scaled);
    norm(`${block}/norm2`);
    builder.activation(`${block}/relu2`);
  });
  builder.maxPool('pool', 3);
  const features = builder.flatten('features');
  builder.append({ kind: 'dense', name: 'dense', inputs: [features], units: builder.classes, useBias: false });
  return builder.graph(
    builder.append({ kind: 'affine', name: 'logits', inputs: ['dense'], factor: [1 / 9], summand: [0] }),
    features,
  );
}
