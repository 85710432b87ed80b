import { distillationOptionsSchema } from '@dafl/run/options';
import type { Command, CommandContext, FlagValues } from '../command.ts';
import { type Flag, flagsFromSchema, parseNumber } from '../flag.ts';

const general = [
  'teacher',
  'logits',
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

/** The flags that are options of a distillation. */
export const distillationFlags: readonly Flag[] = flagsFromSchema(distillationOptionsSchema, (key) =>
  general.includes(key)
    ? 'Distillation:'
    : reporting.includes(key)
      ? 'Reporting:'
      : 'Hyper-parameters (default: what the preset says):',
);

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
    description: 'Take options from a JSON file; a run.json repeats that run exactly',
    group: 'Folder:',
  },
  {
    name: 'seeds',
    key: 'seeds',
    placeholder: 'number',
    description: 'Run that many seeds, from --seed on, and sum up',
    parse: parseNumber,
    group: 'Folder:',
  },
];

export const distillCommand: Command = {
  name: 'distill',
  description: 'Make a small student from a trained teacher, without its training data.',
  flags: [...distillationFlags, ...folderFlags],
  examples: [
    'dafl distill --teacher teacher.safetensors --student half --out student',
    'dafl distill --teacher lenet5-mnist --student half --eval mnist --seeds 5 --json',
    'dafl distill --teacher teacher.safetensors --time-budget 90s',
    'dafl distill --teacher lenet5-mnist --method original-data --data mnist --eval mnist',
    'dafl distill --resume student',
    'dafl distill --config student/run.json --out again',
  ],
  // Loaded when it runs, so that help needs no backend.
  run: async (values: FlagValues, _operands, context: CommandContext) =>
    await (await import('../run-distill.ts')).runDistill(values, context),
};
