import {
  check,
  type Conv2dNode,
  describeModel,
  fail,
  type HostTensor,
  inferShapes,
  type Model,
  type ModelNode,
} from '@dafl/core';
import { Matrix, SingularValueDecomposition } from 'ml-matrix';

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
 * share is out of range, or less than what is left when each convolution keeps one channel.
 */
export function factorizeConvolutions(model: Model, share: number): Model {
  const { graph, weights } = model;
  check(share > 0 && share < 1, { cannot: `factorize '${graph.name}'`, as: "'share' must be in (0, 1)", value: share });
  const splits = chooseRanks(model, share);
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
    factorized.set(`${column}.kernel`, split.column());
    factorized.set(`${node.name}.kernel`, split.row());
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

/** A convolution as a sum of pairs of a column and a row, the most telling first. */
class Factors {
  /** How many pairs are taken. */
  rank = 1;
  /** Share of the whole's squares that each pair holds, falling. */
  readonly energies: readonly number[];
  readonly #shape: readonly number[];
  readonly #decomposition: SingularValueDecomposition;

  /** @param kernel Shape `[height, width, inputs, outputs]`. */
  constructor({ shape, data }: HostTensor) {
    const [height, width, inputs, outputs] = shape;
    const matrix = Matrix.zeros(height * inputs, width * outputs);
    let position = 0;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let input = 0; input < inputs; input++) {
          for (let output = 0; output < outputs; output++)
            matrix.set(y * inputs + input, x * outputs + output, data[position++]);
        }
      }
    }
    this.#shape = shape;
    this.#decomposition = new SingularValueDecomposition(matrix, { autoTranspose: true });
    const squares = this.#decomposition.diagonal.map((value) => value ** 2);
    const total = squares.reduce((sum, square) => sum + square, 0);
    // What rounding leaves is nothing to spend a pair on.
    this.energies = squares.map((square) => (square > 1e-12 * total ? square / total : 0));
  }

  /** Shape `[height, 1, inputs, rank]`. */
  column(): HostTensor {
    const [height, , inputs] = this.#shape;
    const { rank } = this;
    const { leftSingularVectors: left } = this.#decomposition;
    const data = Float32Array.from({ length: height * inputs * rank }, (_, index) => {
      const pair = index % rank;
      return left.get(Math.floor(index / rank), pair) * this.#scale(pair);
    });
    return { shape: [height, 1, inputs, rank], data };
  }

  /** Shape `[1, width, rank, outputs]`. */
  row(): HostTensor {
    const [, width, , outputs] = this.#shape;
    const { rank } = this;
    const { rightSingularVectors: right } = this.#decomposition;
    const data = Float32Array.from({ length: width * rank * outputs }, (_, index) => {
      const pair = Math.floor(index / outputs) % rank;
      const line = Math.floor(index / (outputs * rank)) * outputs + (index % outputs);
      return right.get(line, pair) * this.#scale(pair);
    });
    return { shape: [1, width, rank, outputs], data };
  }

  /** Both parts get the root of the singular value, so that neither learns faster than the other. */
  #scale(pair: number): number {
    return Math.sqrt(this.#decomposition.diagonal[pair]);
  }
}

/** What a convolution that can be split costs in multiply-accumulates. */
interface Cost {
  readonly name: string;
  /** Whole. */
  readonly cost: number;
  /** Of one pair. */
  readonly costOfPair: number;
}

/** The same with its pairs. */
interface Candidate extends Cost {
  readonly factors: Factors;
  /** Share of the kernel's squares that the pairs taken so far hold. */
  kept: number;
}

/** The convolutions to split, by name, with their ranks set. */
function chooseRanks(model: Model, share: number): ReadonlyMap<string, Factors> {
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
  // Decomposing takes long where channels are many: only what can be.
  const candidates = costs.map((cost): Candidate => {
    const factors = new Factors(model.weights.get(`${cost.name}.kernel`)!);
    return { ...cost, factors, kept: factors.energies[0] };
  });
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
  const split = candidates.filter((candidate) => costAt(candidate, candidate.factors.rank) < candidate.cost);
  return new Map(split.map(({ name, factors }) => [name, factors]));
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
    };
  });
}
