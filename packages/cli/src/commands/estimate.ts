import { parseDistillationOptions } from '@dafl/run/options';
import type { Command, CommandContext, FlagValues } from '../command.ts';
import { distillationFlags, teacherOperand } from './distill.ts';

export const estimateCommand: Command = {
  name: 'estimate',
  description: 'Tell the steps, time and memory of a distillation before it starts, from a few of its steps.',
  operands: [teacherOperand],
  flags: distillationFlags,
  examples: [
    'dafl estimate lenet5-mnist --eval mnist',
    'dafl estimate lenet5-mnist --preset paper --backend wasm --json',
  ],
  run: async (values: FlagValues, _operands, context: CommandContext) => {
    const options = parseDistillationOptions(values);
    return await (await import('../run-estimate.ts')).runEstimate(options, context);
  },
};
