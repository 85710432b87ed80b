import type { Command, CommandContext, FlagValues } from '../command.ts';
import { backendFlag, parseNumber } from '../flag.ts';
import { modelFlag, modelOperand } from '../model-operand.ts';

export const recordCommand: Command = {
  name: 'record',
  description:
    "Record how a teacher's activations are distributed on its training data, for distill --method metadata.",
  operands: [{ ...modelOperand, name: '<teacher>', key: 'teacher' }],
  flags: [
    { ...modelFlag, name: 'teacher', key: 'teacher', description: 'The same as <teacher>' },
    {
      name: 'data',
      key: 'data',
      placeholder: 'mnist|folder',
      description: 'Labelled training images',
      isRequired: true,
    },
    { name: 'out', key: 'out', placeholder: 'file', description: 'The metadata file', isRequired: true },
    {
      name: 'most-images',
      key: 'mostImages',
      placeholder: 'number',
      description: 'Images that are read at most. Default: 20000',
      parse: parseNumber,
    },
    backendFlag,
    { name: 'force', key: 'force', description: 'Replace a file that is there' },
  ],
  examples: [
    'dafl record lenet5-mnist --data mnist --out metadata.safetensors',
    'dafl distill lenet5-mnist --method metadata --metadata metadata.safetensors',
  ],
  run: async (values: FlagValues, _operands, context: CommandContext) =>
    await (await import('../run-record.ts')).runRecord(values, context),
};
