import type { Graph, ModelNode } from '../model/model.ts';
import { createRandomStream } from '../random.ts';
import { activationNode, convNode, denseNode, maxPoolNode, normNode } from './nodes.ts';

/**
 * A small classifier of images 8x8x3, another for each seed: residual blocks, concatenations, squeeze-and-excitation,
 * groups, depth multipliers, constants for each channel, a row that becomes maps, and several kinds of heads.
 */
export function randomGraph(seed: number): Graph {
  const random = createRandomStream(seed, 'graph');
  const pick = (count: number): number => random.integers(1, count)[0];
  const nodes: ModelNode[] = [];
  let [last, width, side] = ['input', 3, 8];
  const put = (node: ModelNode, newWidth = width): string => {
    nodes.push(node);
    [last, width] = [node.name, newWidth];
    return last;
  };
  const name = (kind: string): string => `${kind}${nodes.length}`;
  const convolve = (filters: number, groups = 1): string => {
    put(convNode(name('conv'), last, filters, { groups, useBias: pick(2) === 0 }), filters);
    if (pick(2) === 0) put(normNode(name('norm'), last, { affine: pick(4) > 0 }));
    return pick(3) === 0
      ? last
      : put(activationNode(name('act'), last, (['relu', 'tanh', 'hardSwish', 'silu'] as const)[pick(4)]));
  };
  const blocks: readonly (() => void)[] = [
    () => convolve(2 + pick(8)),
    () => {
      const [before, size] = [last, width];
      convolve(2 + pick(6));
      convolve(size);
      put({ kind: 'add', name: name('sum'), inputs: pick(2) === 0 ? [before, last] : [last, before] });
    },
    () => {
      const [before, size] = [last, width];
      convolve(2 + pick(5));
      put({ kind: 'concat', name: name('joined'), inputs: [before, last] }, size + width);
    },
    () => {
      // A sum of what was joined and of one layer: its channels belong to two layers each.
      const before = last;
      const left = convolve(2 + pick(4));
      const leftWidth = width;
      last = before;
      const right = convolve(2 + pick(4));
      const joined = put({ kind: 'concat', name: name('joined'), inputs: [left, right] }, leftWidth + width);
      convolve(width);
      put({ kind: 'add', name: name('sum'), inputs: [joined, last] });
    },
    () => {
      const [before, size] = [last, width];
      put({ kind: 'globalAveragePool2d', name: name('squeeze'), inputs: [last] });
      put(denseNode(name('reduce'), last, 3), 3);
      put(activationNode(name('act'), last));
      put(denseNode(name('expand'), last, size), size);
      put(activationNode(name('gate'), last, 'sigmoid'));
      if (pick(2) === 0) put({ kind: 'reshape', name: name('map'), inputs: [last], shape: [1, 1, size] });
      put({ kind: 'multiply', name: name('gated'), inputs: [before, last] });
    },
    () => {
      const groups = 2 + pick(2);
      convolve(groups * (1 + pick(3)));
      convolve(groups * (1 + pick(3)), groups);
    },
    () => {
      if (width === 1) return;
      convolve(width * (1 + pick(2)), width);
    },
    () =>
      put({
        kind: 'affine',
        name: name('affine'),
        inputs: [last],
        factor: [...random.uniform(width, 0.5, 1.5)],
        summand: [...random.uniform(width, -0.5, 0.5)],
      }),
    () => {
      if (side < 4) return;
      side /= 2;
      put(maxPoolNode(name('pool'), last));
    },
  ];
  const count = 3 + pick(4);
  for (let block = 0; block < count; block++) blocks[pick(blocks.length)]();
  const heads: readonly (() => void)[] = [
    () => put({ kind: 'globalAveragePool2d', name: name('pool'), inputs: [last] }),
    () =>
      put(
        { kind: 'flatten', name: name('flat'), inputs: [last], order: pick(2) === 0 ? 'hwc' : 'chw' },
        side * side * width,
      ),
    () =>
      put({ kind: 'reshape', name: name('row'), inputs: [last], shape: [side * side * width] }, side * side * width),
    () => {
      put({ kind: 'globalAveragePool2d', name: name('pool'), inputs: [last] });
      put(denseNode(name('project'), last, 24), 24);
      put({ kind: 'reshape', name: name('maps'), inputs: [last], shape: [2, 2, 6] }, 6);
      convolve(5);
      put({ kind: 'flatten', name: name('flat'), inputs: [last], order: 'hwc' }, 20);
    },
  ];
  heads[pick(heads.length)]();
  const features = put(denseNode(name('hidden'), last, 7), 7);

  put(denseNode('logits', features, 4), 4);
  return { name: `random-${seed}`, inputShape: [8, 8, 3], nodes, outputs: { logits: 'logits', features } };
}
