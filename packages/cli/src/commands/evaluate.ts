import type { Command, CommandContext, FlagValues } from '../command.ts';
import { allowSoftwareGpuFlag, backendFlag, parseNumber } from '../flag.ts';
import { modelFlag, modelOperand } from '../model-operand.ts';
import { pixelFlags } from '../pixel-flags.ts';

export const evaluateCommand: Command = {
  name: 'evaluate',
  description: 'Measure the accuracy of a model on labelled images.',
  operands: [modelOperand],
  flags: [
    modelFlag,
    { name: 'data', key: 'data', placeholder: 'mnist|folder', description: 'Labelled images', isRequired: true },
    { name: 'split', key: 'split', placeholder: 'test|train', description: 'Which of its images', default: 'test' },
    backendFlag,
    ...pixelFlags,
    allowSoftwareGpuFlag,
    {
      name: 'threads',
      key: 'threads',
      placeholder: 'number',
      description: 'Threads of the backend. Default: all cores, at most 8',
      parse: parseNumber,
    },
  ],
  examples: [
    'dafl evaluate student/student/student.safetensors --data mnist',
    'dafl evaluate student.onnx --data photos --mean 0.5 --std 0.5',
  ],
  run: async (values: FlagValues, _operands, context: CommandContext) =>
    await (await import('../run-evaluate.ts')).runEvaluate(values, context),
};
