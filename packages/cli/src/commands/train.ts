import { parseTrainingOptions, trainingOptionsSchema } from '@dafl/run/options';
import type { Command, CommandContext, FlagValues } from '../command.ts';
import { type Flag, flagsFromSchema } from '../flag.ts';

const computing = ['backend', 'threads', 'allowSoftwareGpu', 'seed'];
const network = ['architecture', 'data'];
/** The flags that are options of a training. */
const trainingFlags: readonly Flag[] = flagsFromSchema(trainingOptionsSchema, {
  groupOf: (key) =>
    network.includes(key) ? 'Network and data:' : computing.includes(key) ? 'Computing:' : 'Training:',
  essential: ['architecture', 'data', 'epochs', 'batchSize', 'learningRate', 'shift', 'startFrom', 'backend', 'seed'],
});

export const trainCommand: Command = {
  name: 'train',
  description: 'Train a network on labelled images, by standard backpropagation.',
  flags: [
    ...trainingFlags,
    {
      name: 'out',
      key: 'out',
      placeholder: 'file',
      description: 'The model file; its record and measurements lie beside it',
      isRequired: true,
      group: 'Files:',
    },
    { name: 'force', key: 'force', description: 'Replace files that are there', group: 'Files:' },
  ],
  examples: [
    'dafl train --data mnist --epochs 12 --shift 2 --out teacher.safetensors',
    'dafl train --architecture lenet5-half --data mnist --shift 2 --out half.safetensors',
  ],
  run: async (values: FlagValues, _operands, context: CommandContext) => {
    const { out, force, ...given } = values;
    const options = parseTrainingOptions(given);
    return await (
      await import('../run-train.ts')
    ).runTrain(options, { out: String(out), force: force === true }, context);
  },
};
