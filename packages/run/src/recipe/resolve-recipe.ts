import { createHash } from 'node:crypto';
import {
  dafl,
  DaflError,
  describeClassifier,
  fail,
  type GeneratorOptions,
  type Graph,
  type Method,
  type Preset,
  presets,
  procedural,
} from '@dafl/core';
import { matchChannels } from '@dafl/data';
import {
  deepInversion,
  dfad,
  dfq,
  type GeneratorMethodOptions,
  imageSet,
  nayer,
  noise,
  pool,
  reconstruction,
  zskt,
} from '@dafl/methods';
import {
  baselineRecipes,
  deepInversionDefaults,
  defaultShift,
  nayerDefaults,
  poolDefaults,
  pooled,
  proceduralDefaults,
  reconstructionDefaults,
  refine,
  zsktDefaults,
} from './baseline-recipes.ts';
import { loadImages } from '../data/load-images.ts';
import { decideMethod } from './decide-method.ts';
import type { BackendName, DistillationOptions, SettledOptions } from '../options/distillation-options.ts';
import {
  type HyperParameters,
  hyperParameters,
  isHyperParameterOf,
  methodsOfHyperParameter,
  readHyperParameters,
  writeHyperParameters,
} from '../options/hyper-parameters.ts';
import type { LoadedModel } from '../models/load-model.ts';
import type { DownloadSettings } from '../data/mnist-files.ts';
import { lowRankShare } from '../options/low-rank-share.ts';
import type { MethodName } from '../options/method-name.ts';
import { readMetadata } from '../metadata/metadata-file.ts';
import { startsFromTeacher } from './starts-from-teacher.ts';
import { imagesMadeAtOnce, stepMemory, type StepMemory } from './step-memory.ts';

/** What the options come to: core's terms, and the options with nothing left open but the number of steps. */
export interface Recipe {
  readonly training: Preset['training'];
  /** The length of the run, unless a time budget decides it. */
  readonly steps: number;
  readonly options: SettledOptions;
  /** Why this method, in a sentence; null where the options name it. */
  readonly methodReason: string | null;
  /** Images of one update. */
  readonly batchSize: number;

  /** What a step of these networks holds at its most, about. */
  stepMemory(teacher: Graph, student: Graph): StepMemory;

  /**
   * The method, with the files that it needs.
   *
   * @param teacher The run's teacher: images get its channels, metadata must have been recorded of its file.
   * @throws {DaflError} `DATA` for what is read.
   */
  createMethod(teacher: LoadedModel, settings?: DownloadSettings): Promise<Method>;
}

/** Methods by name; a method reads what is its own in the preset and the options. */
const methods: Readonly<Record<MethodName, (preset: Preset, options: DistillationOptions) => Recipe['createMethod']>> =
  {
    procedural: ({ dafl: { batchSize } }, { pictures, usesPerBatch: uses = proceduralDefaults.uses }) => {
      const method = procedural({ ...proceduralDefaults, batchSize, pictures, uses });
      return async () => method;
    },
    pool: ({ dafl: { batchSize, ...made } }, options) => {
      const settings = {
        ...poolDefaults,
        batchSize,
        ...ofPool(options, poolDefaults),
        metaInitialization: (options.poolGenerator ?? 'meta') === 'meta',
        ...ofClassGenerator(made),
      };
      return async ({ model }) => {
        const hasStatistics = model.graph.nodes.some(({ kind }) => kind === 'batchNorm');
        const pictures = options.pictures ?? (hasStatistics ? 0 : poolDefaults.pictures);
        return pool({ ...settings, ...madeAtOnce(model.graph, made), pictures });
      };
    },
    dafl: (preset) => {
      const method = dafl(preset.dafl);
      return async () => method;
    },
    nayer: ({ dafl: { batchSize, ...made } }, options) => {
      return async ({ model }) =>
        nayer({
          ...nayerDefaults,
          ...madeAtOnce(model.graph, made),
          ...ofPool(options, nayerDefaults),
          batchSize,
          ...ofClassGenerator(made),
        });
    },
    'deep-inversion': ({ dafl: { batchSize, ...made } }, options) => {
      return async ({ model }) =>
        deepInversion({
          ...deepInversionDefaults,
          ...madeAtOnce(model.graph, made),
          ...ofPool(options, deepInversionDefaults),
          batchSize,
          studentSteps: made.replay?.studentSteps ?? 1,
          weights: {
            ...deepInversionDefaults.weights,
            batchNorm: made.batchNormStatisticsWeight,
            label: made.oneHotWeight,
          },
        });
    },
    dfq: (preset) => {
      const method = dfq(ofGenerator(preset));
      return async () => method;
    },
    dfad: (preset) => {
      const method = dfad(ofGenerator(preset));
      return async () => method;
    },
    zskt: (preset) => {
      const method = zskt({ ...ofGenerator(preset), ...zsktDefaults });
      return async () => method;
    },
    noise: ({ dafl: { batchSize } }) => {
      const method = noise({ batchSize });
      return async () => method;
    },
    'alternative-data': (preset, options) => givenImages('alternative-data', preset, options),
    'original-data': (preset, options) => givenImages('original-data', preset, options),
    metadata: ({ dafl: { batchSize } }, options) => {
      const { metadata: path, metadataVariant: variant = 'all-layers' } = options;
      if (path === undefined) throw missing('metadata', 'metadata', 'a file that dafl record wrote');
      return async (teacher) => {
        const { metadata, sha256 } = await readMetadata(path, teacher.sha256);
        return reconstruction({ ...reconstructionDefaults, metadata, fingerprint: sha256, variant, batchSize });
      };
    },
  };

/** How many batches of images are made, in how many updates each, and from what pictures on. */
function ofPool(
  { syntheses, synthesisSteps, pictures }: DistillationOptions,
  defaults: { readonly syntheses: number; readonly iterations: number; readonly pictures: number },
): { syntheses: number; iterations: number; pictures: number } {
  return {
    syntheses: syntheses ?? defaults.syntheses,
    iterations: synthesisSteps ?? defaults.iterations,
    pictures: pictures ?? defaults.pictures,
  };
}

/** Fewer where a batch would take too much memory. */
function madeAtOnce(teacher: Graph, { generator }: Pick<Preset['dafl'], 'generator'>): { synthesisSize: number } {
  return { synthesisSize: imagesMadeAtOnce(pooled.synthesisSize, { teacher, generator }) };
}

/** How a generator of given classes is led, and how the student learns from its images. */
function ofClassGenerator(made: Omit<Preset['dafl'], 'batchSize'>): {
  readonly studentSteps: number;
  readonly generator: Pick<GeneratorOptions, 'latentSize' | 'widths'>;
  readonly generatorLearningRate: number;
  readonly weights: { readonly batchNorm: number; readonly label: number; readonly adversarial: number };
} {
  const { latentSize, widths } = made.generator;
  return {
    studentSteps: made.replay?.studentSteps ?? 1,
    generator: { latentSize, widths },
    generatorLearningRate: made.generatorSchedule.learningRate,
    weights: {
      batchNorm: made.batchNormStatisticsWeight,
      label: made.oneHotWeight,
      adversarial: made.adversarialWeight,
    },
  };
}

function ofGenerator({ dafl: { batchSize, generator, generatorSchedule, replay } }: Preset): GeneratorMethodOptions {
  const { latentSize, widths } = generator;
  return { batchSize, generator: { latentSize, widths }, generatorSchedule, studentSteps: replay?.studentSteps ?? 1 };
}

function givenImages(
  name: 'alternative-data' | 'original-data',
  { dafl: { batchSize } }: Preset,
  { data, shift = defaultShift[name], horizontalFlip = false }: DistillationOptions,
): Recipe['createMethod'] {
  if (data === undefined) throw missing(name, 'data', 'images: mnist, or a folder');
  return async (teacher, settings) => {
    const [height, width, channels] = describeClassifier(teacher.model.graph).inputShape;
    const images = matchChannels(await loadImages(data, { ...settings, pictureSize: [height, width] }), channels);
    const hash = createHash('sha256').update(`${images.height}x${images.width}x${images.channels}`);
    const fingerprint = hash.update(images.pixels).digest('hex');
    return imageSet({ name, images, fingerprint, batchSize, augmentation: { shift, horizontalFlip } });
  };
}

function missing(method: MethodName, option: string, what: string): DaflError {
  return new DaflError(
    'USAGE',
    `Cannot distill with method '${method}' as '${option}' must name ${what}: current value is none`,
  );
}

/** Options that belong to some methods only. */
const ownOptions: Readonly<Partial<Record<keyof DistillationOptions, readonly MethodName[]>>> = {
  pictures: ['procedural', 'pool', 'nayer', 'deep-inversion'],
  usesPerBatch: ['procedural'],
  syntheses: ['pool', 'nayer', 'deep-inversion'],
  synthesisSteps: ['pool', 'nayer', 'deep-inversion'],
  poolGenerator: ['pool'],
  preset: ['dafl'],
  data: ['alternative-data', 'original-data'],
  shift: ['alternative-data', 'original-data'],
  horizontalFlip: ['alternative-data', 'original-data'],
  metadata: ['metadata'],
  metadataVariant: ['metadata'],
};

/**
 * A student from random weights has more to learn. On validation images of Fashion-MNIST: 79.4 % after three times the usual
 * steps, 80.2 % after five times as many on twice the pictures.
 */
const RANDOM_START_FACTOR = 5;

/**
 * Turns options into a method, a training and a number of steps, by way of the preset that they name.
 *
 * @throws {DaflError} `USAGE` if options contradict each other.
 */
export function resolveRecipe(given: DistillationOptions): Recipe {
  const { method: decided, reason: methodReason } = decideMethod(given);
  const options: SettledOptions = {
    ...given,
    method: decided,
    // The paper takes its last student.
    keep: given.keep ?? (given.preset === 'paper' ? 'last' : 'best'),
    ...(decided === 'dafl' ? { preset: given.preset ?? 'fast' } : {}),
  };
  if (options.steps !== undefined && options.timeBudgetMs !== undefined) {
    throw new DaflError(
      'USAGE',
      `Cannot distill as 'steps' and 'timeBudgetMs' must not be given both: current value is both`,
    );
  }
  if (options.pace !== undefined && options.timeBudgetMs !== undefined) {
    fail({
      cannot: 'distill',
      as: "'pace' must not be given with 'timeBudgetMs', which decides it",
      value: JSON.stringify(options.pace),
    });
  }
  assertOwnOptions(options);
  const named = options.method === 'dafl' ? presets[options.preset ?? 'fast'] : baselineRecipes[options.method];
  const isRefined = lowRankShare(options.student) !== undefined && options.initialization !== 'random';
  const isLonger = options.method === 'procedural' && !startsFromTeacher(options);
  const fitted = isLonger ? { ...named, steps: named.steps * RANDOM_START_FACTOR } : named;
  const base = isRefined ? refine(fitted) : fitted;
  const preset = writeHyperParameters(base, options);
  const studentSteps = options.studentSteps ?? base.dafl.replay?.studentSteps ?? 1;
  if (options.method === 'dafl' && options.replayBatches === 0 && studentSteps > 1) {
    throw new DaflError(
      'USAGE',
      `Cannot distill as 'studentSteps' must be 1 where 'replayBatches' is 0: current value is ${studentSteps}${options.studentSteps === undefined ? `, the preset's` : ''}`,
    );
  }
  const resolved = Object.entries(readHyperParameters(preset)).filter(([name]) =>
    isHyperParameterOf(name, options.method),
  );
  return {
    training: preset.training,
    steps: options.steps ?? preset.steps,
    options: { ...options, ...(Object.fromEntries(resolved) as Partial<HyperParameters>) },
    methodReason,
    batchSize: preset.dafl.batchSize,
    stepMemory(teacher, student) {
      const { generator, replay } = preset.dafl;
      const { usesPerBatch = proceduralDefaults.uses } = options;
      const batches =
        options.method === 'procedural'
          ? Math.ceil(proceduralDefaults.studentSteps / usesPerBatch)
          : (replay?.studentSteps ?? 1);
      const { latentSize, widths } = generator;
      const common = { method: options.method, batches, generator: { latentSize, widths } };
      return stepMemory({ teacher, student, ...common });
    },
    createMethod: methods[options.method](preset, options),
  };
}

function assertOwnOptions(options: SettledOptions): void {
  const reject = (name: string, owners: readonly string[]): never => {
    const named = owners.join(', ').replace(/, ([^,]*)$/, ' and $1');
    fail({
      cannot: `distill with method '${options.method}'`,
      as: `'${name}' must not be given (it is an option of ${named})`,
      value: JSON.stringify(options[name as keyof DistillationOptions]),
    });
  };
  for (const [name, owners] of Object.entries(ownOptions)) {
    if (options[name as keyof DistillationOptions] !== undefined && !owners.includes(options.method))
      reject(name, owners);
  }
  for (const name of Object.keys(hyperParameters)) {
    if (options[name as keyof DistillationOptions] !== undefined && !isHyperParameterOf(name, options.method))
      reject(name, methodsOfHyperParameter(name));
  }
}

/** Student updates of a step, of methods that have no option for them. */
const ownStudentSteps: Readonly<Partial<Record<MethodName, number>>> = {
  procedural: proceduralDefaults.studentSteps,
  metadata: reconstructionDefaults.studentSteps,
};

/** What an examination costs, 640 pictures at most, is less than 2 % of learning from so many images. */
const LEAST_IMAGES_BETWEEN = 30_000;

/**
 * Steps between judgements: a tenth of the run, or a multiple of it that costs little; 0 for the end only. The student may depend on it, so it
 * follows from the options that a run keeps when it goes on.
 */
export function judgementInterval(settled: SettledOptions): number {
  const { method, steps = 1, batchSize = 1, studentSteps = ownStudentSteps[method] ?? 1 } = settled;
  const tenth = Math.max(1, Math.round(steps / 10));
  const interval = tenth * Math.max(1, Math.ceil(LEAST_IMAGES_BETWEEN / (tenth * batchSize * studentSteps)));
  return interval < steps ? interval : 0;
}

/** The options of a run whose length is known: what repeats it exactly. */
export function settleOptions(
  recipe: Recipe,
  settled: { readonly steps: number; readonly backend: BackendName },
): SettledOptions {
  const { timeBudgetMs: _, ...options } = recipe.options;
  const tenth = Math.max(1, Math.round(settled.steps / 10));
  return {
    ...options,
    ...settled,
    evaluateEvery: options.evaluateEvery ?? tenth,
    sampleEvery: options.sampleEvery ?? tenth,
  };
}
