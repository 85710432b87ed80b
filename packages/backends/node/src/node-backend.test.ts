import { describeBackend } from '@dafl/conformance';
import { describe } from 'vitest';
import { createNodeBackend, findTensorflow } from './index.ts';

describe.skipIf(findTensorflow().length === 0)(
  "where TensorFlow is installed, by 'dafl doctor --setup-tensorflow' or as @tensorflow/tfjs-node",
  () => {
    describeBackend({
      name: 'node',
      create: () => createNodeBackend({ device: 'cpu' }),
      skip: [
        {
          reason: 'convolutions of few channels run as products of whole rows, all of which a NaN in one pixel reaches',
          tests: ['convolution > conv2d and gradients: NaN and infinities reach what reads them, and no more'],
        },
        {
          reason: "oneDNN's max pooling passes over NaN and starts from the lowest finite number",
          tests: ['pooling > maxPool2d: -Infinity and Infinity', 'pooling > maxPool2d: NaN'],
        },
      ],
    });
  },
);
