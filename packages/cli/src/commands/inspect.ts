import type { Command, CommandContext, FlagValues } from '../command.ts';
import { pixelFlags } from '../pixel-flags.ts';

export const inspectCommand: Command = {
  name: 'inspect',
  description: 'Show the layers, sizes and preprocessing of a model.',
  operands: ['<model>'],
  flags: pixelFlags,
  examples: ['dafl inspect lenet5-mnist', 'dafl inspect student/student/student.safetensors --json'],
  run: async (values: FlagValues, [model], context: CommandContext) =>
    await (await import('../run-inspect.ts')).runInspect(model, values, context),
};
