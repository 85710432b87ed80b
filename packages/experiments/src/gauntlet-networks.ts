import type { Graph, ModelNode, Preprocessing } from '@dafl/core';

/** A small network of a kind that users bring and no default was made for. */
export interface GauntletNetwork {
  /**
   * Convolutions with strides, or residual blocks with pooling, both with batch norm; the latter with group norm and SiLU;
   * inverted residual blocks with ReLU6, as MobileNetV2 has them; a vision transformer. All end with an average.
   */
  readonly kind: 'strided' | 'residual' | 'group-norm' | 'inverted-residual' | 'transformer';
  readonly inputShape: readonly [height: number, width: number, channels: number];
  readonly classes: number;
  readonly widths: readonly number[];
  /** Of the pixels, 0..1, in every channel. */
  readonly mean: number;
  readonly standardDeviation: number;
}

/** A node of which the chain knows what it reads. */
type Link = ModelNode extends infer Node ? (Node extends ModelNode ? Omit<Node, 'inputs'> : never) : never;

/** Nodes, each of which reads the one before unless it names others. */
class Chain {
  readonly nodes: ModelNode[] = [];

  /** @returns The node's name. */
  put(node: Link, inputs: readonly string[] = [this.last]): string {
    this.nodes.push({ ...node, inputs });
    return node.name;
  }

  get last(): string {
    return this.nodes.at(-1)?.name ?? 'input';
  }

  convolve(name: string, filters: number, { size = 3, stride = 1, groups = 1, useBias = false } = {}): void {
    const [kernelSize, strides] = [[size, size] as const, [stride, stride] as const];
    // Patches are not padded.
    const side = stride === size ? 0 : (size - 1) / 2;
    const padding = { top: side, bottom: side, left: side, right: side };
    this.put({ kind: 'conv2d', name, filters, kernelSize, strides, padding, dilations: [1, 1], groups, useBias });
  }

  dense(name: string, units: number, inputs?: readonly string[]): string {
    return this.put({ kind: 'dense', name, units, useBias: true }, inputs);
  }
}

const GROUPS = 4;
const HEADS = 4;
const PATCH = 4;
const EXPANSION = 4;
const normal = { epsilon: 1e-5, affine: true };

/** The graph of a small network. */
export function gauntletGraph(network: GauntletNetwork): Graph {
  const { kind, inputShape, classes, mean, standardDeviation } = network;
  const chain = new Chain();
  if (kind === 'transformer') putTransformer(chain, network);
  else if (kind === 'inverted-residual') putInvertedResiduals(chain, network);
  else putConvolutions(chain, network);
  chain.dense('logits', classes);
  const each = (value: number): number[] => Array<number>(inputShape[2]).fill(value);
  const preprocessing: Preprocessing = {
    resize: 'bilinear',
    mean: each(mean),
    standardDeviation: each(standardDeviation),
  };
  return {
    name: kind,
    inputShape,
    nodes: chain.nodes,
    outputs: { logits: 'logits', features: 'features' },
    preprocessing,
  };
}

function putConvolutions(chain: Chain, { kind, widths }: GauntletNetwork): void {
  const layer = (name: string, filters: number, stride: number, activates = true): void => {
    chain.convolve(name, filters, { stride });
    if (kind === 'group-norm') chain.put({ kind: 'groupNorm', name: `${name}/norm`, groups: GROUPS, ...normal });
    else chain.put({ kind: 'batchNorm', name: `${name}/norm`, momentum: 0.1, ...normal });
    if (activates) bend(name);
  };
  const bend = (name: string): void =>
    void chain.put(
      kind === 'group-norm'
        ? { kind: 'activation', name: `${name}/silu`, function: 'silu' }
        : { kind: 'activation', name: `${name}/relu`, function: 'relu' },
    );
  widths.forEach((width, index) => {
    layer(`conv${index}`, width, index === 0 ? 1 : 2);
    if (kind === 'strided') return;
    if (index === 0) {
      const padding = { top: 0, bottom: 0, left: 0, right: 0 };
      chain.put({ kind: 'maxPool2d', name: 'pool', windowSize: [2, 2], strides: [2, 2], padding });
    }
    const shortcut = chain.last;
    layer(`block${index}/conv1`, width, 1);
    layer(`block${index}/conv2`, width, 1, false);
    chain.put({ kind: 'add', name: `block${index}/add` }, [shortcut, chain.last]);
    bend(`block${index}`);
  });
  chain.put({ kind: 'globalAveragePool2d', name: 'features' });
}

/** Sandler et al., "MobileNetV2", CVPR 2018: one block with a stride and one that adds its input, for each width. */
function putInvertedResiduals(chain: Chain, { widths }: GauntletNetwork): void {
  const layer = (name: string, filters: number, options: { size?: number; stride?: number; groups?: number }): void => {
    chain.convolve(name, filters, options);
    chain.put({ kind: 'batchNorm', name: `${name}/norm`, momentum: 0.1, ...normal });
  };
  const bend = (name: string): void => void chain.put({ kind: 'activation', name: `${name}/relu6`, function: 'relu6' });
  layer('stem', widths[0], { stride: 2 });
  bend('stem');
  widths.forEach((width, index) => {
    for (const part of ['first', 'second'] as const) {
      const name = `block${index}/${part}`;
      const before = chain.last;
      const wide = EXPANSION * (part === 'first' ? widths[Math.max(0, index - 1)] : width);
      layer(`${name}/expand`, wide, { size: 1 });
      bend(`${name}/expand`);
      layer(`${name}/depthwise`, wide, { groups: wide, stride: part === 'first' && index > 0 ? 2 : 1 });
      bend(`${name}/depthwise`);
      layer(`${name}/project`, width, { size: 1 });
      if (part === 'second') chain.put({ kind: 'add', name: `${name}/add` }, [before, chain.last]);
    }
  });
  const last = widths.at(-1)!;
  layer('head', EXPANSION * last, { size: 1 });
  bend('head');
  chain.put({ kind: 'globalAveragePool2d', name: 'features' });
}

/** Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021, with the mean of the tokens; one block for each width, which are alike. */
function putTransformer(chain: Chain, { inputShape: [height, breadth], widths }: GauntletNetwork): void {
  const [width] = widths;
  const tokens = (height / PATCH) * (breadth / PATCH);
  chain.convolve('patches', width, { size: PATCH, stride: PATCH, useBias: true });
  const embedded = chain.put({ kind: 'reshape', name: 'tokens', shape: [tokens, width] });
  chain.put({ kind: 'constant', name: 'positions', shape: [tokens, width], trainable: true }, []);
  chain.put({ kind: 'add', name: 'embedding' }, [embedded, 'positions']);
  widths.forEach((_, index) => {
    const name = `block${index}`;
    const before = chain.last;
    const normed = chain.put({ kind: 'layerNorm', name: `${name}/norm1`, ...normal });
    const [queries, keys, values] = (['query', 'key', 'value'] as const).map((part) => {
      chain.dense(`${name}/${part}`, width, [normed]);
      chain.put({ kind: 'reshape', name: `${name}/${part}/heads`, shape: [tokens, HEADS, width / HEADS] });
      const permutation = part === 'key' ? [1, 2, 0] : [1, 0, 2];
      return chain.put({ kind: 'transpose', name: `${name}/${part}/of-heads`, permutation });
    });
    chain.put({ kind: 'matMul', name: `${name}/scores` }, [queries, keys]);
    const factor = [1 / Math.sqrt(width / HEADS)];
    chain.put({ kind: 'affine', name: `${name}/scaled`, factor, summand: [0] });
    const weights = chain.put({ kind: 'softmax', name: `${name}/weights`, axis: 2, logarithm: false });
    chain.put({ kind: 'matMul', name: `${name}/attention` }, [weights, values]);
    chain.put({ kind: 'transpose', name: `${name}/of-tokens`, permutation: [1, 0, 2] });
    chain.put({ kind: 'reshape', name: `${name}/joined`, shape: [tokens, width] });
    chain.dense(`${name}/output`, width);
    const attended = chain.put({ kind: 'add', name: `${name}/add1` }, [before, chain.last]);
    chain.put({ kind: 'layerNorm', name: `${name}/norm2`, ...normal });
    chain.dense(`${name}/up`, 2 * width);
    chain.put({ kind: 'activation', name: `${name}/gelu`, function: 'gelu' });
    chain.dense(`${name}/down`, width);
    chain.put({ kind: 'add', name: `${name}/add2` }, [attended, chain.last]);
  });
  chain.put({ kind: 'layerNorm', name: 'norm', ...normal });
  chain.put({ kind: 'reduce', name: 'features', operation: 'mean', axes: [0], keepDimensions: false });
}
