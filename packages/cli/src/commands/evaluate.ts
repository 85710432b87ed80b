import type { Command, CommandContext, FlagValues } from '../command.ts';
import { allowSoftwareGpuFlag, parseNumber } from '../flag.ts';
import { pixelFlags } from '../pixel-flags.ts';

export const evaluateCommand: Command = {
  name: 'evaluate',
  description: 'Measure the accuracy of a model on labelled images.',
  flags: [
    { name: 'model', key: 'model', placeholder: 'name|file', description: 'Built-in teacher or model file (required)' },
    { name: 'data', key: 'data', placeholder: 'mnist|folder', description: 'Labelled images (required)' },
    { name: 'split', key: 'split', placeholder: 'test|train', description: 'Which of its images', default: 'test' },
    {
      name: 'backend',
      key: 'backend',
      placeholder: 'auto|node|webgpu|wasm|cpu',
      description: 'What computes: TensorFlow (node), WebGPU, WebAssembly, or the reference',
      default: 'auto',
    },
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
  examples: ['dafl evaluate --model student/student/student.safetensors --data mnist'],
  run: async (values: FlagValues, _operands, context: CommandContext) =>
    await (await import('../run-evaluate.ts')).runEvaluate(values, context),
};
