import {
  check,
  type Conv2dNode,
  createTurn,
  describeModel,
  fail,
  type HostTensor,
  inferShapes,
  type Model,
  type ModelNode,
} from '@dafl/core';
import type { Breathe } from './_tridiagonal.ts';
import { decomposeMatrix, type SingularDecomposition, type SingularPairs } from './decompose-matrix.ts';

/** How whoever waits hears of it, and ends it. */
export interface FactorizationSettings {
  readonly signal?: AbortSignal;
  /** Told every second what share of the work is done, in [0, 1), and at the end, if it takes so long: 1. */
  readonly onFactorization?: (share: number) => void;
}

/** Signals are heard so often. */
const BREATH_MS = 20;
const TELL_MS = 1_000;

/**
 * A smaller network that computes nearly what the model computes: a convolution becomes a column of weights (k x 1) into
 * few channels, then a row (1 x k) out of them, the nearest such pair in the least-squares sense. Those that would cost
 * as much in two parts stay whole. No data are needed.
 *
 * Sources: Jaderberg et al., "Speeding up Convolutional Neural Networks with Low Rank Expansions", BMVC 2014, scheme 2, by
 * truncated singular value decomposition; how many channels each pair gets, by greedy choice for a large product of the
 * kept energies: Zhang et al., "Accelerating Very Deep Convolutional Networks for Classification and Detection", TPAMI
 * 2016, section 2.4. Not part of the DAFL paper.
 *
 * @param share Multiply-accumulates of the result, at most, as a share of the model's; in (0, 1).
 * @throws {DaflError} `MODEL` if there is no convolution that can be split (1x1 and grouped ones can't); `USAGE` if the
 * share is out of range, or less than what is left when each convolution keeps one channel. `AbortError` if the signal is
 * aborted.
 */
export async function factorizeConvolutions(
  model: Model,
  share: number,
  settings: FactorizationSettings = {},
): Promise<Model> {
  const { graph, weights } = model;
  check(share > 0 && share < 1, { cannot: `factorize '${graph.name}'`, as: "'share' must be in (0, 1)", value: share });
  const splits = await splitConvolutions(model, share, settings);
  const nodes: ModelNode[] = [];
  const factorized = new Map<string, HostTensor>(weights);
  for (const node of graph.nodes) {
    const split = splits.get(node.name);
    if (node.kind !== 'conv2d' || split === undefined) {
      nodes.push(node);
      continue;
    }
    const { padding, strides, dilations } = node;
    const column = `${node.name}/column`;
    factorized.set(`${column}.kernel`, split.column);
    factorized.set(`${node.name}.kernel`, split.row);
    nodes.push(
      {
        ...node,
        name: column,
        filters: split.rank,
        kernelSize: [node.kernelSize[0], 1],
        strides: [strides[0], 1],
        dilations: [dilations[0], 1],
        padding: { ...padding, left: 0, right: 0 },
        useBias: false,
      },
      {
        ...node,
        inputs: [column],
        kernelSize: [1, node.kernelSize[1]],
        strides: [1, strides[1]],
        dilations: [1, dilations[1]],
        padding: { ...padding, top: 0, bottom: 0 },
      },
    );
  }
  return { graph: { ...graph, name: `${graph.name}-low-rank`, nodes }, weights: factorized };
}

/** Kernels of a convolution in two parts. */
interface Split {
  readonly rank: number;
  /** Shape `[height, 1, inputs, rank]`. */
  readonly column: HostTensor;
  /** Shape `[1, width, rank, outputs]`. */
  readonly row: HostTensor;
}

/** A convolution as a sum of pairs of a column and a row, the most telling first. */
class Factors {
  /** How many pairs are taken. */
  rank = 1;
  /** Share of the whole's squares that each pair holds, falling. */
  readonly energies: readonly number[];
  readonly #shape: readonly number[];
  readonly #decomposition: SingularDecomposition;

  private constructor(shape: readonly number[], decomposition: SingularDecomposition) {
    this.#shape = shape;
    this.#decomposition = decomposition;
    const squares = Array.from(decomposition.squares);
    const total = squares.reduce((sum, square) => sum + square, 0);
    // What rounding leaves is nothing to spend a pair on.
    this.energies = squares.map((square) => (square > 1e-12 * total ? square / total : 0));
  }

  /** @param kernel Shape `[height, width, inputs, outputs]`. */
  static async of({ shape, data }: HostTensor, breathe: Breathe): Promise<Factors> {
    const [height, width, inputs, outputs] = shape;
    const [rows, columns] = [height * inputs, width * outputs];
    const matrix = new Float32Array(rows * columns);
    let position = 0;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let input = 0; input < inputs; input++) {
          const begin = (y * inputs + input) * columns + x * outputs;
          for (let output = 0; output < outputs; output++) matrix[begin + output] = data[position++];
        }
      }
    }
    return new Factors(shape, await decomposeMatrix({ rows, columns, data: matrix }, breathe));
  }

  /** The first `rank` pairs. Both parts get the root of the singular value, so that neither learns faster than the other. */
  async split(): Promise<Split> {
    const [height, width, inputs, outputs] = this.#shape;
    const { rank } = this;
    const { values, left, right }: SingularPairs = await this.#decomposition.pairs(rank);
    const column = new Float32Array(height * inputs * rank);
    const row = new Float32Array(width * rank * outputs);
    for (let pair = 0; pair < rank; pair++) {
      const scale = Math.sqrt(values[pair]);
      for (let line = 0; line < height * inputs; line++)
        column[line * rank + pair] = left[pair * height * inputs + line] * scale;
      for (let x = 0; x < width; x++) {
        for (let output = 0; output < outputs; output++)
          row[(x * rank + pair) * outputs + output] = right[(pair * width + x) * outputs + output] * scale;
      }
    }
    return {
      rank,
      column: { shape: [height, 1, inputs, rank], data: column },
      row: { shape: [1, width, rank, outputs], data: row },
    };
  }
}

/** What a convolution that can be split costs in multiply-accumulates. */
interface Cost {
  readonly name: string;
  /** Whole. */
  readonly cost: number;
  /** Of one pair. */
  readonly costOfPair: number;
  /** What decomposing it takes, in comparison with others. */
  readonly work: number;
}

/** The same with its pairs. */
interface Candidate extends Cost {
  readonly factors: Factors;
  /** Share of the kernel's squares that the pairs taken so far hold. */
  kept: number;
}

/** The convolutions to split, by name. */
async function splitConvolutions(
  model: Model,
  share: number,
  { signal, onFactorization }: FactorizationSettings,
): Promise<ReadonlyMap<string, Split>> {
  const { name: modelName } = model.graph;
  const costs = listCosts(model);
  if (costs.length === 0) {
    fail({
      code: 'MODEL',
      cannot: `factorize '${modelName}'`,
      as: 'it must have ordinary convolutions larger than 1x1',
      value: 'none',
    });
  }
  const { multiplyAccumulates: total } = describeModel(model.graph);
  const costAt = ({ cost, costOfPair }: Cost, rank: number): number => Math.min(cost, costOfPair * rank);
  const sum = (values: readonly number[]): number => values.reduce((before, value) => before + value, 0);
  const fixed = total - sum(costs.map(({ cost }) => cost));
  const least = fixed + sum(costs.map((cost) => costAt(cost, 1)));
  let left = share * total - least;
  if (left < 0) {
    fail({
      cannot: `factorize '${modelName}'`,
      as: `'student' must be low-rank-${Math.ceil((1000 * least) / total) / 1000} or more, which leaves each convolution a channel`,
      value: share,
    });
  }
  // Each is decomposed, and then split.
  const work = 2 * sum(costs.map((cost) => cost.work));
  let done = 0;
  const turn = createTurn();
  const startedMs = performance.now();
  let breathedMs = startedMs;
  let toldMs = startedMs;
  const breathe = async (): Promise<void> => {
    if (performance.now() - breathedMs < BREATH_MS) return;
    await turn();
    signal?.throwIfAborted();
    breathedMs = performance.now();
    if (breathedMs - toldMs < TELL_MS) return;
    toldMs = breathedMs;
    onFactorization?.(done / work);
  };
  const candidates: Candidate[] = [];
  for (const cost of costs) {
    const factors = await Factors.of(model.weights.get(`${cost.name}.kernel`)!, breathe);
    candidates.push({ ...cost, factors, kept: factors.energies[0] });
    done += cost.work;
  }
  for (;;) {
    let best: Candidate | undefined;
    let bestGain = 0;
    for (const candidate of candidates) {
      const { factors, kept } = candidate;
      const price = costAt(candidate, factors.rank + 1) - costAt(candidate, factors.rank);
      if (price === 0 || price > left) continue;
      const gain = Math.log1p((factors.energies[factors.rank] ?? 0) / kept) / price;
      if (gain > bestGain) [best, bestGain] = [candidate, gain];
    }
    if (best === undefined) break;
    const { factors } = best;
    left -= costAt(best, factors.rank + 1) - costAt(best, factors.rank);
    best.kept += factors.energies[factors.rank];
    factors.rank++;
  }
  const splits = new Map<string, Split>();
  for (const candidate of candidates) {
    const { name, factors, cost } = candidate;
    if (costAt(candidate, factors.rank) < cost) splits.set(name, await factors.split());
    done += candidate.work;
  }
  if (toldMs > startedMs) onFactorization?.(1);
  return splits;
}

function listCosts({ graph }: Model): Cost[] {
  const shapes = inferShapes(graph);
  const costs = new Map(describeModel(graph).nodes.map(({ name, multiplyAccumulates }) => [name, multiplyAccumulates]));
  const isCandidate = (node: ModelNode): node is Conv2dNode =>
    node.kind === 'conv2d' && node.groups === 1 && node.kernelSize.every((size) => size > 1);
  return graph.nodes.filter(isCandidate).map((node) => {
    const [, inputWidth, inputs] = shapes.get(node.inputs[0])?.output ?? graph.inputShape;
    const [height, width] = shapes.get(node.name)!.output;
    const [rows, columns] = node.kernelSize;
    return {
      name: node.name,
      cost: costs.get(node.name)!,
      costOfPair: rows * inputs * height * inputWidth + columns * node.filters * height * width,
      work: Math.min(rows * inputs, columns * node.filters) ** 2 * Math.max(rows * inputs, columns * node.filters),
    };
  });
}
