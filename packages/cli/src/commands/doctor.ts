import type { Command, CommandContext } from '../command.ts';

export const doctorCommand: Command = {
  name: 'doctor',
  description:
    'Check what this machine offers: runtime, cores, memory, WebAssembly, backends with their speed, data, disk.',
  flags: [],
  examples: ['dafl doctor', 'dafl doctor --json'],
  run: async (_values, _operands, context: CommandContext) =>
    await (await import('../run-doctor.ts')).runDoctor(context),
};
