import { type DaflOptions, type Preset, presets } from '@dafl/core';
import type { DeepInversionOptions, InversionWeights, NayerOptions, PoolMethodOptions } from '@dafl/methods';
import type { MethodName } from '../options/method-name.ts';

/** How the student learns in the methods that DAFL is measured against: from random weights, as in the publications. */
function recipe(batchSize: number, steps: number, temperature: number, learningRate: number): Preset {
  const { dafl, training } = presets.fast;
  return {
    dafl: { ...dafl, batchSize },
    training: {
      ...training,
      schedule: { kind: 'cosine', learningRate },
      temperature,
      initialization: 'random',
    },
    steps,
  };
}

/** The same for any teacher: from its channels where they fit the student, with logits of a usual size. */
function forAnyTeacher(preset: Preset): Preset {
  return { ...preset, training: { ...preset.training, initialization: 'auto', logitScale: 'usual', hintWeight: 4 } };
}

/**
 * Learning rates in relation to first weights of unusual size. On validation images, half students: of `airbench-0.75` (small
 * weights, as wide layers have; one of large ones) 70.1 % with one rate for all and hints of 16, 79.4 % in relation and with
 * hints of 8, after 50 steps; of a CNN with folded batch norms (large weights) 67.0 and 72.8 %, after 250.
 */
function inRelation(preset: Preset): Preset {
  const { training } = preset;
  return { ...preset, training: { ...training, optimizer: { ...training.optimizer, kind: 'adam', relative: true } } };
}

/** A recipe whose images are made by a generator, with what it has of `dafl`'s options. */
function made(preset: Preset, changes: Partial<DaflOptions>): Preset {
  return { ...preset, dafl: { ...preset.dafl, ...changes } };
}

/**
 * Recipes of the methods beside `dafl`, whose own options in them are not read. Tuned on the last 10,000 of MNIST's
 * training images.
 */
export const baselineRecipes: Readonly<Record<Exclude<MethodName, 'dafl'>, Preset>> = {
  procedural: inRelation(forAnyTeacher(recipe(128, 375, 4, 3e-3))),
  pool: made(forAnyTeacher(recipe(256, 400, 4, 2e-3)), {
    generator: { ...presets.fast.dafl.generator, latentSize: 100, widths: [16, 16, 8] },
    generatorSchedule: { kind: 'constant', learningRate: 5e-3 },
    batchNormStatisticsWeight: 10,
    oneHotWeight: 0.5,
    adversarialWeight: 1,
    replay: { batches: 1, studentSteps: 8 },
  }),
  nayer: made(forAnyTeacher(recipe(256, 400, 4, 2e-3)), {
    generator: { ...presets.fast.dafl.generator, latentSize: 100, widths: [16, 16, 8] },
    generatorSchedule: { kind: 'constant', learningRate: 4e-3 },
    batchNormStatisticsWeight: 10,
    oneHotWeight: 0.5,
    adversarialWeight: 1.33,
    replay: { batches: 1, studentSteps: 8 },
  }),
  'deep-inversion': made(forAnyTeacher(recipe(256, 400, 4, 2e-3)), {
    batchNormStatisticsWeight: 10,
    oneHotWeight: 1,
    replay: { batches: 1, studentSteps: 8 },
  }),
  dfq: made(recipe(256, 400, 1, 2e-3), {
    generator: { ...presets.fast.dafl.generator, latentSize: 100, widths: [16, 16, 8] },
    generatorSchedule: { kind: 'cosine', learningRate: 1e-3 },
    replay: { batches: 1, studentSteps: 10 },
  }),
  dfad: made(recipe(256, 800, 1, 2e-3), {
    generator: { ...presets.fast.dafl.generator, latentSize: 256, widths: [16, 16, 8] },
    generatorSchedule: { kind: 'cosine', learningRate: 1e-3 },
    replay: { batches: 1, studentSteps: 5 },
  }),
  zskt: made(recipe(128, 800, 1, 2e-3), {
    generator: { ...presets.fast.dafl.generator, latentSize: 100, widths: [16, 16, 8] },
    generatorSchedule: { kind: 'cosine', learningRate: 1e-3 },
    replay: { batches: 1, studentSteps: 10 },
  }),
  noise: recipe(256, 2_000, 4, 2e-3),
  'alternative-data': recipe(128, 4_000, 8, 2e-3),
  'original-data': recipe(128, 5_600, 4, 3e-3),
  metadata: recipe(250, 80, 8, 3e-3),
};

/**
 * A preset for a student that starts close to its teacher: small steps, and batch norms that stay as they are, since the
 * statistics of generated images are not those of real ones.
 */
export function refine(preset: Preset): Preset {
  const { training } = preset;
  const schedule = { kind: 'cosine', learningRate: 1e-4, warmupSteps: 60 } as const;
  return {
    ...preset,
    training: {
      ...training,
      optimizer: { ...training.optimizer, kind: 'adam', relative: undefined },
      schedule,
      initialization: 'auto',
      batchNormStatistics: 'fixed',
    },
  };
}

/** Largest shift in pixels of given images, where the options name none. */
export const defaultShift: Readonly<Record<'alternative-data' | 'original-data', number>> = {
  'alternative-data': 4,
  'original-data': 2,
};

/**
 * Updates of the student in one step of `procedural`, and in how many of them each batch is used.
 * On validation images a batch that is used four times costs no accuracy (Fashion-MNIST: 83.5 % used once, 83.3 % twice,
 * 83.3 % four times; MNIST: 98.5 % once, 98.6 % twice), and saves three quarters of the teacher's work.
 */
export const proceduralDefaults = { studentSteps: 8, uses: 4 } as const;

/** What the methods that keep a pool have in common. */
export const pooled = { synthesisSize: 256, batchNormMomentum: 0.9, views: 4, poolBytes: 268_435_456 } as const;

/** What of `pool` is no hyper-parameter; pictures where the teacher has no batch norms. */
export const poolDefaults: Omit<
  PoolMethodOptions,
  'batchSize' | 'studentSteps' | 'generator' | 'generatorLearningRate' | 'weights' | 'metaInitialization'
> = {
  ...pooled,
  syntheses: 120,
  iterations: 5,
  latentLearningRate: 0.015,
  conditional: true,
  pictures: 8_000,
};

/** What of `nayer` is no hyper-parameter. */
export const nayerDefaults: Omit<
  NayerOptions,
  'batchSize' | 'studentSteps' | 'generator' | 'generatorLearningRate' | 'weights'
> = { ...pooled, syntheses: 60, iterations: 20, generatorLife: 10, embeddingSize: 64, pictures: 0 };

/** What of `deep-inversion` is no hyper-parameter. */
export const deepInversionDefaults: Omit<DeepInversionOptions, 'batchSize' | 'studentSteps' | 'weights'> & {
  readonly weights: Pick<InversionWeights, 'competition' | 'totalVariation' | 'length'>;
} = {
  ...pooled,
  syntheses: 8,
  iterations: 300,
  learningRate: 0.1,
  weights: { competition: 1, totalVariation: 1e-3 },
  pictures: 0,
};

/** Weight of the attention term of `zskt`. */
export const zsktDefaults = { attentionWeight: 250 } as const;

/** Images of metadata are reconstructed by so many updates, at this learning rate, and the student takes so many. */
export const reconstructionDefaults = { iterations: 60, learningRate: 0.1, studentSteps: 16 } as const;
