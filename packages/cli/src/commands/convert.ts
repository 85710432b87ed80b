import type { Command, CommandContext, FlagValues } from '../command.ts';
import { modelFlag, modelOperand } from '../model-operand.ts';
import { pixelFlags } from '../pixel-flags.ts';

export const convertCommand: Command = {
  name: 'convert',
  description: 'Write a model in another format: ONNX (.onnx) or dafl (.safetensors).',
  operands: [modelOperand, { name: '<file>', description: 'The file to write: .onnx or .safetensors' }],
  flags: [
    modelFlag,
    {
      name: 'layout',
      key: 'layout',
      placeholder: 'nchw|nhwc',
      description: "Order of the ONNX input's axes",
      default: 'nchw',
    },
    {
      name: 'with-preprocessing',
      key: 'withPreprocessing',
      description: 'Have the ONNX graph take pixels in 0..255 and preprocess them itself',
    },
    { name: 'with-softmax', key: 'withSoftmax', description: 'Have the ONNX graph give probabilities, not logits' },
    { name: 'force', key: 'force', description: 'Replace the file if it exists' },
    ...pixelFlags,
  ],
  examples: [
    'dafl convert student/student/student.safetensors student.onnx',
    'dafl convert lenet5-mnist lenet5.onnx --layout nhwc --with-preprocessing --with-softmax',
    'dafl convert model.onnx model.safetensors',
  ],
  run: async (values: FlagValues, [file], context: CommandContext) =>
    await (await import('../run-convert.ts')).runConvert(String(values.model), file, values, context),
};
