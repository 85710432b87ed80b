import { DaflError, type Graph } from '@dafl/core';
import { type ArchitectureOptions, cifarPreprocessing, GraphBuilder } from './_graph-builder.ts';

/**
 * A wide residual network for small images, batch norm and ReLU before each convolution: WRN-`depth`-`width`.
 *
 * Source: Zagoruyko and Komodakis, "Wide Residual Networks", BMVC 2016. Deviations: no dropout.
 *
 * @param depth 6 n + 4 layers: 16, 22, 28, 40.
 * @param width Times 16, 32 and 64 channels, an integer >= 1.
 * @throws {DaflError} `USAGE` if an option is out of range.
 */
export function wideResnet(depth: number, width: number, options: ArchitectureOptions = {}): Graph {
  const blocks = (depth - 4) / 6;
  if (!(Number.isInteger(blocks) && blocks >= 1 && Number.isInteger(width) && width >= 1)) {
    throw new DaflError(
      'USAGE',
      `Cannot create wide resnet as 'depth' must be 6 n + 4 and 'width' an integer >= 1: current values are ${depth} and ${width}`,
    );
  }
  const builder = new GraphBuilder(options, {
    name: `wrn-${depth}-${width}`,
    classes: 10,
    inputShape: [32, 32, 3],
    preprocessing: cifarPreprocessing,
  });
  let channels = 16;
  builder.convolution('stem', channels);
  [16, 32, 64].forEach((base, stage) => {
    for (let block = 0; block < blocks; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const filters = base * width;
      const path = `stage${stage + 1}/block${block + 1}`;
      const input = builder.last;
      builder.batchNorm(`${path}/norm1`);
      const activated = builder.activation(`${path}/relu1`);
      // Where sizes change, the shortcut too reads what was normalised.
      const shortcut =
        stride === 1 && channels === filters
          ? input
          : builder.convolution(`${path}/shortcut`, filters, { kernel: 1, stride, from: activated });
      builder.convolution(`${path}/conv1`, filters, { stride, from: activated });
      builder.batchNorm(`${path}/norm2`);
      builder.activation(`${path}/relu2`);
      const branch = builder.convolution(`${path}/conv2`, filters);
      builder.add(`${path}/add`, [shortcut, branch]);
      channels = filters;
    }
  });
  builder.batchNorm('norm');
  builder.activation('relu');
  builder.globalAveragePool('features');
  return builder.classifier();
}
