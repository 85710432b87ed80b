import { backendNames, formatBytes, recordTeacherMetadata } from '@dafl/run';
import type { CommandContext, FlagValues } from './command.ts';
import { exitCodes } from './exit-code.ts';
import { formatCount, formatSeconds } from './format.ts';
import { integerFlag } from './integer-flag.ts';
import { UsageError } from './usage-error.ts';
import { tellDownload } from './tell-download.ts';

/** Runs `dafl record`. @returns The exit code. */
export async function runRecord(values: FlagValues, { terminal, isJson, signal }: CommandContext): Promise<number> {
  const { backend = 'auto' } = values;
  const mostImages = integerFlag('record', values, 'mostImages', { least: 1 });
  const backends: readonly string[] = ['auto', ...backendNames];
  if (!backends.includes(String(backend))) {
    throw new UsageError(
      `Cannot run 'dafl record' as 'backend' must be one of [${backends.join(', ')}]: current value is '${String(backend)}'`,
    );
  }
  const result = await recordTeacherMetadata({
    teacher: String(values.teacher),
    data: String(values.data),
    file: String(values.out),
    mostImages,
    backend: backend as 'auto',
    force: values.force === true,
    signal,
    onDownload: tellDownload(terminal),
    onBackend: (description, reason) => terminal.err(`Backend: ${description}, ${reason}\n`),
  });
  if (isJson) {
    terminal.out(`${JSON.stringify({ event: 'result', ...result })}\n`);
    return exitCodes.done;
  }
  const { file, sizeBytes, images, layers, seconds } = result;
  terminal.out(
    `${terminal.style('bold', file)}  ${formatBytes(sizeBytes)}: ${layers.length} layers on ${formatCount(images)} images, ${formatSeconds(seconds)}\n`,
  );
  return exitCodes.done;
}
