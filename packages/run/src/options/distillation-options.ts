import { z } from 'zod';
import { type HyperParameters, hyperParameters } from './hyper-parameters.ts';
import { lowRankShare } from './low-rank-share.ts';
import { type MethodName, methodNames } from './method-name.ts';
import { type OptionsSchema, parseOptions } from './parse-options.ts';

/** Backends that a run can compute on. */
export type BackendName = 'node' | 'webgpu' | 'wasm' | 'cpu';

/** Every option of a distillation, as plain JSON: what a command line, an HTTP body and `run.json` have in common. */
export interface DistillationOptions extends Partial<HyperParameters> {
  /** Name of a built-in teacher, path of a model file, or address of a model that speaks the Open Inference Protocol. */
  readonly teacher: string;
  /** Node of the teacher whose output is taken as the logits; absent: the one that its file marks. */
  readonly logits?: string;
  /** Whether the teacher, an ONNX file, is run by onnxruntime and never looked into. An endpoint never is. */
  readonly answersOnly?: boolean;
  /** Mean that the teacher's trainer subtracted, in units of `range`: one number, or one a channel; absent: as its file says. */
  readonly mean?: readonly number[];
  /** Deviation that they divided by, likewise. */
  readonly std?: readonly number[];
  /** Range of pixels that the teacher takes; absent: as its file says. */
  readonly range?: '0..1' | '-1..1' | '0..255';
  /** Architecture that the teacher's weights belong to, where its file holds weights alone; absent: found by names and shapes. */
  readonly architecture?: string;
  /** Side, or height and width, of the teacher's pictures, where its file leaves them open. */
  readonly inputSize?: readonly number[];
  /**
   * `'half'`, `'quarter'`, the share of the teacher's widths in (0, 1], `'low-rank'` or `'low-rank-SHARE'` (the teacher's
   * convolutions in two parts, with that share of its multiply-accumulates), an architecture, or a model file whose
   * graph is taken.
   */
  readonly student: string | number;
  /** `'auto'`: what the options and the teacher ask for, see `decideMethod`. */
  readonly method: 'auto' | MethodName;
  /** Images of the methods `alternative-data` and `original-data`: `'mnist'` or a folder. Labels are not read. */
  readonly data?: string;
  /** Largest random shift of these images in pixels. */
  readonly shift?: number;
  /** Whether half of these images are mirrored. */
  readonly horizontalFlip?: boolean;
  /** File of the method `metadata`, which `dafl record` wrote. */
  readonly metadata?: string;
  readonly metadataVariant?: 'top-layer' | 'all-layers' | 'spectral-all-layers' | 'spectral-layer-pairs';
  /** Recipe of the method `dafl`; absent: `'fast'`. */
  readonly preset?: 'fast' | 'paper';
  /** Pictures that the method `procedural` keeps at most, or that `pool` begins with. */
  readonly pictures?: number;
  /** In how many updates of the student the method `procedural` uses each batch; the teacher answers it once. */
  readonly usesPerBatch?: number;
  /** Batches of images that the methods `pool`, `nayer` and `deep-inversion` make over the run. */
  readonly syntheses?: number;
  /** Updates in which each of them is made. */
  readonly synthesisSteps?: number;
  /** What each of them starts from in the method `pool`: a meta-learned generator, or the one before. */
  readonly poolGenerator?: 'meta' | 'persistent';
  readonly backend: 'auto' | BackendName;
  /** Threads of the backend; absent: as many as the backend likes. */
  readonly threads?: number;
  /** Whether WebGPU may run on a software adapter, which computes on the CPU. */
  readonly allowSoftwareGpu?: boolean;
  /** Integer in 0..2^32-1. */
  readonly seed: number;
  /** Length of the run; absent: the preset's. */
  readonly steps?: number;
  /** Wall time that the run may take: as many steps as fit are run. Not together with `steps`. */
  readonly timeBudgetMs?: number;
  /** How the length was changed in the run that this one repeats: `[step, end]`, see core's `Pace`. */
  readonly pace?: readonly (readonly [step: number, end: number])[];
  /** Labelled data for reporting: `'mnist'` or a folder. */
  readonly eval?: string;
  /** Model file whose first layer the report shows beside the others': a student that was trained on real data. */
  readonly compare?: string;
  /** Steps between evaluations; 0 for one at the end only; absent: a tenth of the run. */
  readonly evaluateEvery?: number;
  /** Steps between pictures of the samples; 0 for one at the end only; absent: a tenth of the run. */
  readonly sampleEvery?: number;
  /**
   * Which student comes out: the last one (`'last'`), or the best by the verdict, where the last one is clearly worse
   * (`'best'`). Absent: the best, but for the preset `'paper'`.
   */
  readonly keep?: 'best' | 'last';
  /** Whether event files are written for TensorBoard. */
  readonly tensorboard: boolean;
  /** Formats in which the student is written beside dafl's own: `onnx`, `keras`, `tfjs`, with commas between them. */
  readonly export?: string;
  /** Whether the student is written in eight bits too, as ONNX. */
  readonly quantize?: 'int8';
  /** Steps between checkpoints; 0 for none but at an interruption. */
  readonly checkpointEvery: number;
}

/** Options whose method is decided. */
export interface SettledOptions extends DistillationOptions {
  readonly method: MethodName;
}

const overrides = Object.fromEntries(
  Object.entries(hyperParameters).map(([name, { schema }]) => [name, schema.optional()]),
) as unknown as { [Name in keyof HyperParameters]: z.ZodType<HyperParameters[Name] | undefined> };

const every = (what: string): z.ZodType<number | undefined> =>
  z.int().min(0).optional().describe(`Steps between ${what}; 0 for the end only. Default: a tenth of the run`);

/** The schema of `DistillationOptions`. Unknown keys are errors. */
export const distillationOptionsSchema: OptionsSchema<DistillationOptions> = z.strictObject({
  teacher: z
    .string()
    .min(1)
    .describe('Trained network: a built-in name, a model file, or http://host/v2/models/NAME')
    .meta({ placeholder: 'name|file|url' }),
  logits: z
    .string()
    .min(1)
    .optional()
    .describe('Node of the teacher that gives the logits. Default: the one that its file marks')
    .meta({ placeholder: 'node' }),
  answersOnly: z
    .boolean()
    .optional()
    .describe('Run the teacher, an ONNX file, by onnxruntime, and learn from its answers alone'),
  mean: z
    .array(z.number())
    .min(1)
    .optional()
    .describe(
      "Mean of the teacher's training images, for each channel; given with their deviation. Default: as its file says",
    )
    .meta({ placeholder: 'number,...', summary: 'Mean of its training images, if its file lacks it' }),
  std: z
    .array(z.number().gt(0))
    .min(1)
    .optional()
    .describe('Their standard deviation, likewise')
    .meta({ placeholder: 'number,...', rule: 'a list of numbers > 0' }),
  range: z
    .enum(['0..1', '-1..1', '0..255'])
    .optional()
    .describe('Pixels that the teacher takes, before mean and deviation. Default: as its file says')
    .meta({ summary: 'Pixels that it takes, likewise' }),
  architecture: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Built-in architecture of the teacher's weights, for files of weights alone. Default: found by names and shapes",
    )
    .meta({ placeholder: 'name' }),
  inputSize: z
    .array(z.int().min(1))
    .min(1)
    .max(2)
    .optional()
    .describe("Side, or height and width, of the teacher's pictures, if its file leaves them open")
    .meta({ placeholder: 'number,...', rule: 'one integer >= 1, or two' }),
  student: z
    .union([
      z.number().gt(0).lte(1),
      z
        .string()
        .min(1)
        .refine((name) => !Number.isNaN(lowRankShare(name))),
    ])
    .default('half')
    .describe(
      "half, quarter, a share of the teacher's widths, low-rank or low-rank-SHARE (its convolutions in two parts), an architecture, or a model file for its graph",
    )
    .meta({
      placeholder: 'kind',
      summary: 'half, 0.3, low-rank, an architecture or a file',
      rule: "'half', 'quarter', a number > 0 and <= 1, 'low-rank', 'low-rank-SHARE' with a share > 0 and < 1, a built-in architecture or a model file",
    }),
  method: z
    .enum(['auto', ...methodNames])
    .default('auto')
    .describe(
      'Where the images come from: procedural (drawn by rules), pool (made to match the batch norms, and kept), dafl (a generator), another published method (nayer, deep-inversion, dfq, dfad, zskt), noise, alternative-data, original-data, metadata, or what suits the teacher (auto)',
    )
    .meta({ placeholder: 'name', summary: 'procedural, dafl, noise or another' }),
  data: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Images of the methods alternative-data and original-data: as --eval, or a folder of PNG and JPEG; labels are not read',
    )
    .meta({ placeholder: 'mnist|folder' }),
  shift: z.int().min(0).optional().describe('Largest random shift of these images, in pixels'),
  horizontalFlip: z.boolean().optional().describe('Mirror half of these images left to right'),
  metadata: z
    .string()
    .min(1)
    .optional()
    .describe('File of the method metadata, written by dafl record')
    .meta({ placeholder: 'file' }),
  metadataVariant: z
    .enum(['top-layer', 'all-layers', 'spectral-all-layers', 'spectral-layer-pairs'])
    .optional()
    .describe(
      'What of the metadata the images must match: top-layer, all-layers (the default), spectral-all-layers or spectral-layer-pairs',
    )
    .meta({ placeholder: 'variant' }),
  preset: z
    .enum(['fast', 'paper'])
    .optional()
    .describe('Recipe of the method dafl: fast (its default), or the official hyper-parameters'),
  syntheses: z
    .int()
    .min(1)
    .optional()
    .describe('Batches of images that pool, nayer or deep-inversion make over the run (default: 120, 60 or 8)'),
  synthesisSteps: z.int().min(1).optional().describe('Updates in which each of them is made (default: 5, 20 or 300)'),
  poolGenerator: z
    .enum(['meta', 'persistent'])
    .optional()
    .describe('What each of them starts from: a meta-learned generator (meta, the default), or the one before'),
  pictures: z
    .int()
    .min(0)
    .optional()
    .describe(
      'Pictures drawn by rules that the method procedural keeps at most (default: 20000, more in long runs), and that pool begins with (default: 8000, or 0 for teachers with batch norms)',
    ),
  usesPerBatch: z
    .int()
    .min(1)
    .optional()
    .describe(
      'Updates of the student in which procedural uses each batch, which its teacher answers once (default: 4, or 2 where networks are not small)',
    ),
  backend: z
    .enum(['auto', 'node', 'webgpu', 'wasm', 'cpu'])
    .default('auto')
    .describe('What computes: node (TensorFlow), webgpu, wasm, cpu (slow), or the fastest (auto)')
    .meta({ placeholder: 'name', summary: 'node, webgpu, wasm, cpu' }),
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
    .describe('Same seed, backend and machine: the same student, bit for bit')
    .meta({ summary: 'Same seed, same student, bit for bit' }),
  steps: z.int().min(1).optional().describe("Length of the run. Default: the method's"),
  timeBudgetMs: z.number().gt(0).optional().describe('As many steps as fit this time: 90s, 5m, 1h').meta({
    flag: 'time-budget',
    placeholder: 'duration',
    rule: 'a number of milliseconds > 0',
    flagRule: 'a time such as 90s, 5m or 1h',
  }),
  pace: z
    .array(z.tuple([z.int().min(1), z.int().min(1)]))
    .optional()
    .describe('How the length was changed on the way to hold a time; with a run.json, which repeats it')
    .meta({ flag: false, rule: 'a list of pairs [step, end], integers >= 1' }),
  eval: z
    .string()
    .min(1)
    .optional()
    .describe('Labelled images, for reporting only: mnist, or a folder or .tar.gz of IDX files, CIFAR or class folders')
    .meta({ placeholder: 'mnist|folder', summary: 'Labelled images, for reporting only' }),
  compare: z
    .string()
    .min(1)
    .optional()
    .describe("Model whose first layer the report shows beside the teacher's and the student's")
    .meta({ placeholder: 'file' }),
  evaluateEvery: every('evaluations'),
  sampleEvery: every('pictures of the samples'),
  keep: z
    .enum(['best', 'last'])
    .optional()
    .describe(
      'The student that comes out: best (by the verdict, where the last one is clearly worse), or last. Default: best; last for the preset paper',
    ),
  tensorboard: z.boolean().default(false).describe('Write event files for TensorBoard into the folder of the run'),
  export: z
    .string()
    .regex(/^(onnx|keras|tfjs)(,(onnx|keras|tfjs))*$/)
    .optional()
    .describe('Write the student in these formats too, beside its file')
    .meta({ placeholder: 'onnx,keras,tfjs', rule: 'one or several of onnx, keras and tfjs, with commas between them' }),
  quantize: z
    .enum(['int8'])
    .optional()
    .describe('Write the student in eight bits too, as ONNX, as dafl quantize does')
    .meta({ placeholder: 'int8' }),
  checkpointEvery: z.int().min(0).default(50).describe('Steps between checkpoints; 0 for interruptions only'),
  ...overrides,
});

/**
 * Checks the options of a distillation and fills in the defaults.
 *
 * @throws {DaflError} `USAGE`, naming the option, the rule and the value.
 * @example
 * ```ts
 * parseDistillationOptions({ teacher: 'lenet5-mnist' }).student; // 'half'
 * ```
 */
export function parseDistillationOptions(value: unknown): DistillationOptions {
  return parseOptions(distillationOptionsSchema, value, 'distill');
}
