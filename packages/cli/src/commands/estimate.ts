import { distillationOptionsSchema } from '@dafl/run/options';
import type { Command } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';
import { formatCount, formatSeconds, formatTable } from '../format.ts';
import { teacherTokenArgument } from '../shared-arguments.ts';
import { tellDownload } from '../tell-download.ts';
import { tellWaiting } from '../tell-waiting.ts';
import { distillationHelp } from './distill.ts';

export const estimateCommand: Command = defineCommand({
  name: 'estimate',
  description: 'Tell the steps, time and memory of a distillation before it starts, from a few of its steps.',
  arguments: distillationOptionsSchema.extend({ teacherToken: teacherTokenArgument }),
  operands: ['teacher'],
  ...distillationHelp,
  examples: [
    'dafl estimate lenet5-mnist --eval mnist',
    'dafl estimate lenet5-mnist --preset paper --backend wasm --json',
  ],
  async run({ teacherToken, ...options }, { terminal, isJson, signal }, { teacherToken: _token, ...given }) {
    const { assertEffective, estimateRun, formatBytes } = await import('@dafl/run');
    assertEffective(given, options);
    const estimate = await estimateRun(options, {
      signal,
      teacherToken,
      onDownload: tellDownload(terminal),
      ...tellWaiting(terminal, options.teacher),
      onWarning(warning) {
        if (isJson) terminal.out(`${JSON.stringify(warning)}\n`);
        terminal.err(`${terminal.style('yellow', 'warning:', 'err')} ${warning.message}\n`);
      },
      onBackend: (backend, reason) => terminal.err(`Backend: ${backend}, ${reason}\n`),
    });
    if (isJson) {
      terminal.out(`${JSON.stringify({ event: 'result', ...estimate })}\n`);
      return exitCodes.done;
    }
    const { teacher, student, backend, steps, secondsPerStep, preparationSeconds } = estimate;
    const { seconds, peakMemoryBytes, batchSize } = estimate;
    terminal.out(`${terminal.style('bold', `${teacher} to ${student}`)} on ${backend}\n\n`);
    terminal.out(
      formatTable(
        [
          ['steps', formatCount(steps)],
          ['images of an update', formatCount(batchSize)],
          ['a step', `${(secondsPerStep * 1000).toFixed(0)} ms`],
          ['preparation', formatSeconds(preparationSeconds)],
          ['time', formatSeconds(seconds)],
          ['peak memory', formatBytes(peakMemoryBytes)],
        ],
        { indent: '  ' },
      ),
    );
    return exitCodes.done;
  },
});
