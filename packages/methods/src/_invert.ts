import {
  adversarialLoss,
  batchNormDistance,
  crossEntropy,
  jensenShannonLoss,
  type MethodContext,
  type Optimizer,
  type PastMoments,
  type Tensor,
  totalVariationLoss,
} from '@dafl/core';
import {
  add,
  affine,
  detach,
  mean,
  square,
  squareRoot,
  sum,
  type Tape,
  type Value,
  type Variable,
  withTape,
} from '@dafl/core/autodiff';
import { type ImageMove, moveImages } from './_move-images.ts';

/** Weights of what images are made for; absent: 0. */
export interface InversionWeights {
  /** Distance of the statistics at the teacher's batch norms. @see batchNormDistance */
  readonly batchNorm?: number;
  /** Cross-entropy of the teacher's answers with the wanted classes. */
  readonly label?: number;
  /** Masked divergence from teacher to student, to be large. @see adversarialLoss */
  readonly adversarial?: number;
  /** 1 - their Jensen-Shannon divergence. @see jensenShannonLoss */
  readonly competition?: number;
  /** Differences of neighbouring pixels. @see totalVariationLoss */
  readonly totalVariation?: number;
  /** Length of each image, on average. */
  readonly length?: number;
}

/** What is trained, by one optimizer at one rate. */
export interface InvertedVariables {
  readonly variables: readonly Variable[];
  readonly optimizer: Optimizer;
  readonly learningRate: number;
}

/** Making one batch of images. */
export interface InversionOptions {
  readonly context: Pick<MethodContext, 'backend' | 'teacher' | 'student' | 'turn'>;
  /** Images from what is trained, in the teacher's input space, shape `[batch, height, width, channels]`. */
  readonly render: (tape: Tape) => Value;
  readonly trained: readonly InvertedVariables[];
  /** Int32, shape `[batch]`: the class that each image is to be of. */
  readonly labels: Tensor;
  readonly weights: InversionWeights;
  readonly iterations: number;
  /** Moves of one iteration; the networks see the moved images. */
  readonly moves: () => readonly ImageMove[];
  readonly edge: 'border' | 'wrap';
  /** Of the totalVariation term. */
  readonly norm?: 'l1' | 'l2';
  /** Statistics of the batches before, by batch norm. */
  readonly past?: ReadonlyMap<string, PastMoments>;
  /** Told the gradients of the first group of variables, which stay the inversion's. */
  readonly onGradients?: (gradients: readonly Tensor[]) => void;
  readonly onUpdate?: () => void;
}

/** Images, and what was said of them. The caller disposes all tensors. */
export interface Inversion {
  /** Those of the iteration of the least loss, as they were rendered: not moved. Shape `[batch, height, width, channels]`. */
  readonly images: Tensor;
  /** Terms of the last iteration, unweighted. */
  readonly losses: Readonly<Record<string, Tensor>>;
  /** Statistics at the teacher's batch norms in the last iteration, shape `[2, channels]`, by node. */
  readonly moments: ReadonlyMap<string, Tensor>;
}

interface Iteration extends Inversion {
  readonly total: Tensor;
}

/** Makes images by descending along what teacher and student say of them. */
export async function invert(options: InversionOptions): Promise<Inversion> {
  const { context, trained, iterations, onGradients, onUpdate } = options;
  const { backend } = context;
  let best = Infinity;
  let kept: Tensor | undefined;
  let last: Omit<Iteration, 'images'> | undefined;
  const freeLast = (): void => {
    if (last === undefined) return;
    for (const tensor of [last.total, ...Object.values(last.losses), ...last.moments.values()]) backend.dispose(tensor);
  };
  for (let iteration = 0; iteration < iterations; iteration++) {
    await context.turn?.();
    const { images, ...told } = withTape(backend, (tape) => {
      const { terms, outcome } = describeImages(tape, options);
      const total = terms.reduce((all, term) => add(tape, all, term));
      const leaves = trained.flatMap(({ variables }) => variables.map(({ tensor }) => tape.leaf(tensor)));
      const gradients = tape.gradients(total, leaves);
      onGradients?.(gradients.slice(0, trained[0].variables.length));
      let start = 0;
      for (const { variables, optimizer, learningRate } of trained) {
        optimizer.apply(gradients.slice(start, (start += variables.length)), learningRate);
      }
      return { ...outcome, total: tape.backend.reshape(total.tensor, []) };
    });
    onUpdate?.();
    freeLast();
    last = told;
    const [loss] = await backend.read(told.total);
    if (kept !== undefined && !(loss < best)) {
      backend.dispose(images);
      continue;
    }
    if (kept !== undefined) backend.dispose(kept);
    kept = images;
    best = loss;
  }
  backend.dispose(last!.total);
  return { images: kept!, losses: last!.losses, moments: last!.moments };
}

/** The weighted terms, and what outlives the tape. */
function describeImages(tape: Tape, options: InversionOptions): { terms: Value[]; outcome: Inversion } {
  const { context, weights, labels, past } = options;
  const { teacher, student } = context;
  const keep = (value: Value): Tensor => tape.backend.reshape(value.tensor, value.shape);
  const images = options.render(tape);
  const moved = moveImages(tape, images, options.moves(), options.edge);
  const distances: Value[] = [];
  const moments = new Map<string, Tensor>();
  const { logits } = teacher.forward(tape, moved, {
    mode: 'inference',
    observe: (node, [input]) => {
      if (node.kind !== 'batchNorm' || !(weights.batchNorm! > 0)) return;
      const statistics = (name: string): Tensor => teacher.variables.get(`${node.name}.${name}`)!.tensor;
      const observed = {
        input,
        runningMean: statistics('runningMean'),
        runningVariance: statistics('runningVariance'),
      };
      const told = batchNormDistance(tape, observed, past?.get(node.name));
      distances.push(told.distance);
      moments.set(node.name, keep(told.moments));
    },
  });
  const losses: Record<string, Value> = {};
  const terms: Value[] = [];
  const put = (name: string, weight: number | undefined, loss: () => Value): void => {
    if (!(weight! > 0)) return;
    losses[name] = loss();
    terms.push(affine(tape, losses[name], weight!));
  };
  if (distances.length > 0)
    put('batchNorm', weights.batchNorm, () => distances.reduce((all, term) => add(tape, all, term)));
  put('label', weights.label, () => mean(tape, crossEntropy(tape, logits, labels)));
  if (weights.adversarial! > 0 || weights.competition! > 0) {
    const { logits: studentLogits } = student.forward(tape, moved, { mode: 'inference' });
    put('adversarial', weights.adversarial, () => adversarialLoss(tape, logits, studentLogits, { masked: true }));
    put('competition', weights.competition, () => affine(tape, jensenShannonLoss(tape, logits, studentLogits), -1, 1));
  }
  put('totalVariation', weights.totalVariation, () => totalVariationLoss(tape, moved, options.norm ?? 'l1'));
  put('length', weights.length, () =>
    mean(tape, squareRoot(tape, affine(tape, sum(tape, square(tape, moved), [1, 2, 3]), 1, 1e-12))),
  );
  const told = Object.entries(losses).map(([name, loss]) => [name, keep(loss)] as const);
  return { terms, outcome: { images: keep(detach(tape, images)), losses: Object.fromEntries(told), moments } };
}
