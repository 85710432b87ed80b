import type { Graph, ModelNode, Preprocessing } from '@dafl/core';

/** A small network of a kind that users bring and no default was made for. */
export interface GauntletNetwork {
  /** Convolutions with strides, or residual blocks with pooling; both with batch norm and a global average. */
  readonly kind: 'strided' | 'residual';
  readonly inputShape: readonly [height: number, width: number, channels: number];
  readonly classes: number;
  readonly widths: readonly number[];
  /** Of the pixels, 0..1, in every channel. */
  readonly mean: number;
  readonly standardDeviation: number;
}

/** The graph of a small network. */
export function gauntletGraph(network: GauntletNetwork): Graph {
  const { kind, inputShape, classes, widths, mean, standardDeviation } = network;
  const nodes: ModelNode[] = [];
  const last = (): string => nodes.at(-1)?.name ?? 'input';
  const layer = (name: string, filters: number, stride: number, activates = true): void => {
    nodes.push(
      {
        kind: 'conv2d',
        name,
        inputs: [last()],
        filters,
        kernelSize: [3, 3],
        strides: [stride, stride],
        padding: { top: 1, bottom: 1, left: 1, right: 1 },
        dilations: [1, 1],
        groups: 1,
        useBias: false,
      },
      { kind: 'batchNorm', name: `${name}/norm`, inputs: [name], epsilon: 1e-5, momentum: 0.1, affine: true },
    );
    if (activates) relu(name);
  };
  const relu = (name: string): void =>
    void nodes.push({ kind: 'activation', name: `${name}/relu`, inputs: [last()], function: 'relu' });
  widths.forEach((width, index) => {
    layer(`conv${index}`, width, index === 0 ? 1 : 2);
    if (kind === 'strided') return;
    if (index === 0) {
      nodes.push({
        kind: 'maxPool2d',
        name: 'pool',
        inputs: [last()],
        windowSize: [2, 2],
        strides: [2, 2],
        padding: { top: 0, bottom: 0, left: 0, right: 0 },
      });
    }
    const shortcut = last();
    layer(`block${index}/conv1`, width, 1);
    layer(`block${index}/conv2`, width, 1, false);
    nodes.push({ kind: 'add', name: `block${index}/add`, inputs: [shortcut, last()] });
    relu(`block${index}`);
  });
  nodes.push(
    { kind: 'globalAveragePool2d', name: 'features', inputs: [last()] },
    { kind: 'dense', name: 'logits', inputs: ['features'], units: classes, useBias: true },
  );
  const each = (value: number): number[] => Array<number>(inputShape[2]).fill(value);
  const preprocessing: Preprocessing = {
    resize: 'bilinear',
    mean: each(mean),
    standardDeviation: each(standardDeviation),
  };
  return { name: kind, inputShape, nodes, outputs: { logits: 'logits', features: 'features' }, preprocessing };
}
