import type { Graph } from '@dafl/core';
import { type ArchitectureOptions, cifarPreprocessing, GraphBuilder, imageNetPreprocessing } from './_graph-builder.ts';

/** How a residual network may differ from the one for small images. */
export interface ResnetOptions extends ArchitectureOptions {
  /** `imagenet`: a 7x7 convolution of stride 2 and max pooling come first, for images of 224 pixels. Default: `small`. */
  readonly form?: 'small' | 'imagenet';
}

/** Blocks of each stage, and its channels. */
interface Stages {
  readonly blocks: readonly number[];
  readonly widths: readonly number[];
  /** Whether blocks have three convolutions, the last four times as wide. */
  readonly hasBottlenecks?: boolean;
}

const small = (blocks: number): Stages => ({ blocks: [blocks, blocks, blocks], widths: [16, 32, 64] });
const wide = [64, 128, 256, 512];
const stages: Readonly<Record<18 | 20 | 32 | 34 | 50 | 56 | 101, Stages>> = {
  18: { blocks: [2, 2, 2, 2], widths: wide },
  34: { blocks: [3, 4, 6, 3], widths: wide },
  50: { blocks: [3, 4, 6, 3], widths: wide, hasBottlenecks: true },
  101: { blocks: [3, 4, 23, 3], widths: wide, hasBottlenecks: true },
  20: small(3),
  32: small(5),
  56: small(9),
};

/**
 * A residual network. For small images: a 3x3 convolution, stages of two-convolution blocks, the first block of each stage
 * but the first with stride 2 and a 1x1 convolution beside it, a global average. In the form `imagenet`, torchvision's: a
 * 7x7 convolution of stride 2 and 3x3 max pooling of stride 2 in place of the 3x3 convolution.
 *
 * 18 and 34 layers have the widths of ImageNet's (11.2 and 21.3 million parameters, 0.56 and 1.16 billion
 * multiply-accumulates at 32x32: DAFL's CIFAR student and teacher); 20, 32 and 56 those of CIFAR's (16, 32, 64). 50 and 101 have
 * blocks of three convolutions (1x1, 3x3, 1x1), with the stride in the middle one.
 *
 * Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, sections 3 and 4.2. Deviations: where
 * sizes change, the shortcut is a 1x1 convolution with batch norm (option B) throughout; in blocks of three convolutions the
 * stride is the second's, as in torchvision.
 *
 * @throws {DaflError} `USAGE` if an option is out of range.
 */
export function resnet(layers: 18 | 20 | 32 | 34 | 50 | 56 | 101, options: ResnetOptions = {}): Graph {
  const { blocks, widths, hasBottlenecks = false } = stages[layers];
  const isLarge = options.form === 'imagenet';
  const builder = new GraphBuilder(options, {
    name: `resnet${layers}${isLarge ? '-imagenet' : ''}`,
    classes: isLarge ? 1000 : 10,
    inputShape: isLarge ? [224, 224, 3] : [32, 32, 3],
    preprocessing: isLarge ? imageNetPreprocessing : cifarPreprocessing,
  });
  let channels = widths[0];
  builder.convolution('stem', channels, isLarge ? { kernel: 7, stride: 2 } : {});
  builder.batchNorm('stem/norm');
  builder.activation('stem/relu');
  if (isLarge) builder.maxPool('stem/pool', 3, 2, 1);
  widths.forEach((width, stage) => {
    const output = hasBottlenecks ? 4 * width : width;
    for (let block = 0; block < blocks[stage]; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const path = `stage${stage + 1}/block${block + 1}`;
      const input = builder.last;
      let shortcut = input;
      if (stride !== 1 || channels !== output) {
        builder.convolution(`${path}/shortcut`, output, { kernel: 1, stride, from: input });
        shortcut = builder.batchNorm(`${path}/shortcut/norm`);
      }
      if (hasBottlenecks) {
        builder.convolution(`${path}/conv1`, width, { kernel: 1, from: input });
      } else {
        builder.convolution(`${path}/conv1`, width, { stride, from: input });
      }
      builder.batchNorm(`${path}/norm1`);
      builder.activation(`${path}/relu1`);
      builder.convolution(`${path}/conv2`, width, { stride: hasBottlenecks ? stride : 1 });
      let branch = builder.batchNorm(`${path}/norm2`);
      if (hasBottlenecks) {
        builder.activation(`${path}/relu2`);
        builder.convolution(`${path}/conv3`, output, { kernel: 1 });
        branch = builder.batchNorm(`${path}/norm3`);
      }
      builder.add(`${path}/add`, [shortcut, branch]);
      builder.activation(`${path}/${hasBottlenecks ? 'relu3' : 'relu2'}`);
      channels = output;
    }
  });
  builder.globalAveragePool('features');
  return builder.classifier();
}
