import type { StartEvent, StepEvent, Verdict, VerdictEvent } from '@dafl/core';
import type { PreparedEvent, RunEstimate, RunResultEvent, RunWarningEvent } from '@dafl/run';
import { z } from 'zod';

/** Every field of a type, each with its schema: a field that is added to the type must be added to the schema. */
type ShapeOf<Type> = { readonly [Name in keyof Type]-?: z.ZodType<Type[Name]> };

/** A line of `--json`. */
type EventSchema = z.ZodObject<{ event: z.ZodType<string> }>;

const event = <Name extends string, Shape extends z.ZodRawShape>(name: Name, meaning: string, shape: Shape) =>
  z.strictObject({ event: z.literal(name), ...shape }).describe(meaning);

const count = z.int().min(0);
const share = z.number().min(0).max(1);
const seconds = z.number().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const texts = z.array(z.string());
/** Parts that are documented where they are stored, in a record or a file. */
const elsewhere = z.looseObject({});

const network = z.strictObject({ name: z.string(), parameters: count, multiplyAccumulates: count });
const marks = { pictures: count, agreement: share, classAgreements: z.array(share.nullable()), clearAgreement: share };
const verdict = z.strictObject({
  level: z.enum(['good', 'doubtful', 'poor']),
  reasons: texts,
  ...marks,
} satisfies ShapeOf<Verdict>);
const losses = z.record(z.string(), z.number());
const where = { step: count, steps: count };
const progress = { ...where, losses, seconds, secondsLeft: seconds };

const runWarning = event('warning', 'What may explain a poor student, or a report that failed', {
  code: z.enum([
    'ALIKE_IMAGES',
    'MISSING_CLASSES',
    'PROBABILITIES',
    'RANDOM_START',
    'REPORT_FAILED',
    'DAMAGED_CHECKPOINT',
    'IMPORTED_TEACHER',
    'SMALLER_BATCHES',
    'WIDE_STUDENT',
  ]),
  step: count,
  message: z.string(),
} satisfies ShapeOf<Omit<RunWarningEvent, 'event'>>);

const distillation = [
  event('prepared', 'All is read, checked and chosen; the folder of the run is taken', {
    folder: z.string(),
    backend: z.string(),
    backendReason: z.string(),
    method: z.string(),
    methodReason: z.string().nullable(),
    seed: count,
    steps: count,
    timeBudgetMs: z.number().nullable(),
    eval: z.string().nullable(),
    forecast: z
      .strictObject({ secondsPerStep: seconds, preparationSeconds: seconds, seconds, evaluationSeconds: seconds })
      .nullable(),
  } satisfies ShapeOf<Omit<PreparedEvent, 'event'>>),
  event('start', 'The first step is about to be taken, or the one after `resumedAt`', {
    method: z.string(),
    backend: z.string(),
    seed: count,
    steps: count,
    resumedAt: count,
    teacher: network,
    student: network,
    initialization: z.enum(['random', 'teacher', 'given']),
    isFitted: z.boolean(),
  } satisfies ShapeOf<Omit<StartEvent, 'event'>>),
  event('step', 'A step is done', { ...progress, studentImages: count } satisfies ShapeOf<Omit<StepEvent, 'event'>>),
  event('pace', 'The length was changed to hold the time', {
    ...where,
    pace: z.array(z.strictObject({ step: count, end: count })),
  }),
  event('evaluation', 'An accuracy on the labelled images', {
    network: z.enum(['teacher', 'student']),
    step: count,
    accuracy: share,
    count,
  }),
  event('verdict', 'What to think of the student without labelled data, at this moment', {
    step: count,
    verdict,
  } satisfies ShapeOf<Omit<VerdictEvent, 'event'>>),
  event('samples', 'A picture of what the student learns from was drawn', {
    step: count,
    height: count,
    width: count,
    channels: count,
    labels: z.array(count),
    confidences: z.array(share),
    classes: count,
    classCounts: z.array(count),
    perClass: count,
    file: z.string(),
  }),
  event('checkpoint', 'The run can go on from here', { step: count }),
  runWarning,
  event('student', 'The student is on the disk; reports follow. Told again where an earlier one is kept', {
    step: count,
    file: z.string(),
  }),
  event('interrupted', 'The run was stopped and can go on. The last line', { ...where, folder: z.string() }),
] as const;

const distillationResult = event('result', 'The run has ended and all is written', {
  ...where,
  seconds,
  backend: z.string(),
  seed: count,
  keptStep: count,
  agreement: share.optional(),
  verdict: verdict.optional(),
  accuracy: share.optional(),
  teacherAccuracy: share.optional(),
  studentSha256: sha256,
  peakMemoryBytes: count,
  isRepeated: z.boolean(),
  folder: z.string(),
  files: z.strictObject({
    student: z.string(),
    record: z.string(),
    metrics: z.string(),
    samples: z.string(),
    report: z.string(),
    onnx: z.string().optional(),
    keras: z.string().optional(),
    tfjs: z.string().optional(),
    int8: z.string().optional(),
  }),
} satisfies ShapeOf<Omit<RunResultEvent, 'event' | 'student'>>);

const spread = { mean: share, standardDeviation: z.number().min(0), minimum: share, maximum: share };
const seedsResult = event('result', 'Of `--seeds`: what all runs came to, after the result of each. The last line', {
  accuracy: share.optional(),
  mean: share.optional(),
  standardDeviation: z.number().min(0).optional(),
  minimum: share.optional(),
  maximum: share.optional(),
  agreement: z.strictObject(spread).optional(),
  seconds,
  steps: count,
  backend: z.string(),
  seed: count,
  peakMemoryBytes: count,
  seeds: z.array(
    z.strictObject({
      seed: count,
      accuracy: share.optional(),
      agreement: share.optional(),
      seconds,
      studentSha256: sha256,
      folder: z.string(),
    }),
  ),
});

const listed = {
  name: z.string(),
  description: z.string(),
  inputShape: z.array(count),
  classes: count,
  parameters: count,
  multiplyAccumulates: count,
};
const probable = { label: count, name: z.string(), probability: share };
const differences = z.array(z.strictObject({ name: z.string(), values: z.array(z.unknown()) }));
const experimentRow = { row: z.string(), seed: count };
const contest = { contestants: z.array(elsewhere), unavailable: z.array(elsewhere) };

/** What every command may write under `--json`. */
export const commonEvents: readonly EventSchema[] = [
  event('error', 'Why the command failed: the last line. The exit code follows from `code`', {
    code: z.enum([
      'USAGE',
      'MODEL',
      'DATA',
      'SHAPE',
      'NON_FINITE',
      'CHECKPOINT',
      'OUT_OF_MEMORY',
      'STORAGE',
      'INTERRUPTED',
      'INTERNAL',
    ]),
    message: z.string(),
  }),
  event('commands', 'Of `dafl --help`', {
    commands: z.array(z.strictObject({ name: z.string(), summary: z.string() })),
  }),
  event('version', 'Of `dafl --version`', { version: z.string() }),
  event('help', 'Of `--help`: the arguments as JSON Schema', {
    command: z.string(),
    description: z.string(),
    operands: texts,
    arguments: elsewhere,
  }),
];

/** What each command writes under `--json`, line by line, by its name. */
export const eventSchemas: Readonly<Record<string, readonly EventSchema[]>> = {
  distill: [...distillation, distillationResult, seedsResult],
  estimate: [
    runWarning,
    event('result', 'What the run would take', {
      backend: z.string(),
      steps: count,
      secondsPerStep: seconds,
      preparationSeconds: seconds,
      seconds,
      peakMemoryBytes: count,
      batchSize: count,
      teacher: z.string(),
      student: z.string(),
      probeSeconds: seconds,
    } satisfies ShapeOf<RunEstimate>),
  ],
  demo: [...distillation, distillationResult],
  train: [
    event('prepared', 'All is read and chosen', {
      backend: z.string(),
      backendReason: z.string(),
      name: z.string(),
      trainingImages: count,
      evaluationImages: count,
      note: z.string().nullable(),
      evaluation: z.enum(['validation', 'test']),
    }),
    event('step', 'A step is done', { ...progress, epoch: count }),
    event('evaluation', 'The accuracy after an epoch', { epoch: count, step: count, accuracy: share, count }),
    event('result', 'The network is trained and written', {
      ...where,
      seconds,
      backend: z.string(),
      seed: count,
      accuracy: share.optional(),
      modelSha256: sha256,
      peakMemoryBytes: count,
      evaluation: z.enum(['validation', 'test']),
      files: z.strictObject({ model: z.string(), record: z.string(), metrics: z.string(), report: z.string() }),
    }),
  ],
  record: [
    event('result', 'What was recorded', {
      file: z.string(),
      sizeBytes: count,
      images: count,
      layers: texts,
      seconds,
    }),
  ],
  evaluate: [
    event('result', '`confusion[truth][predicted]` counts images', {
      accuracy: share,
      count,
      confusion: z.array(z.array(count)),
      seconds,
      backend: z.string(),
      model: z.string(),
      modelSha256: sha256,
      data: z.string(),
      split: z.enum(['test', 'train']),
    }),
  ],
  models: [
    event('result', 'The built-in teachers and architectures', {
      teachers: z.array(z.strictObject({ ...listed, data: z.string(), accuracy: share })),
      architectures: z.array(z.strictObject(listed)),
    }),
  ],
  inspect: [
    event('result', 'Of one model', {
      name: z.string(),
      parameters: count,
      multiplyAccumulates: count,
      bytes: count,
      inputShape: z.array(count),
      nodes: z.array(elsewhere),
      classes: count,
      featureSize: count.nullable().optional(),
      preprocessing: elsewhere,
      classNames: texts.nullable(),
      outputs: z.record(z.string(), z.string()),
      sha256,
      sizeBytes: count,
      notes: texts,
      warnings: texts,
    }),
    event('result', 'Of two models: the layers in which they differ', {
      models: texts,
      differences: z.array(
        z.strictObject({
          name: z.string(),
          first: z.string().nullable(),
          second: z.string().nullable(),
          largestDifference: z.number().nullable(),
        }),
      ),
    }),
  ],
  predict: [
    event('prediction', 'The class of an image, and the most probable ones', {
      image: z.string(),
      ...probable,
      classes: z.array(z.strictObject(probable)),
    }),
    event('result', 'The last line', { model: z.string(), count }),
  ],
  convert: [
    event('result', 'The file is written', {
      model: z.string(),
      file: z.string(),
      preprocessorConfig: z.string().nullable(),
      format: z.enum(['onnx', 'keras', 'tfjs', 'safetensors']),
      sizeBytes: count,
      notes: texts,
    }),
  ],
  quantize: [
    event('result', 'The file is written', {
      model: z.string(),
      file: z.string(),
      sizeBytesBefore: count,
      sizeBytes: count,
      marks: z.strictObject(marks),
      pictures: count,
      isEqualized: z.boolean(),
      accuracies: z.strictObject({ before: share, after: share, count, runBy: z.string() }).optional(),
      data: z.string().optional(),
      notes: texts,
    }),
  ],
  samples: [event('result', 'The picture is drawn', { file: z.string(), step: count, images: count })],
  runs: [
    event('result', 'The runs that were found', {
      folder: z.string(),
      runs: z.array(
        z.strictObject({
          folder: z.string(),
          state: z.enum(['running', 'interrupted', 'failed', 'finished', 'unreadable']),
          error: z.string().optional(),
          accuracy: share.nullable().optional(),
          teacherAccuracy: share.nullable().optional(),
          agreement: share.nullable().optional(),
          verdict: z.string().nullable().optional(),
          step: count.optional(),
          seconds: seconds.optional(),
          startedAt: z.string().optional(),
          differing: z.record(z.string(), z.unknown()).optional(),
        }),
      ),
    }),
  ],
  'runs compare': [
    event('result', 'The options that differ, and all results', {
      folders: texts,
      options: differences,
      results: differences,
    }),
  ],
  serve: [event('listening', 'The server answers', { url: z.string(), dataFolder: z.string() })],
  experiment: [
    event('planned', 'Of `--dry-run`', { ...experimentRow, task: elsewhere }),
    event('started', 'A row runs', { ...experimentRow, task: elsewhere }),
    event('finished', 'A row has ended, now or before', {
      ...experimentRow,
      record: elsewhere,
      isStored: z.boolean(),
    }),
    event('skipped', 'A row lacks its data', { ...experimentRow, reason: z.string() }),
    event('failed', 'A row failed; the others go on', { ...experimentRow, reason: z.string() }),
    event('result', 'The table', { experiment: z.string(), failures: count, lines: z.array(elsewhere) }),
  ],
  bench: [
    event('warning', 'The machine has something else to do', { kind: z.string(), message: z.string() }),
    event('contestant', 'A contestant is ready', { case: elsewhere, name: z.string(), description: z.string() }),
    z.looseObject({ event: z.literal('round'), case: elsewhere }).describe('A round is measured'),
    z.looseObject({ event: z.literal('case'), ...contest }).describe('A step is measured'),
    z
      .looseObject({ event: z.literal('sweep'), name: z.string(), value: z.number(), ...contest })
      .describe('A point of a sweep is measured'),
    z
      .looseObject({ event: z.literal('result'), cases: z.array(elsewhere), sweeps: z.array(elsewhere), files: texts })
      .describe('All that was measured, as `--out` writes it'),
  ],
  completion: [],
  doctor: [
    event('result', 'What this machine offers', {
      dafl: z.string(),
      runtime: z.strictObject({ name: z.string(), version: z.string() }),
      node: z.string(),
      machine: elsewhere,
      freeMemoryBytes: count,
      freeDiskBytes: count.nullable(),
      webAssembly: z.strictObject({ simd: z.boolean(), relaxedSimd: z.boolean(), sharedMemory: z.boolean() }),
      backends: z.array(
        z.strictObject({
          name: z.string(),
          isAvailable: z.boolean(),
          description: z.string(),
          gigaflopsPerSecond: z.number().nullable(),
        }),
      ),
      teachers: texts,
      mnist: z.string().nullable(),
    }),
  ],
};

/** The schema of any line that a command may write. */
export function eventSchemaOf(command: string): z.ZodType {
  return z.union([...(eventSchemas[command] ?? []), ...commonEvents]);
}
