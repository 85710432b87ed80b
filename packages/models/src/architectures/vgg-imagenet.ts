import type { Graph } from '@dafl/core';
import { type ArchitectureOptions, GraphBuilder, imageNetPreprocessing } from './_graph-builder.ts';

/** How such a VGG may differ from the published one. */
export interface VggImagenetOptions extends ArchitectureOptions {
  /** Whether batch norm follows each convolution. Default: false. */
  readonly hasBatchNorm?: boolean;
}

const stages: Readonly<Record<11 | 16, readonly (readonly number[])[]>> = {
  11: [[64], [128], [256, 256], [512, 512], [512, 512]],
  16: [
    [64, 64],
    [128, 128],
    [256, 256, 256],
    [512, 512, 512],
    [512, 512, 512],
  ],
};

/**
 * VGG as published, for images of 224 pixels: five stages of 3x3 convolutions, each with max pooling by 2 behind it, two
 * dense layers of 4096 units, the classes.
 *
 * With 1000 classes and 11 layers it has 132,863,336 parameters and takes 7.6 billion multiply-accumulates.
 *
 * Source: Simonyan and Zisserman, "Very Deep Convolutional Networks", ICLR 2015, as in torchvision. The maps are read channels
 * first, so that torchvision's weights fit. Deviations: none at 224x224.
 *
 * @throws {DaflError} `USAGE` if an option is out of range; `MODEL` if images are too small.
 */
export function vggImagenet(layers: 11 | 16, options: VggImagenetOptions = {}): Graph {
  const { hasBatchNorm = false } = options;
  const builder = new GraphBuilder(options, {
    name: `vgg${layers}${hasBatchNorm ? '-bn' : ''}-imagenet`,
    classes: 1000,
    inputShape: [224, 224, 3],
    preprocessing: imageNetPreprocessing,
  });
  stages[layers].forEach((widths, stage) => {
    widths.forEach((width, index) => {
      const path = `stage${stage + 1}/conv${index + 1}`;
      builder.convolution(path, width, { useBias: true });
      if (hasBatchNorm) builder.batchNorm(`${path}/norm`);
      builder.activation(`${path}/relu`);
    });
    builder.maxPool(`stage${stage + 1}/pool`, 2);
  });
  builder.flatten('flatten', 'chw');
  for (const index of [1, 2]) {
    builder.dense(`dense${index}`, 4096);
    builder.activation(`relu${index}`);
    builder.dropout(`dropout${index}`, 0.5);
  }
  return builder.classifier();
}
