import { findLocalMnist, parseDistillationOptions, readRunRecord, runFolder } from '@dafl/run';
import type { CommandContext, FlagValues } from './command.ts';
import { exitCodes } from './exit-code.ts';
import { distillOnce } from './run-distill.ts';

const TEACHER = 'lenet5-mnist';

/** Runs `dafl demo`. @returns The exit code. */
export async function runDemo(values: FlagValues, context: CommandContext): Promise<number> {
  const { out = 'dafl-demo', json: _json, verbose: _verbose, ...given } = values;
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
  const force = earlier?.options.teacher === TEACHER && earlier.options.student === 'half';
  const result = await distillOnce(options, { folder, force, signal: context.signal }, context);
  return result === undefined ? exitCodes.interrupted : exitCodes.done;
}
