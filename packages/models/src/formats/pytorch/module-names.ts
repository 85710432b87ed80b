import type { Graph, ModelNode } from '@dafl/core';

/** How PyTorch code calls the layers of some built-in architectures. */
export interface ModuleNaming {
  /** Whose names they are. */
  readonly source: string;
  /** Keys of `architectures`. */
  readonly architectures: readonly string[];
  /** The module of a node that has weights. */
  readonly nameOf: (node: ModelNode, graph: Graph) => string | undefined;
}

const isWeighted = ({ kind }: ModelNode): boolean => kind === 'conv2d' || kind === 'batchNorm' || kind === 'dense';

const smallResnets = ['resnet18', 'resnet34', 'resnet50', 'resnet20', 'resnet32', 'resnet56'];
const largeResnets = ['resnet18-imagenet', 'resnet34-imagenet', 'resnet50-imagenet', 'resnet101-imagenet'];

/** Names by the paths of `resnet`: `stage1/block1/conv1` is layer1.0.conv1. */
function nameResnet(shortcut: string, head: string): (node: ModelNode) => string | undefined {
  return ({ name }) => {
    const block = /^stage(\d+)\/block(\d+)\/(.*)$/.exec(name);
    if (block === null)
      return new Map([
        ['stem', 'conv1'],
        ['stem/norm', 'bn1'],
        ['logits', head],
      ]).get(name);
    const [, stage, index, part] = block;
    const parts: Readonly<Record<string, string>> = { shortcut: `${shortcut}.0`, 'shortcut/norm': `${shortcut}.1` };
    return `layer${stage}.${Number(index) - 1}.${parts[part] ?? part.replace('norm', 'bn')}`;
  };
}

/** Number of the stage and of the block that a node of `mobilenetV2` belongs to, and what it is there. */
const inBlock = /^stage(\d+)\/block(\d+)\/(expand|depthwise|project)(\/norm)?$/;

const counted = new WeakMap<Graph, ReadonlyMap<string, number>>();

/** The blocks of a graph, in order, from 1: `features` of torchvision are counted through. */
function countBlocks(graph: Graph): ReadonlyMap<string, number> {
  const { nodes } = graph;
  const known = counted.get(graph);
  if (known !== undefined) return known;
  const blocks = new Map<string, number>();
  counted.set(graph, blocks);
  for (const { name } of nodes) {
    const found = inBlock.exec(name);
    const path = found === null ? undefined : `${found[1]}/${found[2]}`;
    if (path !== undefined && !blocks.has(path)) blocks.set(path, blocks.size + 1);
  }
  return blocks;
}

function nameMobilenet({ name }: ModelNode, graph: Graph): string | undefined {
  const blocks = countBlocks(graph);
  const found = inBlock.exec(name);
  if (found === null) {
    const last = blocks.size + 1;
    return new Map([
      ['stem', 'features.0.0'],
      ['stem/norm', 'features.0.1'],
      ['head', `features.${last}.0`],
      ['head/norm', `features.${last}.1`],
      ['logits', 'classifier.1'],
    ]).get(name);
  }
  const [, stage, block, part, norm] = found;
  // The first stage does not expand.
  const expands = stage === '1' ? 0 : 1;
  const path = `features.${blocks.get(`${stage}/${block}`)}.conv`;
  const isNorm = norm !== undefined;
  if (part === 'project') return `${path}.${1 + expands + (isNorm ? 1 : 0)}`;
  return `${path}.${part === 'expand' ? 0 : expands}.${isNorm ? 1 : 0}`;
}

/** As timm builds it of its own blocks. */
function nameMobilenetOfTimm({ name }: ModelNode): string | undefined {
  const found = inBlock.exec(name);
  if (found === null) {
    return new Map([
      ['stem', 'conv_stem'],
      ['stem/norm', 'bn1'],
      ['head', 'conv_head'],
      ['head/norm', 'bn2'],
      ['logits', 'classifier'],
    ]).get(name);
  }
  const [, stage, block, part, norm] = found;
  const isFirst = stage === '1';
  const parts = isFirst ? ['depthwise', 'project'] : ['expand', 'depthwise', 'project'];
  const convolutions = isFirst ? ['conv_dw', 'conv_pw'] : ['conv_pw', 'conv_dw', 'conv_pwl'];
  const index = parts.indexOf(part);
  return `blocks.${Number(stage) - 1}.${Number(block) - 1}.${norm === undefined ? convolutions[index] : `bn${index + 1}`}`;
}

/** `nn.Sequential` counts layers without weights too. The classifier of AlexNet begins with a dropout, that of VGG does not. */
function nameSequential(denseIndices: readonly number[]): (node: ModelNode, graph: Graph) => string | undefined {
  return ({ kind, name }, { nodes }) => {
    const before = nodes.slice(
      0,
      nodes.findIndex((node) => node.name === name),
    );
    if (kind !== 'dense') return `features.${before.length}`;
    return `classifier.${denseIndices[before.filter((node) => node.kind === 'dense').length]}`;
  };
}

function nameInOrder(names: Readonly<Record<string, string>>): (node: ModelNode) => string | undefined {
  return ({ name }) => names[name];
}

/** All namings that are known. Of those of an architecture, the first is what is written. */
export const moduleNamings: readonly ModuleNaming[] = [
  {
    source: 'torchvision and timm',
    architectures: [...smallResnets, ...largeResnets],
    nameOf: nameResnet('downsample', 'fc'),
  },
  { source: 'kuangliu/pytorch-cifar', architectures: smallResnets, nameOf: nameResnet('shortcut', 'linear') },
  { source: 'torchvision', architectures: ['mobilenetv2', 'mobilenetv2-imagenet'], nameOf: nameMobilenet },
  { source: 'timm', architectures: ['mobilenetv2', 'mobilenetv2-imagenet'], nameOf: nameMobilenetOfTimm },
  { source: 'torchvision', architectures: ['alexnet'], nameOf: nameSequential([1, 4, 6]) },
  {
    source: 'torchvision',
    architectures: ['vgg11-imagenet', 'vgg16-imagenet', 'vgg11-bn-imagenet', 'vgg16-bn-imagenet'],
    nameOf: nameSequential([0, 3, 6]),
  },
  {
    source: 'HobbitLong/RepDistiller',
    architectures: ['vgg8', 'vgg11'],
    nameOf: ({ name }) => {
      const layer = /^stage(\d)\/conv(\d)(\/norm)?$/.exec(name);
      if (layer === null) return name === 'logits' ? 'classifier' : undefined;
      const [, stage, index, norm] = layer;
      return `block${Number(stage) - 1}.${3 * (Number(index) - 1) + (norm === undefined ? 0 : 1)}`;
    },
  },
  {
    source: 'HobbitLong/RepDistiller',
    architectures: ['wrn-16-1', 'wrn-16-2', 'wrn-40-1', 'wrn-40-2'],
    nameOf: ({ name }) => {
      const block = /^stage(\d)\/block(\d+)\/(.*)$/.exec(name);
      if (block === null)
        return new Map([
          ['stem', 'conv1'],
          ['norm', 'bn1'],
          ['logits', 'fc'],
        ]).get(name);
      const [, stage, index, part] = block;
      const parts: Readonly<Record<string, string>> = { shortcut: 'convShortcut' };
      return `block${stage}.layer.${Number(index) - 1}.${parts[part] ?? part.replace('norm', 'bn')}`;
    },
  },
  {
    source: "DAFL's official code",
    architectures: ['lenet5', 'lenet5-half'],
    nameOf: nameInOrder({ conv1: 'conv1', conv2: 'conv2', conv3: 'conv3', dense: 'fc1', logits: 'fc2' }),
  },
  {
    source: 'common use',
    architectures: ['hintonnet', 'hintonnet-800'],
    nameOf: nameInOrder({ dense1: 'fc1', dense2: 'fc2', logits: 'fc3' }),
  },
];

/**
 * The module of each node that has weights, in the order in which PyTorch lists them: shortcuts of a block last.
 *
 * @returns Undefined where a node has none.
 */
export function nameModules(graph: Graph, { nameOf }: ModuleNaming): Map<string, string> | undefined {
  const blocks = new Map<string, { readonly inner: ModelNode[]; readonly shortcuts: ModelNode[] }>();
  for (const node of graph.nodes.filter(isWeighted)) {
    const path = /^stage\d+\/block\d+/.exec(node.name)?.[0] ?? node.name;
    const block = blocks.get(path) ?? { inner: [], shortcuts: [] };
    blocks.set(path, block);
    (node.name.includes('/shortcut') ? block.shortcuts : block.inner).push(node);
  }
  const ordered = [...blocks.values()].flatMap(({ inner, shortcuts }) => [...inner, ...shortcuts]);
  const modules = new Map<string, string>();
  for (const node of ordered) {
    const module = nameOf(node, graph);
    if (module === undefined) return undefined;
    modules.set(node.name, module);
  }
  return modules;
}
