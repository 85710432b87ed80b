import type { Command, CommandContext, FlagValues } from '../command.ts';
import { modelFlag, modelOperand } from '../model-operand.ts';
import { pixelFlags } from '../pixel-flags.ts';

export const inspectCommand: Command = {
  name: 'inspect',
  description: 'Show the layers, sizes and preprocessing of a model, or the layers in which two models differ.',
  operands: [modelOperand, { name: '[other]', description: 'Model to compare it with' }],
  flags: [modelFlag, ...pixelFlags],
  examples: [
    'dafl inspect lenet5-mnist',
    'dafl inspect student/student/student.safetensors --json',
    'dafl inspect teacher.onnx teacher.safetensors',
  ],
  run: async (values: FlagValues, [other], context: CommandContext) =>
    await (await import('../run-inspect.ts')).runInspect({ model: String(values.model), other }, values, context),
};
