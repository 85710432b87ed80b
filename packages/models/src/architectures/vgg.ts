import type { Graph } from '@dafl/core';
import { type ArchitectureOptions, cifarPreprocessing, GraphBuilder } from './_graph-builder.ts';

const stages: Readonly<Record<8 | 11, readonly (readonly number[])[]>> = {
  8: [[64], [128], [256], [512], [512]],
  11: [[64], [128], [256, 256], [512, 512], [512, 512]],
};

/**
 * A VGG network with batch norm for small images: stages of 3x3 convolutions, max pooling by 2 after the first three
 * and, on images of 64 pixels and more, after the fourth; a global average, one dense layer.
 *
 * Source: Simonyan and Zisserman, "Very Deep Convolutional Networks", ICLR 2015; the form for small images as in Tian
 * et al., "Contrastive Representation Distillation", ICLR 2020 (HobbitLong/RepDistiller, models/vgg.py).
 *
 * @throws {DaflError} `USAGE` if an option is out of range.
 */
export function vgg(layers: 8 | 11, options: ArchitectureOptions = {}): Graph {
  const builder = new GraphBuilder(options, {
    name: `vgg${layers}`,
    classes: 10,
    inputShape: [32, 32, 3],
    preprocessing: cifarPreprocessing,
  });
  const pools = builder.inputShape[0] >= 64 ? 4 : 3;
  stages[layers].forEach((widths, stage) => {
    widths.forEach((width, index) => {
      const path = `stage${stage + 1}/conv${index + 1}`;
      builder.convolution(path, width, { useBias: true });
      builder.batchNorm(`${path}/norm`);
      builder.activation(`${path}/relu`);
    });
    if (stage < pools) builder.maxPool(`stage${stage + 1}/pool`, 2);
  });
  builder.globalAveragePool('features');
  return builder.classifier();
}
