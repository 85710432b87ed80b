import { type DaflOptions, fail, type Preset } from '@dafl/core';
import { z } from 'zod';
import type { MethodName } from './method-name.ts';

/** What a preset decides and an option can override, flat and as plain JSON. */
export interface HyperParameters {
  readonly batchSize: number;
  readonly latentSize: number;
  readonly generatorWidths: readonly [number, number, number];
  readonly generatorBatchNormEpsilon: number;
  readonly generatorOutput: 'normalized' | 'pixels' | 'sigmoid' | 'affine';
  readonly generatorContrast: number;
  readonly generatorBrightness: number;
  readonly generatorLearningRate: number;
  readonly generatorSchedule: 'constant' | 'cosine';
  readonly generatorWarmupSteps: number;
  readonly generatorBeta1: number;
  readonly generatorBeta2: number;
  readonly oneHotWeight: number;
  readonly informationEntropyWeight: number;
  readonly activationWeight: number;
  readonly batchNormStatisticsWeight: number;
  readonly adversarialWeight: number;
  readonly adversarialTemperature: number;
  readonly schedule: 'alternating' | 'two-stage';
  readonly replayBatches: number;
  readonly studentSteps: number;
  readonly studentLearningRate: number;
  readonly studentSchedule: 'constant' | 'cosine';
  readonly studentWarmupSteps: number;
  readonly studentBeta1: number;
  readonly studentBeta2: number;
  readonly studentRates: 'equal' | 'relative';
  readonly temperature: number;
  readonly studentLoss: 'divergence' | 'l1' | 'mse';
  readonly initialization: 'random' | 'teacher' | 'auto';
  readonly studentFit: 'none' | 'layers';
  readonly studentWhitening: 'none' | 'inputs';
  readonly studentNorms: 'own' | 'batch';
  readonly studentBatchNorm: 'moving' | 'fixed';
  readonly hintWeight: number;
}

/** One of them: what it may be, and where it stands in a preset. */
export interface HyperParameter<Value> {
  readonly schema: z.ZodType<Value>;
  read(preset: Preset): Value;
  write(preset: Preset, value: Value): Preset;
}

/** A hyper-parameter that stands at one place of the preset, such as `dafl.generator.latentSize`. */
function at<Value>(path: string, schema: z.ZodType<Value>, absent?: Value): HyperParameter<Value> {
  const keys = path.split('.');
  return {
    schema,
    read: (preset) =>
      (keys.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], preset) ?? absent) as Value,
    write: (preset, value) => replaceAt(preset, keys, value) as Preset,
  };
}

/** A hyper-parameter of two words for a switch of the training, which is left out where it is off. */
function switchedBy<Off extends string, On extends string>(
  key: 'fitsLayers' | 'whitensInputs' | 'normalizesLayers',
  [off, on]: readonly [Off, On],
  description: string,
): HyperParameter<Off | On> {
  return {
    schema: z.enum([off, on]).describe(description),
    read: ({ training }) => (training[key] === true ? on : off),
    write: (preset, value) => ({
      ...preset,
      training: { ...preset.training, [key]: value === on ? true : undefined },
    }),
  };
}

function replaceAt(value: unknown, [key, ...rest]: readonly string[], replacement: unknown): unknown {
  const fields = value as Record<string, unknown>;
  return { ...fields, [key]: rest.length === 0 ? replacement : replaceAt(fields[key], rest, replacement) };
}

function withReplay(preset: Preset, replay: DaflOptions['replay']): Preset {
  return { ...preset, dafl: { ...preset.dafl, replay } };
}

/** Of a generator that is told to make pixels and nothing more; the fast preset's. */
const PIXEL_TONE = { contrast: 2, brightness: -2 };
/** What a generator that normalises its images has in their place: nothing is changed. */
const NO_TONE = { contrast: 1, brightness: 0 };

/** Contrast or brightness: what the generator's pixels are scaled and shifted by before the sigmoid. */
function tone(name: 'contrast' | 'brightness', schema: z.ZodType<number>): HyperParameter<number> {
  return {
    schema,
    read: ({ dafl: { generator } }) => (generator.output.kind === 'pixels' ? generator.output[name] : NO_TONE[name]),
    write: (preset, value) => {
      const { generator } = preset.dafl;
      if (generator.output.kind !== 'pixels') {
        const option = name === 'contrast' ? 'generatorContrast' : 'generatorBrightness';
        fail({
          cannot: 'distill',
          as: `'${option}' must be ${NO_TONE[name]} with ${generator.output.kind} generator output`,
          value,
        });
      }
      const output = { ...generator.output, [name]: value };
      return { ...preset, dafl: { ...preset.dafl, generator: { ...generator, output } } };
    },
  };
}

/** Larger ones fit into no memory; beyond it, sizes of the generator's layers are no numbers of values any more. */
const LARGEST_WIDTH = 65_536;

const weight = (text: string): z.ZodType<number> => z.number().min(0).describe(text);
const learningRate = (text: string): z.ZodType<number> => z.number().gt(0).describe(text);
const decay = (text: string): z.ZodType<number> => z.number().min(0).lt(1).describe(text);
const width = (): z.ZodInt => z.int().min(1).max(LARGEST_WIDTH);
const learningRateSchedule = (whose: string): z.ZodType<'constant' | 'cosine'> =>
  z.enum(['constant', 'cosine']).describe(`How the ${whose}'s learning rate moves over the run`);
const warmupSteps = (whose: string): z.ZodType<number> =>
  z.int().min(0).describe(`Steps in which the ${whose}'s learning rate rises from 0`);

/** All hyper-parameters in the order of the help. The one place where an option meets core's presets. */
export const hyperParameters: { readonly [Name in keyof HyperParameters]: HyperParameter<HyperParameters[Name]> } = {
  batchSize: at('dafl.batchSize', z.int().min(2).describe('Images of one step')),
  latentSize: at('dafl.generator.latentSize', width().describe("Length of the generator's latent vector")),
  generatorWidths: at(
    'dafl.generator.widths',
    z.tuple([width(), width(), width()]).describe("Channels of the generator's three convolution stages"),
  ),
  generatorBatchNormEpsilon: at(
    'dafl.generator.batchNormEpsilon',
    z.number().gt(0).describe("Epsilon of the generator's inner batch normalisations"),
  ),
  generatorOutput: {
    schema: z
      .enum(['normalized', 'pixels', 'sigmoid', 'affine'])
      .describe(
        'Range of the images: mean 0 and variance 1 as in the paper (normalized), what pixels can be, at a given tone or at any (pixels, sigmoid), or any value (affine)',
      )
      .meta({ placeholder: 'range' }),
    read: ({ dafl }) => dafl.generator.output.kind,
    write: (preset, kind) => {
      const output = kind === 'pixels' ? ({ kind, ...PIXEL_TONE } as const) : ({ kind } as const);
      return { ...preset, dafl: { ...preset.dafl, generator: { ...preset.dafl.generator, output } } };
    },
  },
  generatorContrast: tone('contrast', z.number().gt(0).describe("Contrast of the generator's pixels")),
  generatorBrightness: tone('brightness', z.number().describe("Brightness of the generator's pixels")),
  generatorLearningRate: at('dafl.generatorSchedule.learningRate', learningRate('Learning rate of the generator')),
  generatorSchedule: at('dafl.generatorSchedule.kind', learningRateSchedule('generator')),
  generatorWarmupSteps: at('dafl.generatorSchedule.warmupSteps', warmupSteps('generator'), 0),
  generatorBeta1: at('dafl.generatorOptimizer.beta1', decay("First decay of the generator's Adam")),
  generatorBeta2: at('dafl.generatorOptimizer.beta2', decay("Second decay of the generator's Adam")),
  oneHotWeight: at('dafl.oneHotWeight', weight('Weight of the one-hot loss')),
  informationEntropyWeight: at('dafl.informationEntropyWeight', weight('Weight of the information-entropy loss')),
  activationWeight: at('dafl.activationWeight', weight('Weight of the activation loss')),
  batchNormStatisticsWeight: at(
    'dafl.batchNormStatisticsWeight',
    weight("Weight of the distance to the statistics of the teacher's batch norms; 0 in the paper"),
  ),
  adversarialWeight: at('dafl.adversarialWeight', weight('Weight of the adversarial loss; 0 in the paper')),
  adversarialTemperature: at(
    'dafl.adversarialTemperature',
    z.number().gt(0).describe('Temperature of the adversarial loss'),
  ),
  schedule: at(
    'dafl.schedule',
    z
      .enum(['alternating', 'two-stage'])
      .describe('What the student learns from: the batch the generator was trained on, or a fresh one'),
  ),
  replayBatches: {
    schema: z.int().min(0).describe('Newest batches that the student learns from again; 0 for none'),
    read: ({ dafl }) => dafl.replay?.batches ?? 0,
    write: (preset, batches) =>
      withReplay(preset, batches === 0 ? null : { studentSteps: 1, ...preset.dafl.replay, batches }),
  },
  studentSteps: {
    schema: z.int().min(1).describe('Updates of the student in one step; more than 1 needs replayed batches'),
    read: ({ dafl }) => dafl.replay?.studentSteps ?? 1,
    write: (preset, studentSteps) => withReplay(preset, { batches: 1, ...preset.dafl.replay, studentSteps }),
  },
  studentLearningRate: at('training.schedule.learningRate', learningRate('Learning rate of the student')),
  studentSchedule: at('training.schedule.kind', learningRateSchedule('student')),
  studentWarmupSteps: at('training.schedule.warmupSteps', warmupSteps('student'), 0),
  studentBeta1: at('training.optimizer.beta1', decay("First decay of the student's Adam")),
  studentBeta2: at('training.optimizer.beta2', decay("Second decay of the student's Adam")),
  studentRates: {
    schema: z
      .enum(['equal', 'relative'])
      .describe("Learning rates of the student's layers: one for all, or in relation to first weights of unusual size"),
    read: ({ training: { optimizer } }) => (optimizer.kind === 'adam' && optimizer.relative ? 'relative' : 'equal'),
    write: (preset, rates) => {
      const { training } = preset;
      const optimizer = { ...training.optimizer, relative: rates === 'relative' ? true : undefined };
      return { ...preset, training: { ...training, optimizer } };
    },
  },
  temperature: at('training.temperature', z.number().gt(0).describe('Temperature of the distillation loss')),
  studentLoss: {
    schema: z
      .enum(['divergence', 'l1', 'mse'])
      .describe(
        "How the student's logits are compared with the teacher's: softened divergence, or by their differences",
      ),
    read: ({ training }) => training.loss?.kind ?? 'divergence',
    write: (preset, kind) => ({ ...preset, training: { ...preset.training, loss: { ...preset.training.loss, kind } } }),
  },
  initialization: at(
    'training.initialization',
    z
      .enum(['random', 'teacher', 'auto'])
      .describe(
        "Where the student's weights start: random, from the teacher's, or the latter where it fits (low-rank: auto)",
      ),
  ),
  studentFit: switchedBy(
    'fitsLayers',
    ['none', 'layers'],
    "What is fitted to the teacher's inner channels before the first step, where the student starts from them",
  ),
  studentWhitening: switchedBy(
    'whitensInputs',
    ['none', 'inputs'],
    "What the student's optimizer sees as white: nothing, or what its layers read",
  ),
  studentNorms: switchedBy(
    'normalizesLayers',
    ['own', 'batch'],
    'What a student from random weights learns with: the norms that it has, or, where it has none, batch norms, which are folded into its layers in the end',
  ),
  studentBatchNorm: at(
    'training.batchNormStatistics',
    z
      .enum(['moving', 'fixed'])
      .describe(
        "Statistics of the student's batch norms: of its batches, or those that it starts with, then without dropout (low-rank: fixed)",
      ),
    'moving',
  ),
  hintWeight: at(
    'training.hintWeight',
    weight("Weight of the distance from the teacher's inner channels, for students that start from them"),
    0,
  ),
};

/** Those that mean something to every method. */
export const commonHyperParameters: ReadonlySet<string> = new Set<keyof HyperParameters>([
  'batchSize',
  'studentLearningRate',
  'studentSchedule',
  'studentWarmupSteps',
  'studentBeta1',
  'studentBeta2',
  'studentRates',
  'temperature',
  'studentLoss',
  'initialization',
  'studentFit',
  'studentWhitening',
  'studentNorms',
  'studentBatchNorm',
  'hintWeight',
]);

/** Of those of `dafl`, what other methods read too. */
const ofGenerator = ['latentSize', 'generatorWidths', 'generatorLearningRate', 'studentSteps'] as const;
const ofImages = ['batchNormStatisticsWeight', 'oneHotWeight'] as const;
const sharedHyperParameters: Readonly<Partial<Record<MethodName, readonly (keyof HyperParameters)[]>>> = {
  pool: [...ofGenerator, ...ofImages, 'adversarialWeight'],
  nayer: [...ofGenerator, ...ofImages, 'adversarialWeight'],
  'deep-inversion': [...ofImages, 'studentSteps'],
  dfq: [...ofGenerator, 'generatorSchedule', 'generatorWarmupSteps'],
  dfad: [...ofGenerator, 'generatorSchedule', 'generatorWarmupSteps'],
  zskt: [...ofGenerator, 'generatorSchedule', 'generatorWarmupSteps'],
};

/** Whether a hyper-parameter means something to a method: all do to `dafl`, the student's own to every method. */
export function isHyperParameterOf(name: string, method: MethodName): boolean {
  if (method === 'dafl' || commonHyperParameters.has(name)) return true;
  return (sharedHyperParameters[method] as readonly string[] | undefined)?.includes(name) ?? false;
}

/** The methods that a hyper-parameter which not every method has means something to. */
export function methodsOfHyperParameter(name: string): readonly string[] {
  return [
    'dafl',
    ...Object.keys(sharedHyperParameters).filter((method) => isHyperParameterOf(name, method as MethodName)),
  ];
}

/** All hyper-parameters as a preset has them. */
export function readHyperParameters(preset: Preset): HyperParameters {
  return Object.fromEntries(
    Object.entries(hyperParameters).map(([name, parameter]) => [name, parameter.read(preset)]),
  ) as unknown as HyperParameters;
}

/** A preset with those that are given put in place of its own. */
export function writeHyperParameters(preset: Preset, values: Partial<HyperParameters>): Preset {
  let changed = preset;
  for (const [name, parameter] of Object.entries(hyperParameters) as [
    keyof HyperParameters,
    HyperParameter<unknown>,
  ][]) {
    const value = values[name];
    // What stays as it was is not written, so that naming a default gives the very same run as leaving it out.
    if (value !== undefined && JSON.stringify(value) !== JSON.stringify(parameter.read(changed))) {
      changed = parameter.write(changed, value);
    }
  }
  return changed;
}
