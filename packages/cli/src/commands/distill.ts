import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Configuration, DistillationOptions, RunSettings } from '@dafl/run';
import { distillationOptionsSchema, parseDistillationOptions, writeCommand } from '@dafl/run/options';
import { z } from 'zod';
import type { Command, CommandContext, GivenValues } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';
import type { SeedsRecord } from '../seeds-record.ts';
import { teacherTokenArgument } from '../shared-arguments.ts';
import { UsageError } from '../usage-error.ts';

const general: readonly string[] = [
  'teacher',
  'logits',
  'answersOnly',
  'mean',
  'std',
  'range',
  'architecture',
  'inputSize',
  'teacherToken',
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
  'keep',
];
const reporting: readonly string[] = [
  'compare',
  'evaluateEvery',
  'sampleEvery',
  'checkpointEvery',
  'tensorboard',
  'export',
  'quantize',
];
const ofFolder: readonly string[] = ['out', 'resume', 'force', 'config', 'seeds'];

/** How help shows the options of a distillation: under which headings, and which of them at once. */
export const distillationHelp: {
  readonly groupOf: (key: string) => string;
  readonly essential: readonly (keyof DistillationOptions)[];
} = {
  groupOf(key) {
    if (general.includes(key)) return 'Distillation:';
    if (reporting.includes(key)) return 'Reporting:';
    return ofFolder.includes(key) ? 'Folder:' : 'Hyper-parameters (default: what the preset says):';
  },
  essential: [
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
  ],
};

export const distillCommand: Command = defineCommand({
  name: 'distill',
  description: 'Make a small student from a trained teacher, without its training data.',
  arguments: distillationOptionsSchema.extend({
    teacher: distillationOptionsSchema.shape.teacher
      .optional()
      .describe('Name, file or URL; not with --resume or --config'),
    out: z
      .string()
      .min(1)
      .optional()
      .describe('Folder of the run. Default: a new one in runs/')
      .meta({ placeholder: 'folder' }),
    resume: z.string().min(1).optional().describe('Go on with the run in this folder').meta({ placeholder: 'folder' }),
    force: z.boolean().optional().describe('Replace another run in the folder'),
    config: z
      .string()
      .min(1)
      .optional()
      .describe('Take options from a JSON file; a run.json repeats that run exactly')
      .meta({
        placeholder: 'file',
        summary: 'Take options from a JSON file, such as a run.json',
      }),
    seeds: z.int().min(1).optional().describe('Run that many seeds, from --seed on, and sum up'),
    teacherToken: teacherTokenArgument,
  }),
  operands: ['teacher'],
  groupOf: distillationHelp.groupOf,
  essential: [...distillationHelp.essential, 'out', 'resume', 'force', 'config'],
  examples: [
    'dafl distill teacher.onnx --student half --time-budget 90s --out student',
    'dafl distill lenet5-mnist --eval mnist',
    'dafl distill --resume student',
  ],
  async run({ out, resume, config, force, seeds, teacherToken }, context, typed) {
    // Defaults are filled in where it is known what they are put into.
    const {
      out: _out,
      resume: _resume,
      config: _config,
      force: _force,
      seeds: _seeds,
      teacherToken: _token,
      ...given
    } = typed;
    const settings: Omit<RunSettings, 'folder'> = { force, signal: context.signal, teacherToken };
    if (resume !== undefined) {
      rejectTogether({ out, config, force, seeds, 'time-budget': given.timeBudgetMs }, '--resume');
      return await resumeRun(given, { ...settings, folder: resume }, context);
    }
    const { readConfiguration } = await import('@dafl/run');
    const configuration: Configuration = config === undefined ? { options: {} } : await readConfiguration(config);
    const merged: Record<string, unknown> = { ...configuration.options, ...given };
    if (given.timeBudgetMs !== undefined && given.steps === undefined) delete merged.steps;
    // Belongs to the length that the file says.
    if (given.timeBudgetMs !== undefined || given.steps !== undefined) delete merged.pace;
    if (merged.teacher === undefined) {
      throw new UsageError(
        "Cannot run 'dafl distill' as 'teacher' must be given: current value is none. Type dafl distill <teacher>: a model file, or a built-in one that 'dafl models' lists",
      );
    }
    const options = parseDistillationOptions(merged);
    const { assertEffective } = await import('@dafl/run');
    assertEffective(given, options);
    const teacherSha256 = given.teacher === undefined ? configuration.teacherSha256 : undefined;
    const folder = out ?? vacantFolder(options);
    if (seeds !== undefined && options.seed + seeds - 1 > LAST_SEED) {
      throw new UsageError(
        `Cannot run 'dafl distill' as '--seeds' must be at most ${LAST_SEED - options.seed + 1} from --seed ${options.seed} on: current value is ${seeds}`,
      );
    }
    if (seeds === undefined) return await distillTo(options, { ...settings, folder, teacherSha256 }, context);
    const { readSeedsRecord } = await import('../seeds-record.ts');
    if (force !== true && (await readSeedsRecord(folder)) !== undefined) {
      throw new UsageError(
        `Cannot write to '${folder}' as it must not hold other runs: current content is 'seeds.json'. Choose another folder, go on with ${writeCommand([], [['--resume', folder]])}, or replace them with --force`,
      );
    }
    const runs: SeedsRecord = {
      format: 'dafl-seeds',
      version: 1,
      seeds,
      options,
      teacherSha256: teacherSha256 ?? null,
    };
    const { distillSeeds } = await import('../distill-seeds.ts');
    return await distillSeeds(runs, { ...settings, folder, teacherSha256 }, context);
  },
});

const LAST_SEED = 2 ** 32 - 1;

async function distillTo(
  options: DistillationOptions,
  settings: RunSettings,
  context: CommandContext,
): Promise<number> {
  const { distillOnce } = await import('../distill-once.ts');
  const result = await distillOnce(options, settings, context);
  return result === undefined ? exitCodes.interrupted : exitCodes.done;
}

/** Goes on with a run, or with runs of several seeds: those that ended, the one that was interrupted, those that never began. */
async function resumeRun(given: GivenValues, settings: RunSettings, context: CommandContext): Promise<number> {
  const { folder } = settings;
  const { readRunRecord, runFolder } = await import('@dafl/run');
  const record = await readRunRecord(runFolder(folder).record);
  if (record !== undefined) {
    const options = parseDistillationOptions({ ...record.options, ...given });
    return await distillTo(options, { ...settings, resume: true }, context);
  }
  const { readSeedsRecord } = await import('../seeds-record.ts');
  const runs = await readSeedsRecord(folder);
  if (runs === undefined) throw new UsageError(`Cannot resume '${folder}' as it must hold a run: run.json is missing`);
  const options = parseDistillationOptions({ ...runs.options, ...given });
  const teacherSha256 = runs.teacherSha256 ?? undefined;
  const { distillSeeds } = await import('../distill-seeds.ts');
  return await distillSeeds({ ...runs, options }, { ...settings, teacherSha256, resume: true }, context);
}

function rejectTogether(others: Readonly<Record<string, unknown>>, flag: string): void {
  const other = Object.keys(others).find((name) => others[name] !== undefined);
  if (other !== undefined) {
    throw new UsageError(
      `Cannot run 'dafl distill' as ${flag} and --${other} must not be given both: current value is both`,
    );
  }
}

/** A folder in `runs/` that does not exist yet, named after what is distilled. */
function vacantFolder({ teacher, student }: DistillationOptions): string {
  const name = [teacher, String(student)].map((part) => basename(part).replace(/\.\w+$/, '')).join('-');
  for (let number = 1; ; number++) {
    const folder = join('runs', number === 1 ? name : `${name}-${number}`);
    if (!existsSync(folder)) return folder;
  }
}
