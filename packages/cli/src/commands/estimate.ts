import { parseDistillationOptions } from '@dafl/run/options';
import type { Command, CommandContext, FlagValues } from '../command.ts';
import { distillationFlags } from './distill.ts';

export const estimateCommand: Command = {
  name: 'estimate',
  description: 'Tell the steps, time and memory of a distillation before it starts, from a few of its steps.',
  flags: distillationFlags,
  examples: [
    'dafl estimate --teacher lenet5-mnist --eval mnist',
    'dafl estimate --teacher lenet5-mnist --preset paper --backend wasm --json',
  ],
  run: async (values: FlagValues, _operands, context: CommandContext) => {
    const { json: _json, verbose: _verbose, ...given } = values;
    const options = parseDistillationOptions(given);
    return await (await import('../run-estimate.ts')).runEstimate(options, context);
  },
};
