import { createRandomStream, type Graph, type ImageSet, initializeWeights, type Model } from '@dafl/core';

/**
 * A classifier of 8x8 grey images that trains in milliseconds, with random weights: for tests of everything around it.
 *
 * @param options `classes` >= 2, default 3; `channels` >= 1, default 1; `output` `'softmax'` makes it a network that no method can learn from.
 */
export function tinyTeacher(
  options: {
    readonly classes?: number;
    readonly channels?: number;
    readonly output?: 'logits' | 'softmax';
    readonly name?: string;
  } = {},
): Model {
  const { classes = 3, channels = 1, output = 'logits', name = 'tiny' } = options;
  const graph: Graph = {
    name,
    inputShape: [8, 8, channels],
    nodes: [
      {
        kind: 'conv2d',
        name: 'conv',
        inputs: ['input'],
        filters: 4,
        kernelSize: [3, 3],
        strides: [2, 2],
        padding: { top: 1, bottom: 1, left: 1, right: 1 },
        dilations: [1, 1],
        groups: 1,
        useBias: true,
      },
      { kind: 'activation', name: 'relu', inputs: ['conv'], function: 'relu' },
      { kind: 'flatten', name: 'features', inputs: ['relu'], order: 'hwc' },
      { kind: 'dense', name: 'logits', inputs: ['features'], units: classes, useBias: true },
      ...(output === 'softmax'
        ? [{ kind: 'activation', name: 'prob', inputs: ['logits'], function: 'softmax' } as const]
        : []),
    ],
    outputs: { logits: output === 'softmax' ? 'prob' : 'logits', features: 'features' },
    preprocessing: {
      resize: 'bilinear',
      mean: Array<number>(channels).fill(0.5),
      standardDeviation: Array<number>(channels).fill(0.5),
    },
  };
  return initializeWeights(graph, createRandomStream(7, name));
}

/** Options that make a run with the tiny teacher take a fraction of a second on the cpu backend. */
export const tinyRun = {
  backend: 'cpu',
  steps: 6,
  batchSize: 8,
  latentSize: 4,
  generatorWidths: [4, 4, 2],
  replayBatches: 4,
  studentSteps: 2,
  checkpointEvery: 2,
} as const;

/** An IDX file of unsigned bytes. */
export function idxFile(shape: readonly number[], data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + shape.length * 4 + data.length);
  bytes.set([0, 0, 8, shape.length]);
  const view = new DataView(bytes.buffer);
  shape.forEach((size, axis) => view.setUint32(4 + axis * 4, size));
  bytes.set(data, 4 + shape.length * 4);
  return bytes;
}

/** IDX files of random 8x8 images with random labels, by file name. */
export function tinyData(
  options: { readonly count?: number; readonly classes?: number; readonly prefix?: string } = {},
): Map<string, Uint8Array> {
  const { prefix = 't10k' } = options;
  const { count, pixels, labels } = tinyImages(options);
  return new Map([
    [`${prefix}-images-idx3-ubyte`, idxFile([count, 8, 8], pixels)],
    [`${prefix}-labels-idx1-ubyte`, idxFile([count], Uint8Array.from(labels!))],
  ]);
}

/** The images that these files hold. */
export function tinyImages(
  options: { readonly count?: number; readonly classes?: number; readonly prefix?: string } = {},
): ImageSet {
  const { count = 24, classes = 3, prefix = 't10k' } = options;
  const random = createRandomStream(3, prefix);
  const pixels = Uint8Array.from(random.integers(count * 64, 256));
  const labels = Uint32Array.from(random.integers(count, classes));
  return { count, height: 8, width: 8, channels: 1, pixels, labels };
}
