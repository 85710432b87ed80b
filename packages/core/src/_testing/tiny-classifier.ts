import { train } from '@dafl/methods';
import type { TensorBackend } from '../backend.ts';
import type { ImageSet } from '../data/image-set.ts';
import type { Graph, Model } from '../model/model.ts';
import { createRandomStream } from '../random.ts';
import { activationNode, convNode, denseNode, maxPoolNode } from './nodes.ts';

const SIDE = 8;
const CLASSES = 4;

/** Pictures of four classes, 8x8 and grey: which quarter is bright, on noise. */
export function quarterImages(count: number, seed: number): ImageSet {
  const random = createRandomStream(seed, 'quarter images');
  const labels = Uint32Array.from(random.integers(count, CLASSES));
  const noise = random.integers(count * SIDE * SIDE, 100);
  const pixels = Uint8Array.from(noise, (value, index) => {
    const label = labels[Math.floor(index / (SIDE * SIDE))];
    const row = Math.floor(index / SIDE) % SIDE;
    const column = index % SIDE;
    const quarter = (row < SIDE / 2 ? 0 : 2) + (column < SIDE / 2 ? 0 : 1);
    return quarter === label ? 155 + value : value;
  });
  return { count, height: SIDE, width: SIDE, channels: 1, pixels, labels };
}

/**
 * A classifier for `quarterImages`.
 *
 * @param widths Channels of its convolution and of its first dense layer.
 * @param dropoutRate Before the last layer; 0 for none.
 */
export function tinyGraph([filters, units]: readonly [number, number] = [4, 16], dropoutRate = 0): Graph {
  return {
    name: 'tiny',
    inputShape: [SIDE, SIDE, 1],
    nodes: [
      convNode('conv', 'input', filters),
      activationNode('conv.relu', 'conv'),
      maxPoolNode('pool', 'conv.relu', { windowSize: [4, 4], strides: [4, 4] }),
      { kind: 'flatten', name: 'flatten', inputs: ['pool'], order: 'chw' },
      denseNode('hidden', 'flatten', units),
      activationNode('hidden.relu', 'hidden'),
      { kind: 'dropout', name: 'dropout', inputs: ['hidden.relu'], rate: dropoutRate },
      denseNode('logits', 'dropout', CLASSES),
    ],
    outputs: { logits: 'logits', features: 'flatten' },
    preprocessing: { resize: 'bilinear', mean: [0.3], standardDeviation: [0.3] },
  };
}

/** The classifier, trained to know `quarterImages`: some 99 % of fresh ones. */
export async function trainTinyTeacher(backend: TensorBackend): Promise<Model> {
  const training = train({
    backend,
    graph: tinyGraph(),
    data: quarterImages(320, 1),
    optimizer: { kind: 'adam' },
    schedule: { kind: 'cosine', learningRate: 2e-2 },
    epochs: 4,
    batchSize: 32,
    seed: 1,
  });
  for await (const event of training) if (event.event === 'result') return event.model;
  throw new Error('Expected a result');
}
