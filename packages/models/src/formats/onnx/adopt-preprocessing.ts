import type { AffineNode, Graph, Model, ModelNode, Preprocessing } from '@dafl/core';

/** Steps smaller than this for one unit of the input say that it counts pixels by 0..255. */
const SMALL_FACTOR = 0.05;
/** Means larger than this do so as well. */
const LARGE_MEAN = 1.5;

/** factor x pixel + summand, for each channel of the input. */
interface Scale {
  readonly factor: readonly number[];
  readonly summand: readonly number[];
}

/**
 * Takes arithmetic on the input (subtractions of means, divisions by deviations or by 255) out of a network and makes
 * it its preprocessing, also where it stands behind another order of the channels, a resize or a border. What turns pixels to
 * their negative stays a node.
 *
 * @returns The model, and what is known of its input, in a sentence.
 */
export function adoptPreprocessing(model: Model): { model: Model; note: string } {
  const { graph, weights } = model;
  const found = followInput(graph);
  if (found === undefined) {
    return {
      model,
      note: 'The file does not say which range of pixels it takes: 0..1 is assumed. Other conventions are -1..1 (--range -1..1), 0..255 (--range 0..255) and the mean and deviation of the training data (--mean, --std)',
    };
  }
  const { factor, summand } = found.scale;
  const means = summand.map((value, channel) => 0 - value / factor[channel]);
  const isByte =
    factor.some((value) => Math.abs(value) < SMALL_FACTOR) || means.some((mean) => Math.abs(mean) > LARGE_MEAN);
  const range = isByte ? 255 : 1;
  const isNegative = factor.some((value) => value < 0);
  const preprocessing: Preprocessing = {
    resize: 'bilinear',
    mean: means.map((mean) => (isNegative ? 0 : mean / range)),
    standardDeviation: factor.map((value) => 1 / (Math.abs(value) * range)),
  };
  const nodes = isNegative ? putFirst(found.nodes, { factor: factor.map(Math.sign), summand }) : found.nodes;
  return {
    model: { graph: { ...graph, nodes, preprocessing }, weights },
    note: `Arithmetic on its input is taken as preprocessing, of pixels in 0..${range}`,
  };
}

/** The arithmetic between the input and the first node that is something else, and the nodes without it. */
function followInput(graph: Graph): { scale: Scale; nodes: ModelNode[] } | undefined {
  const channels = graph.inputShape.at(-1)!;
  const factor = Array<number>(channels).fill(1);
  const summand = Array<number>(channels).fill(0);
  const outputs = new Set(Object.values(graph.outputs));
  let nodes = [...graph.nodes];
  let at = 'input';
  /** The channel of the input that each channel shows. */
  let shown = factor.map((_, channel) => channel);
  let count = 0;
  const take = (node: AffineNode, places: readonly number[]): void => {
    for (const place of places) {
      const pick = (list: readonly number[]) => list[list.length === 1 ? 0 : place];
      const channel = shown[place];
      summand[channel] = summand[channel] * pick(node.factor) + pick(node.summand);
      factor[channel] *= pick(node.factor);
    }
    nodes = nodes
      .filter(({ name }) => name !== node.name)
      .map((other) => ({ ...other, inputs: other.inputs.map((name) => (name === node.name ? node.inputs[0] : name)) }));
    count++;
  };
  const all = shown.map((_, place) => place);
  for (;;) {
    const readers = nodes.filter((node) => node.inputs.includes(at));
    if (readers.length === 0 || readers.some(({ name }) => outputs.has(name))) break;
    const [node] = readers;
    if (readers.length > 1) {
      const order = readOrder(nodes, readers, channels, outputs);
      if (order === undefined) break;
      for (const { node: step, place } of order.steps) take(step, [place]);
      shown = order.places.map((place) => shown[place]);
      at = order.name;
    } else if (node.kind === 'affine') take(node, all);
    else if (node.kind === 'resize2d' || node.kind === 'upsampleNearest2d') at = node.name;
    else if (node.kind === 'pad2d' && (node.mode ?? 'constant') !== 'constant') at = node.name;
    else if (node.kind === 'pad2d') {
      // A border of one number stands behind the arithmetic from now on.
      const [next, ...others] = nodes.filter(({ inputs }) => inputs.includes(node.name));
      const isOne = next?.kind === 'affine' && next.factor.length === 1 && next.summand.length === 1;
      if (!isOne || others.length > 0 || outputs.has(next.name)) break;
      take(next, all);
      const value = (node.value ?? 0) * next.factor[0] + next.summand[0];
      nodes = nodes.map((other) => (other.name === node.name ? { ...node, value } : other));
    } else break;
  }
  return count === 0 || factor.some((value) => value === 0 || !Number.isFinite(value))
    ? undefined
    : { scale: { factor, summand }, nodes };
}

/** Channels that are taken apart and put together in another order, and the arithmetic on each of them meanwhile. */
interface ChannelOrder {
  /** Of the node that puts them together. */
  readonly name: string;
  /** Which channel stands at each place of it. */
  readonly places: readonly number[];
  readonly steps: readonly { readonly node: AffineNode; readonly place: number }[];
}

/** @param readers What reads the picture. */
function readOrder(
  nodes: readonly ModelNode[],
  readers: readonly ModelNode[],
  channels: number,
  outputs: ReadonlySet<string>,
): ChannelOrder | undefined {
  const steps: { node: AffineNode; place: number }[] = [];
  const found = new Map<string, number>();
  for (const reader of readers) {
    if (reader.kind !== 'slice' || reader.size.at(-1) !== 1 || reader.begin.slice(0, -1).some((begin) => begin !== 0))
      return undefined;
    const place = reader.begin.at(-1)!;
    let { name } = reader;
    for (;;) {
      const next = nodes.filter(({ inputs }) => inputs.includes(name));
      if (next.length !== 1 || outputs.has(name)) return undefined;
      const [node] = next;
      if (node.kind !== 'affine') break;
      steps.push({ node, place });
      ({ name } = node);
    }
    found.set(name, place);
  }
  const joined = nodes.find(({ kind, inputs }) => kind === 'concat' && inputs.some((name) => found.has(name)));
  const places = joined?.inputs.map((name) => found.get(name));
  const isWhole = places?.length === channels && new Set(places).size === channels && !places.includes(undefined);
  return joined !== undefined && isWhole ? { name: joined.name, places: places as number[], steps } : undefined;
}

/** Nodes with arithmetic put before them. */
function putFirst(nodes: readonly ModelNode[], { factor, summand }: Scale): ModelNode[] {
  let name = 'negative';
  while (nodes.some((node) => node.name === name)) name += '_';
  const first: AffineNode = { kind: 'affine', name, inputs: ['input'], factor, summand };
  return [
    first,
    ...nodes.map((node) => ({ ...node, inputs: node.inputs.map((input) => (input === 'input' ? name : input)) })),
  ];
}
