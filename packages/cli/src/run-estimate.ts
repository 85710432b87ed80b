import { type DistillationOptions, estimateRun, formatBytes } from '@dafl/run';
import type { CommandContext } from './command.ts';
import { exitCodes } from './exit-code.ts';
import { formatCount, formatSeconds, formatTable } from './format.ts';
import { tellDownload } from './tell-download.ts';

/** Runs `dafl estimate`. @returns The exit code. */
export async function runEstimate(
  options: DistillationOptions,
  { terminal, isJson, signal }: CommandContext,
): Promise<number> {
  const estimate = await estimateRun(options, {
    signal,
    onDownload: tellDownload(terminal),
    onBackend: (backend, reason) => terminal.err(`Backend: ${backend}, ${reason}\n`),
  });
  if (isJson) {
    terminal.out(`${JSON.stringify({ event: 'result', ...estimate })}\n`);
    return exitCodes.done;
  }
  const { teacher, student, backend, steps, secondsPerStep, seconds, peakMemoryBytes } = estimate;
  terminal.out(`${terminal.style('bold', `${teacher} to ${student}`)} on ${backend}\n\n`);
  terminal.out(
    formatTable(
      [
        ['steps', formatCount(steps)],
        ['a step', `${(secondsPerStep * 1000).toFixed(0)} ms`],
        ['time', formatSeconds(seconds)],
        ['peak memory', formatBytes(peakMemoryBytes)],
      ],
      { indent: '  ' },
    ),
  );
  return exitCodes.done;
}
