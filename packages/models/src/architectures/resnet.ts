import type { Graph } from '@dafl/core';
import { type ArchitectureOptions, cifarPreprocessing, GraphBuilder } from './_graph-builder.ts';

/** Blocks of each stage, and its channels. */
interface Stages {
  readonly blocks: readonly number[];
  readonly widths: readonly number[];
}

const small = (blocks: number): Stages => ({ blocks: [blocks, blocks, blocks], widths: [16, 32, 64] });
const stages: Readonly<Record<18 | 20 | 32 | 34 | 56, Stages>> = {
  18: { blocks: [2, 2, 2, 2], widths: [64, 128, 256, 512] },
  34: { blocks: [3, 4, 6, 3], widths: [64, 128, 256, 512] },
  20: small(3),
  32: small(5),
  56: small(9),
};

/**
 * A residual network for small images: a 3x3 convolution, stages of two-convolution blocks, the first block of each stage
 * but the first with stride 2 and a 1x1 convolution beside it, a global average.
 *
 * 18 and 34 layers have the widths of ImageNet's (11.2 and 21.3 million parameters, 0.56 and 1.16 billion
 * multiply-accumulates at 32x32: DAFL's CIFAR student and teacher); 20, 32 and 56 those of CIFAR's (16, 32, 64).
 *
 * Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, sections 3 and 4.2. Deviations: where
 * sizes change, the shortcut is a 1x1 convolution with batch norm (option B) throughout.
 *
 * @throws {DaflError} `USAGE` if an option is out of range.
 */
export function resnet(layers: 18 | 20 | 32 | 34 | 56, options: ArchitectureOptions = {}): Graph {
  const { blocks, widths } = stages[layers];
  const builder = new GraphBuilder(options, {
    name: `resnet${layers}`,
    classes: 10,
    inputShape: [32, 32, 3],
    preprocessing: cifarPreprocessing,
  });
  let channels = widths[0];
  builder.convolution('stem', channels);
  builder.batchNorm('stem/norm');
  builder.activation('stem/relu');
  widths.forEach((width, stage) => {
    for (let block = 0; block < blocks[stage]; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const path = `stage${stage + 1}/block${block + 1}`;
      let shortcut = builder.last;
      if (stride !== 1 || channels !== width) {
        builder.convolution(`${path}/shortcut`, width, { kernel: 1, stride, from: shortcut });
        const read = shortcut;
        shortcut = builder.batchNorm(`${path}/shortcut/norm`);
        builder.convolution(`${path}/conv1`, width, { stride, from: read });
      } else {
        builder.convolution(`${path}/conv1`, width, { stride });
      }
      builder.batchNorm(`${path}/norm1`);
      builder.activation(`${path}/relu1`);
      builder.convolution(`${path}/conv2`, width);
      const branch = builder.batchNorm(`${path}/norm2`);
      builder.add(`${path}/add`, [shortcut, branch]);
      builder.activation(`${path}/relu2`);
      channels = width;
    }
  });
  builder.globalAveragePool('features');
  return builder.classifier();
}
