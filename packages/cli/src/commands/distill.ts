import { distillationOptionsSchema } from '@dafl/run/options';
import type { Command, CommandContext, FlagValues, Operand } from '../command.ts';
import { type Flag, flagsFromSchema, parseNumber } from '../flag.ts';

const general = [
  'teacher',
  'logits',
  'answersOnly',
  'mean',
  'std',
  'range',
  'student',
  'method',
  'data',
  'shift',
  'horizontalFlip',
  'metadata',
  'metadataVariant',
  'preset',
  'backend',
  'threads',
  'allowSoftwareGpu',
  'seed',
  'steps',
  'timeBudgetMs',
  'eval',
];
const reporting = ['compare', 'evaluateEvery', 'sampleEvery', 'checkpointEvery', 'tensorboard', 'export', 'quantize'];

/** What the short help shows. */
const essential = [
  'mean',
  'std',
  'range',
  'student',
  'method',
  'backend',
  'seed',
  'steps',
  'timeBudgetMs',
  'eval',
  'export',
];

/** The flags that are options of a distillation. */
export const distillationFlags: readonly Flag[] = flagsFromSchema(distillationOptionsSchema, {
  groupOf: (key) =>
    general.includes(key)
      ? 'Distillation:'
      : reporting.includes(key)
        ? 'Reporting:'
        : 'Hyper-parameters (default: what the preset says):',
  essential,
}).map((flag) =>
  flag.key === 'teacher' ? { ...flag, description: 'The same as <teacher>', isRequired: false } : flag,
);

/** The teacher, as the first operand or by its flag. */
export const teacherOperand: Operand = {
  name: '<teacher>',
  key: 'teacher',
  description: 'Built-in teacher, model file, or http://host/v2/models/NAME',
};

const folderFlags: readonly Flag[] = [
  {
    name: 'out',
    key: 'out',
    placeholder: 'folder',
    description: 'Folder of the run. Default: a new one in runs/',
    group: 'Folder:',
  },
  {
    name: 'resume',
    key: 'resume',
    placeholder: 'folder',
    description: 'Go on with the run in this folder',
    group: 'Folder:',
  },
  { name: 'force', key: 'force', description: 'Replace another run in the folder', group: 'Folder:' },
  {
    name: 'config',
    key: 'config',
    placeholder: 'file',
    summary: 'Take options from a JSON file, such as a run.json',
    description: 'Take options from a JSON file; a run.json repeats that run exactly',
    group: 'Folder:',
  },
  {
    name: 'seeds',
    key: 'seeds',
    placeholder: 'number',
    description: 'Run that many seeds, from --seed on, and sum up',
    isAdvanced: true,
    parse: parseNumber,
    group: 'Folder:',
  },
];

export const distillCommand: Command = {
  name: 'distill',
  description: 'Make a small student from a trained teacher, without its training data.',
  operands: [
    {
      ...teacherOperand,
      name: '[teacher]',
      description: 'Name, file or URL; not with --resume or --config',
    },
  ],
  flags: [...distillationFlags, ...folderFlags],
  examples: [
    'dafl distill teacher.onnx --student half --time-budget 90s --out student',
    'dafl distill lenet5-mnist --eval mnist',
    'dafl distill --resume student',
  ],
  // Loaded when it runs, so that help needs no backend.
  run: async (values: FlagValues, _operands, context: CommandContext) =>
    await (await import('../run-distill.ts')).runDistill(values, context),
};
