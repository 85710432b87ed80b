import type { Command, CommandContext, FlagValues } from '../command.ts';
import { distillationFlags } from './distill.ts';

const changeable = ['method', 'preset', 'backend', 'threads', 'allowSoftwareGpu', 'seed', 'steps', 'timeBudgetMs'];

export const demoCommand: Command = {
  name: 'demo',
  description:
    'Distil the built-in LeNet-5 that knows MNIST into one of half the width, without a single digit, and report its accuracy where MNIST is at hand.',
  flags: [
    ...distillationFlags.filter(({ key }) => changeable.includes(key)).map((flag) => ({ ...flag, group: 'Run:' })),
    {
      name: 'out',
      key: 'out',
      placeholder: 'folder',
      description: 'Folder of the run; an earlier demo in it is replaced',
      default: 'dafl-demo',
      group: 'Run:',
    },
  ],
  examples: ['dafl demo', 'dafl demo --method dafl', 'dafl demo --time-budget 30s'],
  run: async (values: FlagValues, _operands, context: CommandContext) =>
    await (await import('../run-demo.ts')).runDemo(values, context),
};
