import type { Graph } from '@dafl/core';
import { type ArchitectureOptions, cifarPreprocessing, GraphBuilder, imageNetPreprocessing } from './_graph-builder.ts';

/** Expansion, channels, blocks and first stride of each stage: table 2 of the paper. */
const stages: readonly (readonly [expansion: number, channels: number, blocks: number, stride: number])[] = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];

/** How a MobileNetV2 may differ from the one for small images. */
export interface MobilenetV2Options extends ArchitectureOptions {
  /** `imagenet`: strides and defaults for images of 224 pixels, whatever the size. Default: what suits the size. */
  readonly form?: 'imagenet';
}

/**
 * MobileNetV2: inverted residual blocks of depthwise convolutions. On images below 64 pixels the first convolution and
 * the second stage keep the size.
 *
 * With 1000 classes it has 3,504,872 parameters and takes 300.8 million multiply-accumulates at 224x224.
 *
 * Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018. Deviations: no dropout
 * before the last layer.
 *
 * @throws {DaflError} `USAGE` if an option is out of range.
 */
export function mobilenetV2(options: MobilenetV2Options = {}): Graph {
  const isLarge = options.form === 'imagenet';
  const builder = new GraphBuilder(options, {
    name: isLarge ? 'mobilenetv2-imagenet' : 'mobilenetv2',
    classes: isLarge ? 1000 : 10,
    inputShape: isLarge ? [224, 224, 3] : [32, 32, 3],
    preprocessing: isLarge ? imageNetPreprocessing : cifarPreprocessing,
  });
  const isSmall = !isLarge && builder.inputShape[0] < 64;
  const block = (
    path: string,
    filters: number,
    options: { kernel?: number; stride?: number; groups?: number },
  ): void => {
    builder.convolution(path, filters, options);
    builder.batchNorm(`${path}/norm`);
  };
  block('stem', 32, { stride: isSmall ? 1 : 2 });
  builder.activation('stem/relu', 'relu6');
  let channels = 32;
  stages.forEach(([expansion, filters, blocks, first], stage) => {
    for (let index = 0; index < blocks; index++) {
      const stride = index > 0 || (isSmall && stage === 1) ? 1 : first;
      const path = `stage${stage + 1}/block${index + 1}`;
      const input = builder.last;
      const hidden = channels * expansion;
      if (expansion !== 1) {
        block(`${path}/expand`, hidden, { kernel: 1 });
        builder.activation(`${path}/expand/relu`, 'relu6');
      }
      block(`${path}/depthwise`, hidden, { stride, groups: hidden });
      builder.activation(`${path}/depthwise/relu`, 'relu6');
      block(`${path}/project`, filters, { kernel: 1 });
      if (stride === 1 && channels === filters) builder.add(`${path}/add`, [input, builder.last]);
      channels = filters;
    }
  });
  block('head', 1280, { kernel: 1 });
  builder.activation('head/relu', 'relu6');
  builder.globalAveragePool('features');
  return builder.classifier();
}
