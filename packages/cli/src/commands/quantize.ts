import type { Command, CommandContext, FlagValues } from '../command.ts';
import { allowSoftwareGpuFlag, backendFlag, parseNumber } from '../flag.ts';
import { modelFlag, modelOperand } from '../model-operand.ts';
import { pixelFlags } from '../pixel-flags.ts';

export const quantizeCommand: Command = {
  name: 'quantize',
  description: 'Write a model in eight bits as ONNX, without its training data.',
  operands: [modelOperand],
  flags: [
    modelFlag,
    { name: 'out', key: 'out', placeholder: 'file', description: 'Where the ONNX file goes', isRequired: true },
    {
      name: 'eval',
      key: 'eval',
      placeholder: 'mnist|folder',
      description: 'Labelled images to compare accuracies on; ONNX Runtime runs the file where it is installed',
    },
    backendFlag,
    {
      name: 'threads',
      key: 'threads',
      placeholder: 'number',
      description: 'Threads of the backend. Default: all cores, at most 8',
      parse: parseNumber,
    },
    allowSoftwareGpuFlag,
    { name: 'force', key: 'force', description: 'Replace the file if it exists' },
    ...pixelFlags,
  ],
  examples: ['dafl quantize student/student/student.safetensors --out student.int8.onnx --eval mnist'],
  run: async (values: FlagValues, _operands, context: CommandContext) =>
    await (await import('../run-quantize.ts')).runQuantize(String(values.model), values, context),
};
