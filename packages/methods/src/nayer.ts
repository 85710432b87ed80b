import {
  createNetwork,
  createOptimizer,
  describeClassifier,
  type GeneratorOptions,
  type Graph,
  generatorGraph,
  type HostTensor,
  initializeWeights,
  type Method,
  type MethodContext,
  type RandomStream,
  tensorsUnder,
} from '@dafl/core';
import { add, concat, matMul, type Tape, type Value, Variable } from '@dafl/core/autodiff';
import { assertMethodOptions } from './_assert-method-options.ts';
import { copyWeights } from './_copy-weights.ts';
import { generatorOutput } from './_generator-output.ts';
import { invert, type InversionWeights } from './_invert.ts';
import { drawMoves } from './_move-images.ts';
import { orthonormalRows } from './_orthonormal-rows.ts';
import { PastStatistics } from './_past-statistics.ts';
import { largestShift, type PoolOptions, startPoolSession, type Synthesizer } from './_pool-session.ts';

/** Options of `nayer`. */
export interface NayerOptions extends PoolOptions {
  /** Widths of the generator; its latent vector is what the noisy layer gives. */
  readonly generator: Pick<GeneratorOptions, 'latentSize' | 'widths'>;
  /** Images of one synthesis, at least: rounded up to whole sets of all classes. */
  readonly synthesisSize: number;
  /** Updates in one synthesis, >= 1. */
  readonly iterations: number;
  /** Of the generator and the noisy layers, > 0. */
  readonly generatorLearningRate: number;
  /** Syntheses after which the generator is drawn anew, >= 1. */
  readonly generatorLife: number;
  /** Length of the embedding of a class, raised to the number of classes. */
  readonly embeddingSize: number;
  readonly weights: Pick<InversionWeights, 'batchNorm' | 'label' | 'adversarial'>;
  /** Share of the batches before in the statistics that are compared, in [0, 1). */
  readonly batchNormMomentum: number;
}

const ADAM = { kind: 'adam', beta1: 0.5, beta2: 0.999 } as const;
const BATCH_NORM_EPSILON = 1e-5;

/**
 * Noisy layers: a generator reads what its image shall show as a fixed embedding of the class, and the noise stands in a
 * layer behind it, which is drawn anew for each set of classes in each batch; so images of one class differ, and the
 * generator need not learn to read noise. It is drawn anew itself now and then, so that the pool does not repeat one
 * generator's ways.
 *
 * Source: Tran et al., "NAYER: Noisy Layer Data Generation for Efficient and Effective Data-free Knowledge Distillation",
 * CVPR 2024. Deviations: embeddings are random and at right angles, where the source has those that a language model gives
 * to the names of the classes, which are outside knowledge; batches are made over the run as in `pool`.
 *
 * @throws {DaflError} `USAGE` if an option is out of range.
 */
export function nayer(options: NayerOptions): Method {
  assertMethodOptions('nayer', options, {
    counts: [
      'batchSize',
      'studentSteps',
      'syntheses',
      'views',
      'poolBytes',
      'iterations',
      'generatorLife',
      'embeddingSize',
    ],
    optional: ['pictures'],
    pairs: ['synthesisSize'],
    rates: ['generatorLearningRate'],
    shares: ['batchNormMomentum'],
    weights: options.weights,
  });
  return {
    name: 'nayer',
    options: { ...options },
    collapseAdvice: {
      alikeImages: 'Draw the generator anew more often',
      missingClasses: 'Raise the weight of the labels',
    },
    start: (context) => startPoolSession(options, context, createNayerSynthesizer(options, context)),
  };
}

function createNayerSynthesizer(options: NayerOptions, context: MethodContext): Synthesizer {
  const { backend, teacher, createRandom } = context;
  const classifier = describeClassifier(teacher.graph);
  const { classes, inputShape, preprocessing } = classifier;
  const { latentSize } = options.generator;
  const embeddingSize = Math.max(options.embeddingSize, classes);
  const blocks = Math.ceil(options.synthesisSize / classes);
  const graph = generatorGraph({
    ...options.generator,
    batchNormEpsilon: BATCH_NORM_EPSILON,
    output: generatorOutput(teacher, classifier),
    imageSize: [inputShape[0], inputShape[1]],
    channels: inputShape[2],
    preprocessing,
  });
  // Without it the source loses 2.3 points.
  const normalizerGraph: Graph = {
    name: 'embedding',
    inputShape: [embeddingSize],
    nodes: [
      { kind: 'batchNorm', name: 'norm', inputs: ['input'], epsilon: BATCH_NORM_EPSILON, momentum: 0, affine: true },
    ],
    outputs: { embedding: 'norm' },
  };
  const draw = (index: number, of: Graph) => initializeWeights(of, createRandom(`generator ${of.name} ${index}`));
  const [generator, moving] = [0, 1].map(() => createNetwork(backend, draw(0, graph)));
  const [normalizer, movingNormalizer] = [0, 1].map(() => createNetwork(backend, draw(0, normalizerGraph)));
  const embeddings = backend.tensor(orthonormalRows(createRandom('embeddings'), classes, embeddingSize), [
    classes,
    embeddingSize,
  ]);
  // Each class once in each block, in order.
  const wanted = Uint32Array.from({ length: blocks * classes }, (_, index) => index % classes);
  const noise = createRandom('noisy layers');
  const past = new PastStatistics(backend, options.batchNormMomentum);

  async function make(random: RandomStream, { isWarm, flips }: { isWarm: boolean; flips: boolean }) {
    copyWeights(generator, moving);
    copyWeights(normalizer, movingNormalizer);
    const layers = Array.from({ length: blocks }, (_, block) => ({
      kernel: new Variable(
        backend,
        `noisy${block}.kernel`,
        backend.tensor(random.normal(embeddingSize * latentSize), [embeddingSize, latentSize]),
        true,
      ),
      bias: new Variable(backend, `noisy${block}.bias`, backend.fill([latentSize], 0), true),
    }));
    const variables = [
      ...moving.trainableVariables,
      ...movingNormalizer.trainableVariables,
      ...layers.flatMap(({ kernel, bias }) => [kernel, bias]),
    ];
    const optimizer = createOptimizer(backend, variables, ADAM);
    const labels = backend.tensor(Int32Array.from(wanted), [wanted.length]);
    const render = (tape: Tape): Value => {
      const { embedding } = movingNormalizer.forward(tape, tape.constant(embeddings), { mode: 'training' });
      const rows = layers.map(({ kernel, bias }) =>
        add(tape, matMul(tape, embedding, tape.leaf(kernel.tensor)), tape.leaf(bias.tensor)),
      );
      return moving.forward(tape, concat(tape, rows, 0), { mode: 'training' }).images;
    };
    try {
      return await invert({
        context,
        render,
        trained: [{ variables, optimizer, learningRate: options.generatorLearningRate }],
        labels,
        weights: isWarm ? options.weights : { ...options.weights, adversarial: 0 },
        iterations: options.iterations,
        moves: () => drawMoves(random, largestShift(classifier), flips),
        edge: 'border',
        past: past.known,
      });
    } finally {
      optimizer.dispose();
      for (const { kernel, bias } of layers) for (const variable of [kernel, bias]) variable.dispose();
      backend.dispose(labels);
    }
  }

  return {
    async synthesize({ index, isWarm, flips }) {
      if (index > 0 && index % options.generatorLife === 0) {
        generator.load(draw(index, graph).weights);
        normalizer.load(draw(index, normalizerGraph).weights);
      }
      const { images, losses, moments } = await make(noise, { isWarm, flips });
      copyWeights(moving, generator);
      copyWeights(movingNormalizer, normalizer);
      past.take(moments);
      return { images, labels: wanted, losses };
    },
    async preview(random) {
      const { images, losses, moments } = await make(random, { isWarm: false, flips: false });
      for (const tensor of [...Object.values(losses), ...moments.values()]) backend.dispose(tensor);
      return { images, labels: wanted };
    },
    async state() {
      const tensors = new Map<string, HostTensor>();
      for (const [name, weight] of (await generator.toModel()).weights) tensors.set(`generator/${name}`, weight);
      for (const [name, weight] of (await normalizer.toModel()).weights) tensors.set(`normalizer/${name}`, weight);
      for (const [name, moment] of await past.state()) tensors.set(`past/${name}`, moment);
      return { counters: { noise: noise.state().counter }, tensors };
    },
    restore({ counters, tensors }) {
      generator.load(tensorsUnder(tensors, 'generator/'));
      normalizer.load(tensorsUnder(tensors, 'normalizer/'));
      past.restore(tensorsUnder(tensors, 'past/'));
      noise.restore({ counter: counters.noise });
    },
    dispose() {
      past.dispose();
      backend.dispose(embeddings);
      for (const network of [generator, moving, normalizer, movingNormalizer]) network.dispose();
    },
  };
}
