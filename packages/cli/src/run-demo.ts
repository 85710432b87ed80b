import { findLocalMnist, parseDistillationOptions, readRunRecord, runFolder } from '@dafl/run';
import type { CommandContext, FlagValues } from './command.ts';
import { exitCodes } from './exit-code.ts';
import { distillOnce } from './run-distill.ts';
import { UsageError } from './usage-error.ts';

const TEACHER = 'lenet5-mnist';

/** Runs `dafl demo`. @returns The exit code. */
export async function runDemo(values: FlagValues, context: CommandContext): Promise<number> {
  const { out = 'dafl-demo', ...given } = values;
  const folder = String(out);
  const hasData = (await findLocalMnist('test')) !== undefined;
  if (!hasData && !context.isJson) {
    context.terminal.err('MNIST is not at hand, so no accuracy is reported. dafl evaluate --data mnist downloads it\n');
  }
  const options = parseDistillationOptions({
    teacher: TEACHER,
    student: 'half',
    ...(hasData ? { eval: 'mnist' } : {}),
    ...given,
  });
  // Only what an earlier demo left is replaced; any other run in the folder is somebody's work.
  const earlier = await readRunRecord(runFolder(folder).record);
  if (earlier !== undefined && earlier.isDemo !== true) {
    throw new UsageError(
      `Cannot run the demo in '${folder}' as it must hold nothing else than an earlier demo: current content is another run. Choose another folder with --out`,
    );
  }
  const settings = { folder, isDemo: true, force: earlier !== undefined, signal: context.signal };
  const result = await distillOnce(options, settings, context);
  return result === undefined ? exitCodes.interrupted : exitCodes.done;
}
