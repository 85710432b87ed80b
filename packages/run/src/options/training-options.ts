import { z } from 'zod';
import type { BackendName } from './distillation-options.ts';
import { type OptionsSchema, parseOptions } from './parse-options.ts';

/** Every option of a training, as plain JSON. */
export interface TrainingOptions {
  /** Name of an architecture, or a model file whose graph is taken. */
  readonly architecture: string;
  /** `'mnist'` or a folder. */
  readonly data: string;
  /** Absent: 12, or as many as make 400 steps, where there are few images. */
  readonly epochs?: number;
  readonly batchSize: number;
  readonly optimizer: 'adam' | 'sgd';
  readonly learningRate: number;
  readonly learningRateSchedule: 'constant' | 'cosine' | 'linear';
  readonly warmupSteps: number;
  /** Of SGD only, as all of `sgdDefaults`, which are taken where they are absent. */
  readonly momentum?: number;
  /** Whether the momentum looks ahead. */
  readonly nesterov?: boolean;
  readonly weightDecay?: number;
  /** How many times faster biases and offsets learn. */
  readonly biasLearningRateFactor?: number;
  readonly labelSmoothing: number;
  /** How the first weights are made, where `startFrom` names none; absent: `'uniform'`. */
  readonly initialization?: 'uniform' | 'identity';
  /** Model file of the same network whose weights training starts from. */
  readonly startFrom?: string;
  /** Whether the first convolution is set to whiten the images' patches, and kept so. */
  readonly whitening: boolean;
  /** Largest random shift in pixels; 0 for none. */
  readonly shift: number;
  /** Whether half of the images are mirrored. */
  readonly horizontalFlip: boolean;
  /** Training images that are held out, as many of each class as its share, and reported on in place of the test images; 0 for none. Absent: a tenth, where there are no test images. */
  readonly validationSplit?: number;
  readonly backend: 'auto' | BackendName;
  readonly threads?: number;
  /** Whether WebGPU may run on a software adapter, which computes on the CPU. */
  readonly allowSoftwareGpu?: boolean;
  readonly seed: number;
}

/** What sgd does where nothing is said; adam has none of these. */
export const sgdDefaults: Required<
  Pick<TrainingOptions, 'momentum' | 'nesterov' | 'weightDecay' | 'biasLearningRateFactor'>
> = {
  momentum: 0.9,
  nesterov: false,
  weightDecay: 0,
  biasLearningRateFactor: 1,
};

/** The schema of `TrainingOptions`. Unknown keys are errors. */
export const trainingOptionsSchema: OptionsSchema<TrainingOptions> = z.strictObject({
  architecture: z
    .string()
    .min(1)
    .default('lenet5')
    .describe('Network: a built-in architecture, or a model file whose graph is taken')
    .meta({ placeholder: 'name|file' }),
  data: z
    .string()
    .min(1)
    .describe('Labelled images: mnist, or a folder or .tar.gz of IDX files, CIFAR, or class folders of PNG and JPEG')
    .meta({ placeholder: 'mnist|folder' }),
  epochs: z
    .int()
    .min(1)
    .optional()
    .describe('Passes over the training images. Default: 12, or as many as make 400 steps'),
  batchSize: z.int().min(1).default(128).describe('Images of one step'),
  optimizer: z.enum(['adam', 'sgd']).default('adam').describe('What changes the weights'),
  learningRate: z.number().gt(0).default(2e-3).describe('Learning rate'),
  learningRateSchedule: z
    .enum(['constant', 'cosine', 'linear'])
    .default('cosine')
    .describe('How the learning rate moves over the run'),
  warmupSteps: z.int().min(0).default(0).describe('Steps in which the learning rate rises from 0'),
  momentum: z.number().min(0).lt(1).optional().describe(`Momentum of sgd (default: ${sgdDefaults.momentum})`),
  nesterov: z.boolean().optional().describe('Let the momentum of sgd look ahead'),
  weightDecay: z.number().min(0).optional().describe(`Weight decay of sgd (default: ${sgdDefaults.weightDecay})`),
  biasLearningRateFactor: z
    .number()
    .gt(0)
    .optional()
    .describe(`How many times faster biases learn, with sgd (default: ${sgdDefaults.biasLearningRateFactor})`),
  labelSmoothing: z.number().min(0).lt(1).default(0).describe('Share of the target spread over all classes'),
  initialization: z
    .enum(['uniform', 'identity'])
    .optional()
    .describe('First weights: uniform (the default), or convolutions that pass their input on (identity)'),
  startFrom: z
    .string()
    .min(1)
    .optional()
    .describe('Model file of the same network to go on from')
    .meta({ placeholder: 'file' }),
  whitening: z
    .boolean()
    .default(false)
    .describe('Let the first convolution whiten the patches of the images, and keep it so'),
  shift: z.int().min(0).default(0).describe('Largest random shift of an image, in pixels'),
  horizontalFlip: z.boolean().default(false).describe('Mirror each image left to right in every other epoch'),
  validationSplit: z
    .int()
    .min(0)
    .optional()
    .describe(
      'Hold out that many training images, drawn from the seed, of each class its share, and report on them. Default: a tenth where there are no test images',
    ),
  backend: z
    .enum(['auto', 'node', 'webgpu', 'wasm', 'cpu'])
    .default('auto')
    .describe('What computes: node (TensorFlow), webgpu, wasm, cpu (slow), or the fastest (auto)')
    .meta({ placeholder: 'name' }),
  threads: z.int().min(1).max(64).optional().describe('Threads of the backend. Default: all cores, at most 8'),
  allowSoftwareGpu: z
    .boolean()
    .optional()
    .describe('Let WebGPU run on a software adapter, which computes on the CPU (for tests)'),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(0)
    .describe('Same seed, backend and machine: the same network, bit for bit')
    .meta({ summary: 'Same seed, same network, bit for bit' }),
});

/**
 * Checks the options of a training and fills in the defaults.
 *
 * @throws {DaflError} `USAGE`, naming the option, the rule and the value.
 */
export function parseTrainingOptions(value: unknown): TrainingOptions {
  return parseOptions(trainingOptionsSchema, value, 'train');
}
