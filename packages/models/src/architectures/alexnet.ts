import type { Graph } from '@dafl/core';
import { type ArchitectureOptions, GraphBuilder, imageNetPreprocessing } from './_graph-builder.ts';

/**
 * AlexNet in its one-tower form, for images of 224 pixels.
 *
 * With 1000 classes it has 61,100,840 parameters and takes 714.2 million multiply-accumulates.
 *
 * Source: Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014, as in torchvision. The
 * maps are read channels first, so that torchvision's weights fit. Deviations: none at 224x224.
 *
 * @throws {DaflError} `USAGE` if an option is out of range; `MODEL` if images are too small.
 */
export function alexnet(options: ArchitectureOptions = {}): Graph {
  const builder = new GraphBuilder(options, {
    name: 'alexnet',
    classes: 1000,
    inputShape: [224, 224, 3],
    preprocessing: imageNetPreprocessing,
  });
  const convolution = (index: number, filters: number, kernel: number, stride = 1, padding?: number): void => {
    builder.convolution(`conv${index}`, filters, { kernel, stride, padding, useBias: true });
    builder.activation(`relu${index}`);
  };
  convolution(1, 64, 11, 4, 2);
  builder.maxPool('pool1', 3, 2);
  convolution(2, 192, 5);
  builder.maxPool('pool2', 3, 2);
  convolution(3, 384, 3);
  convolution(4, 256, 3);
  convolution(5, 256, 3);
  builder.maxPool('pool5', 3, 2);
  builder.flatten('flatten', 'chw');
  for (const index of [6, 7]) {
    builder.dropout(`dropout${index}`, 0.5);
    builder.dense(`dense${index}`, 4096);
    builder.activation(`relu${index}`);
  }
  return builder.classifier();
}
