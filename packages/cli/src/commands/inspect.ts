import type { Command, CommandContext, FlagValues } from '../command.ts';

export const inspectCommand: Command = {
  name: 'inspect',
  description: 'Show the layers, sizes and preprocessing of a model.',
  operands: ['<model>'],
  flags: [],
  examples: ['dafl inspect lenet5-mnist', 'dafl inspect student/student/student.safetensors --json'],
  run: async (_values: FlagValues, [model], context: CommandContext) =>
    await (await import('../run-inspect.ts')).runInspect(model, context),
};
