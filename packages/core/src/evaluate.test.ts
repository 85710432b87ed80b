import { createCpuBackend } from '@dafl/backend-cpu';
import { describe, expect, it } from 'vitest';
import { denseNode } from './_testing/nodes.ts';
import type { ImageSet } from './data/image-set.ts';
import { DaflError } from './errors.ts';
import { evaluate } from './evaluate.ts';
import { createNetwork } from './model/network.ts';

const backend = createCpuBackend();

/** Tells dark (0) from grey (1) and light (2) pictures of one pixel: logits 0, x - 0.25, 2x - 1. */
const network = createNetwork(backend, {
  graph: {
    name: 'shades',
    inputShape: [1, 1, 1],
    nodes: [{ kind: 'flatten', name: 'flat', inputs: ['input'], order: 'hwc' }, denseNode('head', 'flat', 3)],
    outputs: { logits: 'head', features: 'flat' },
  },
  weights: new Map([
    ['head.kernel', { shape: [1, 3], data: Float32Array.of(0, 1, 2) }],
    ['head.bias', { shape: [3], data: Float32Array.of(0, -0.25, -1) }],
  ]),
});

function pictures(pixels: number[], labels?: number[]): ImageSet {
  return {
    count: pixels.length,
    height: 1,
    width: 1,
    channels: 1,
    pixels: Uint8Array.from(pixels),
    labels: labels && Uint32Array.from(labels),
  };
}

describe('evaluate', () => {
  // Boundaries at 64 and 191.
  const images = pictures([0, 63, 65, 190, 192, 255, 10], [0, 0, 1, 1, 2, 1, 2]);

  it('counts what was found, by truth and prediction', async () => {
    expect(await evaluate(network, images)).toEqual({
      accuracy: 5 / 7,
      count: 7,
      confusion: [
        [2, 0, 0],
        [0, 2, 1],
        [1, 0, 1],
      ],
    });
  });

  it('does not depend on the size of its batches, and leaves no tensor behind', async () => {
    const before = backend.memory().tensors;
    const expected = await evaluate(network, images);
    for (const batchSize of [1, 2, 3, 7, 100]) {
      expect(await evaluate(network, images, { batchSize })).toEqual(expected);
    }
    expect(backend.memory().tensors).toBe(before);
  });

  it('refuses images without labels and labels that the classifier does not know', async () => {
    await expect(evaluate(network, pictures([0]))).rejects.toThrow(DaflError);
    await expect(evaluate(network, pictures([0]))).rejects.toThrow(
      'Cannot evaluate as the images must have labels: current value is none',
    );
    await expect(evaluate(network, pictures([0, 0, 0], [0, 2, 3]), { batchSize: 2 })).rejects.toThrow(
      'Cannot evaluate as labels must be below 3: current value at 2 is 3',
    );
  });

  it('refuses an empty set', async () => {
    await expect(evaluate(network, pictures([], []))).rejects.toThrow(
      new DaflError('DATA', 'Cannot evaluate as there must be images: current value is 0'),
    );
  });

  it('takes turns between batches', async () => {
    let turns = 0;
    const turn = async () => void turns++;
    await evaluate(network, images, { batchSize: 2, turn });
    expect(turns).toBe(4);
  });

  it('stops between batches when it is told to', async () => {
    const reason = new Error('enough');
    await expect(evaluate(network, images, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
