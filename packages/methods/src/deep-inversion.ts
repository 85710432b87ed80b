import { createOptimizer, describeClassifier, type HostTensor, type Method, type MethodContext } from '@dafl/core';
import { Variable } from '@dafl/core/autodiff';
import { assertMethodOptions } from './_assert-method-options.ts';
import { invert, type InversionWeights } from './_invert.ts';
import { drawMoves } from './_move-images.ts';
import { drawLabels, largestShift, type PoolOptions, startPoolSession, type Synthesizer } from './_pool-session.ts';

/** Options of `deepInversion`. */
export interface DeepInversionOptions extends PoolOptions {
  /** Images that are made together, >= 1. */
  readonly synthesisSize: number;
  /** Updates of their pixels, >= 1. */
  readonly iterations: number;
  /** Of the pixels, > 0. */
  readonly learningRate: number;
  readonly weights: Pick<InversionWeights, 'batchNorm' | 'label' | 'competition' | 'totalVariation' | 'length'>;
}

const ADAM = { kind: 'adam', beta1: 0.5, beta2: 0.99 } as const;

/**
 * DeepInversion: the pixels themselves are trained, from noise, until the teacher sees the wanted class in them and its batch
 * norms what they were trained on. The best single images of all methods, and the least various ones; the student learns from
 * a pool of them.
 *
 * Source: Yin et al., "Dreaming to Distill: Data-free Knowledge Transfer via DeepInversion", CVPR 2020; pixels are kept in the
 * range that a stored picture can have. Deviations: images move by groups, and are wrapped at their edges; those of the least
 * loss are kept, where published code keeps the last ones.
 *
 * @throws {DaflError} `USAGE` if an option is out of range.
 */
export function deepInversion(options: DeepInversionOptions): Method {
  assertMethodOptions('deep-inversion', options, {
    counts: ['batchSize', 'studentSteps', 'syntheses', 'views', 'poolBytes', 'synthesisSize', 'iterations'],
    optional: ['pictures'],
    rates: ['learningRate'],
    weights: options.weights,
  });
  return {
    name: 'deep-inversion',
    options: { ...options },
    collapseAdvice: { missingClasses: 'Raise the number of updates of each batch' },
    start: (context) => startPoolSession(options, context, createSynthesizer(options, context)),
  };
}

function createSynthesizer(options: DeepInversionOptions, context: MethodContext): Synthesizer {
  const { backend, teacher, createRandom } = context;
  const { synthesisSize, weights } = options;
  const classifier = describeClassifier(teacher.graph);
  const { inputShape, preprocessing } = classifier;
  const size = inputShape.reduce((product, length) => product * length, 1);
  const draws = createRandom('pixels');
  const bound = (pixel: number): Float32Array =>
    Float32Array.from(preprocessing.mean, (mean, channel) => (pixel - mean) / preprocessing.standardDeviation[channel]);

  async function make(random: typeof draws, { isWarm, flips }: { isWarm: boolean; flips: boolean }) {
    const wanted = drawLabels(random, synthesisSize, classifier.classes);
    const labels = backend.tensor(Int32Array.from(wanted), [synthesisSize]);
    const shape = [synthesisSize, ...inputShape];
    const pixels = new Variable(backend, 'pixels', backend.tensor(random.normal(synthesisSize * size), shape), true);
    const optimizer = createOptimizer(backend, [pixels], ADAM);
    const [darkest, brightest] = [0, 1].map((pixel) => backend.tensor(bound(pixel), [inputShape[2]]));
    const limit = (): void => {
      const raised = backend.binary('maximum', pixels.tensor, darkest);
      pixels.assign(backend.binary('minimum', raised, brightest));
      backend.dispose(raised);
    };
    try {
      limit();
      const inversion = await invert({
        context,
        render: (tape) => tape.leaf(pixels.tensor),
        trained: [{ variables: [pixels], optimizer, learningRate: options.learningRate }],
        labels,
        weights: isWarm ? weights : { ...weights, competition: 0 },
        iterations: options.iterations,
        moves: () => drawMoves(random, largestShift(classifier), flips),
        edge: 'wrap',
        onUpdate: limit,
      });
      return { inversion, wanted };
    } finally {
      optimizer.dispose();
      pixels.dispose();
      for (const tensor of [labels, darkest, brightest]) backend.dispose(tensor);
    }
  }

  return {
    async synthesize({ isWarm, flips }) {
      const { inversion, wanted } = await make(draws, { isWarm, flips });
      for (const moments of inversion.moments.values()) backend.dispose(moments);
      return { images: inversion.images, labels: wanted, losses: inversion.losses };
    },
    async preview(random) {
      const { inversion, wanted } = await make(random, { isWarm: false, flips: false });
      for (const tensor of [...Object.values(inversion.losses), ...inversion.moments.values()]) backend.dispose(tensor);
      return { images: inversion.images, labels: wanted };
    },
    state: async () => ({
      counters: { pixels: draws.state().counter },
      tensors: new Map<string, HostTensor>(),
    }),
    restore: ({ counters }) => draws.restore({ counter: counters.pixels }),
    dispose: () => undefined,
  };
}
