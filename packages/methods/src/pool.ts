import {
  createNetwork,
  createOptimizer,
  describeClassifier,
  type GeneratorOptions,
  generatorGraph,
  type HostTensor,
  initializeWeights,
  type Method,
  type MethodContext,
  type MethodSession,
  type Network,
  type RandomStream,
  type Tensor,
  tensorsUnder,
} from '@dafl/core';
import { concat, Variable } from '@dafl/core/autodiff';
import { assertMethodOptions } from './_assert-method-options.ts';
import { copyWeights } from './_copy-weights.ts';
import { generatorOutput } from './_generator-output.ts';
import { invert, type InversionWeights } from './_invert.ts';
import { drawMoves } from './_move-images.ts';
import { PastStatistics } from './_past-statistics.ts';
import { drawLabels, largestShift, type PoolOptions, startPoolSession, type Synthesizer } from './_pool-session.ts';

/** Options of `pool`. */
export interface PoolMethodOptions extends PoolOptions {
  readonly generator: Pick<GeneratorOptions, 'latentSize' | 'widths'>;
  /** Images of one synthesis, >= 2. */
  readonly synthesisSize: number;
  /** Updates in one synthesis, >= 1. */
  readonly iterations: number;
  /** Of the generator within a synthesis, > 0. */
  readonly generatorLearningRate: number;
  /** Of the latent vectors, > 0. */
  readonly latentLearningRate: number;
  readonly weights: Pick<InversionWeights, 'batchNorm' | 'label' | 'adversarial'>;
  /** Share of the batches before in the statistics that are compared, in [0, 1). */
  readonly batchNormMomentum: number;
  /**
   * Whether the generator that each synthesis starts from learns by first-order meta-learning (the gradients of all
   * updates, applied once); else it goes on from where the synthesis before has left it.
   */
  readonly metaInitialization: boolean;
  /** Whether the generator is told the wanted class; else only the latent vectors are trained to it. */
  readonly conditional: boolean;
}

const ADAM = { kind: 'adam', beta1: 0.5, beta2: 0.999 } as const;
const BATCH_NORM_EPSILON = 1e-5;
/** The generator's first layer is drawn anew once, after this share of the syntheses. */
const RENEWAL_SHARE = 0.6;
/** Standard deviation of its weights then. */
const RENEWED_DEVIATION = 0.02;

/**
 * Distillation from a growing pool: a generator that is quick to adapt makes images of given classes, which match the
 * statistics of the teacher's batch norms and on which the student still errs; they are kept and met again under new shifts
 * and flips.
 *
 * Source: Fang et al., "Up to 100x Faster Data-free Knowledge Distillation", AAAI 2022 (Fast), with the growing schedule of
 * GapSSG (TPAMI 2024). Deviations: classes are balanced in each batch; shifts are drawn for groups of images and continue
 * the border; the teacher answers a few views of each image once; the images of teachers without batch norms are held to
 * the mean and deviation that their preprocessing tells.
 *
 * @throws {DaflError} `USAGE` if an option is out of range.
 */
export function pool(options: PoolMethodOptions): Method {
  assertMethodOptions('pool', options, {
    counts: ['batchSize', 'studentSteps', 'syntheses', 'views', 'poolBytes', 'iterations'],
    pairs: ['synthesisSize'],
    rates: ['generatorLearningRate', 'latentLearningRate'],
    optional: ['pictures'],
    shares: ['batchNormMomentum'],
    weights: options.weights,
  });
  return {
    name: 'pool',
    options: { ...options },
    collapseAdvice: {
      alikeImages: 'Make more batches of images, each by fewer updates',
      missingClasses: 'Raise the weight of the labels',
    },
    start: (context): MethodSession => startPoolSession(options, context, createFastSynthesizer(options, context)),
  };
}

function createFastSynthesizer(options: PoolMethodOptions, context: MethodContext): Synthesizer {
  const { backend, teacher, createRandom } = context;
  const { generator: shape, synthesisSize, weights, conditional } = options;
  const classifier = describeClassifier(teacher.graph);
  const [height, width, channels] = classifier.inputShape;
  const graph = generatorGraph({
    ...shape,
    batchNormEpsilon: BATCH_NORM_EPSILON,
    output: generatorOutput(teacher, classifier),
    imageSize: [height, width],
    channels,
    preprocessing: classifier.preprocessing,
    ...(conditional ? { classes: classifier.classes } : {}),
  });
  const initial = initializeWeights(graph, createRandom('generator weights'));
  const generator = createNetwork(backend, initial);
  const moving = createNetwork(backend, initial);
  const meta = createOptimizer(backend, generator.trainableVariables, ADAM);
  const latents = createRandom('latent');
  const past = new PastStatistics(backend, options.batchNormMomentum);
  const renewedAt = Math.max(1, Math.round(RENEWAL_SHARE * options.syntheses));

  /** One inner loop, on the moving copy. */
  async function adapt(
    random: RandomStream,
    { isWarm, flips, onGradients }: { isWarm: boolean; flips: boolean; onGradients?: (g: readonly Tensor[]) => void },
  ) {
    copyWeights(generator, moving);
    const wanted = drawLabels(random, synthesisSize, classifier.classes);
    const latentShape = [synthesisSize, shape.latentSize];
    const latent = new Variable(
      backend,
      'latent',
      backend.tensor(random.normal(synthesisSize * shape.latentSize), latentShape),
      true,
    );
    const labels = backend.tensor(Int32Array.from(wanted), [synthesisSize]);
    const classRows = backend.oneHot(labels, classifier.classes);
    const [ofGenerator, ofLatent] = [moving.trainableVariables, [latent]].map((variables) =>
      createOptimizer(backend, variables, ADAM),
    );
    try {
      const inversion = await invert({
        context,
        render: (tape) => {
          const row = tape.leaf(latent.tensor);
          const input = conditional ? concat(tape, [row, tape.constant(classRows)], 1) : row;
          return moving.forward(tape, input, { mode: 'training' }).images;
        },
        trained: [
          {
            variables: moving.trainableVariables,
            optimizer: ofGenerator,
            learningRate: options.generatorLearningRate,
          },
          { variables: [latent], optimizer: ofLatent, learningRate: options.latentLearningRate },
        ],
        labels,
        weights: isWarm ? weights : { ...weights, adversarial: 0 },
        iterations: options.iterations,
        moves: () => drawMoves(random, largestShift(classifier), flips),
        edge: 'border',
        past: past.known,
        onGradients,
      });
      return { inversion, wanted };
    } finally {
      ofGenerator.dispose();
      ofLatent.dispose();
      latent.dispose();
      backend.dispose(labels);
      backend.dispose(classRows);
    }
  }

  return {
    async synthesize({ index, isWarm, flips }) {
      if (options.metaInitialization && index === renewedAt) renewFirstLayer(generator, createRandom('renewal'));
      let total: Tensor[] | undefined;
      const onGradients = (gradients: readonly Tensor[]): void => {
        const former = total;
        total = gradients.map((gradient, at) =>
          former === undefined
            ? backend.reshape(gradient, gradient.shape)
            : backend.binary('add', former[at], gradient),
        );
        former?.forEach((tensor) => backend.dispose(tensor));
      };
      const { inversion, wanted } = await adapt(latents, {
        isWarm,
        flips,
        onGradients: options.metaInitialization ? onGradients : undefined,
      });
      if (total === undefined) copyWeights(moving, generator);
      else meta.apply(total, options.generatorLearningRate * options.iterations);
      past.take(inversion.moments);
      return { images: inversion.images, labels: wanted, losses: inversion.losses };
    },
    async preview(random) {
      const { inversion, wanted } = await adapt(random, { isWarm: false, flips: false });
      for (const tensor of [...Object.values(inversion.losses), ...inversion.moments.values()]) backend.dispose(tensor);
      return { images: inversion.images, labels: wanted };
    },
    async state() {
      const tensors = new Map<string, HostTensor>();
      for (const [name, weight] of (await generator.toModel()).weights) tensors.set(`generator/${name}`, weight);
      const moments = await meta.state();
      for (const [name, moment] of moments.tensors) tensors.set(`optimizer/${name}`, moment);
      for (const [name, moment] of await past.state()) tensors.set(`past/${name}`, moment);
      return { counters: { optimizer: moments.step, latent: latents.state().counter }, tensors };
    },
    restore({ counters, tensors }) {
      generator.load(tensorsUnder(tensors, 'generator/'));
      meta.restore({ step: counters.optimizer, tensors: tensorsUnder(tensors, 'optimizer/') });
      latents.restore({ counter: counters.latent });
      past.restore(tensorsUnder(tensors, 'past/'));
    },
    dispose() {
      past.dispose();
      meta.dispose();
      moving.dispose();
      generator.dispose();
    },
  };
}

/** Draws a generator's first layer anew, and sets the batch norm behind it back. */
function renewFirstLayer({ backend, variables }: Network, random: RandomStream): void {
  const renew = (name: string, value: (size: number) => Float32Array): void => {
    const variable = variables.get(name)!;
    const size = variable.shape.reduce((product, length) => product * length, 1);
    variable.assign(backend.tensor(value(size), variable.shape));
  };
  renew('project.kernel', (size) => random.normal(size).map((value) => value * RENEWED_DEVIATION));
  renew('project.bias', (size) => new Float32Array(size));
  renew('norm0.scale', (size) => new Float32Array(size).fill(1));
  renew('norm0.offset', (size) => new Float32Array(size));
}
