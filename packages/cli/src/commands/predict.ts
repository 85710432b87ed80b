import type { Command, CommandContext, FlagValues } from '../command.ts';
import { parseNumber } from '../flag.ts';
import { modelFlag, modelOperand } from '../model-operand.ts';
import { pixelFlags } from '../pixel-flags.ts';

export const predictCommand: Command = {
  name: 'predict',
  description: 'Tell the classes of images: PNG or JPEG files, folders of them, or - for one from stdin.',
  operands: [modelOperand, { name: '<image...>', description: 'PNG or JPEG files, folders of them, or -' }],
  flags: [
    modelFlag,
    {
      name: 'top',
      key: 'top',
      placeholder: 'number',
      description: 'Classes to name for each image',
      default: 3,
      parse: parseNumber,
    },
    ...pixelFlags,
  ],
  examples: [
    'dafl predict student/student/student.safetensors photo.png',
    'dafl predict student.onnx photos --json',
    'dafl predict lenet5-mnist - < digit.png',
  ],
  run: async (values: FlagValues, images, context: CommandContext) =>
    await (await import('../run-predict.ts')).runPredict(String(values.model), images, values, context),
};
