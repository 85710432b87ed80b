import type { Command, CommandContext, FlagValues } from '../command.ts';
import { allowSoftwareGpuFlag } from '../flag.ts';

export const doctorCommand: Command = {
  name: 'doctor',
  description:
    'Check what this machine offers: runtime, cores, memory, WebAssembly, backends with their speed and how to get those that are missing, data, disk.',
  flags: [
    {
      name: 'setup-tensorflow',
      key: 'setupTensorflow',
      placeholder: 'wheel',
      isValueOptional: true,
      description:
        'Install what the backend node needs: build its addon against the library in a wheel of tensorflow or tensorflow-cpu, or in the folder of an installed one (for CUDA). Default: tensorflow-cpu, downloaded by pip',
    },
    allowSoftwareGpuFlag,
  ],
  examples: [
    'dafl doctor',
    'dafl doctor --json',
    'dafl doctor --setup-tensorflow',
    'dafl doctor --setup-tensorflow venv/lib/python3.13/site-packages/tensorflow',
  ],
  run: async (values: FlagValues, _operands, context: CommandContext) =>
    await (await import('../run-doctor.ts')).runDoctor(values, context),
};
