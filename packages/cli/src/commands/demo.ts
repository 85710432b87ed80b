import { distillationOptionsSchema } from '@dafl/run/options';
import { z } from 'zod';
import type { Command } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';
import { UsageError } from '../usage-error.ts';

const TEACHER = 'lenet5-mnist';
/** Fewer than the default: a demo is to be over soon. */
const STEPS = 375;
const { method, preset, backend, threads, allowSoftwareGpu, seed, steps, timeBudgetMs } =
  distillationOptionsSchema.shape;

export const demoCommand: Command = defineCommand({
  name: 'demo',
  description:
    'Distil the built-in LeNet-5 that knows MNIST into one of half the width, without a single digit, and report its accuracy where MNIST is at hand. A shorter run than that of dafl distill, of 375 steps.',
  arguments: z.strictObject({
    method,
    preset,
    backend,
    threads,
    allowSoftwareGpu,
    seed,
    steps,
    timeBudgetMs,
    out: z
      .string()
      .min(1)
      .default('dafl-demo')
      .describe('Folder of the run; an earlier demo in it is replaced')
      .meta({ placeholder: 'folder' }),
  }),
  groupOf: () => 'Run:',
  essential: ['method', 'backend', 'seed', 'steps', 'timeBudgetMs', 'out'],
  examples: ['dafl demo', 'dafl demo --method dafl', 'dafl demo --time-budget 30s'],
  async run({ out: folder, ...options }, context) {
    const { findLocalMnist, parseDistillationOptions, readRunRecord, resolveRecipe, runFolder } =
      await import('@dafl/run');
    const { distillOnce } = await import('../distill-once.ts');
    const hasData = (await findLocalMnist('test')) !== undefined;
    if (!hasData && !context.isJson) {
      context.terminal.err(
        'MNIST is not at hand, so no accuracy is reported. dafl evaluate lenet5-mnist --data mnist downloads it\n',
      );
    }
    const asked = parseDistillationOptions({
      teacher: TEACHER,
      student: 'half',
      ...(hasData ? { eval: 'mnist' } : {}),
      ...options,
    });
    const isOpen = asked.steps === undefined && asked.timeBudgetMs === undefined;
    const isDefault = resolveRecipe(asked).options.method === 'procedural';
    const resolved = isOpen && isDefault ? { ...asked, steps: STEPS } : asked;
    // Only what an earlier demo left is replaced; any other run in the folder is somebody's work.
    const earlier = await readRunRecord(runFolder(folder).record);
    if (earlier !== undefined && earlier.isDemo !== true) {
      throw new UsageError(
        `Cannot run the demo in '${folder}' as it must hold nothing else than an earlier demo: current content is another run. Choose another folder with --out`,
      );
    }
    const settings = { folder, isDemo: true, force: earlier !== undefined, signal: context.signal };
    const result = await distillOnce(resolved, settings, context);
    return result === undefined ? exitCodes.interrupted : exitCodes.done;
  },
});
