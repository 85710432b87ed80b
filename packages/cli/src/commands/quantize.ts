import type { Command, CommandContext, FlagValues } from '../command.ts';
import { allowSoftwareGpuFlag, parseNumber } from '../flag.ts';
import { pixelFlags } from '../pixel-flags.ts';

export const quantizeCommand: Command = {
  name: 'quantize',
  description: 'Write a model in eight bits as ONNX, without its training data.',
  operands: ['<model>'],
  flags: [
    { name: 'out', key: 'out', placeholder: 'file', description: 'Where the ONNX file goes (required)' },
    {
      name: 'eval',
      key: 'eval',
      placeholder: 'mnist|folder',
      description: 'Labelled images to compare accuracies on; ONNX Runtime runs the file where it is installed',
    },
    {
      name: 'backend',
      key: 'backend',
      placeholder: 'auto|node|webgpu|wasm|cpu',
      description: 'What computes: TensorFlow (node), WebGPU, WebAssembly, or the reference',
      default: 'auto',
    },
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
  run: async (values: FlagValues, [model], context: CommandContext) =>
    await (await import('../run-quantize.ts')).runQuantize(model, values, context),
};
