import type { Command, CommandContext, FlagValues } from '../command.ts';
import { parseNumber } from '../flag.ts';

export const recordCommand: Command = {
  name: 'record',
  description:
    "Record how a teacher's activations are distributed on its training data, for distill --method metadata.",
  flags: [
    {
      name: 'teacher',
      key: 'teacher',
      placeholder: 'name|file',
      description: 'Built-in teacher or model file (required)',
    },
    {
      name: 'data',
      key: 'data',
      placeholder: 'mnist|folder',
      description: 'Labelled training images (required)',
    },
    { name: 'out', key: 'out', placeholder: 'file', description: 'The metadata file (required)' },
    {
      name: 'most-images',
      key: 'mostImages',
      placeholder: 'number',
      description: 'Images that are read at most. Default: 20000',
      parse: parseNumber,
    },
    {
      name: 'backend',
      key: 'backend',
      placeholder: 'auto|node|webgpu|wasm|cpu',
      description: 'What computes: TensorFlow (node), WebGPU, WebAssembly, or the reference',
      default: 'auto',
    },
    { name: 'force', key: 'force', description: 'Replace a file that is there' },
  ],
  examples: [
    'dafl record --teacher lenet5-mnist --data mnist --out metadata.safetensors',
    'dafl distill --teacher lenet5-mnist --method metadata --metadata metadata.safetensors',
  ],
  run: async (values: FlagValues, _operands, context: CommandContext) =>
    await (await import('../run-record.ts')).runRecord(values, context),
};
