import type { Command, CommandContext, FlagValues } from '../command.ts';
import { parseNumber } from '../flag.ts';

export const samplesCommand: Command = {
  name: 'samples',
  description: "Draw new images with the generator of a run's last checkpoint, a row for each class, as a PNG file.",
  operands: [{ name: '<run>', description: 'Folder of a run' }],
  flags: [
    {
      name: 'out',
      key: 'out',
      placeholder: 'file',
      description: 'The PNG file; one that is there is replaced',
      default: 'samples.png',
    },
    {
      name: 'seed',
      key: 'seed',
      placeholder: 'number',
      description: 'The same seed gives the same images',
      default: 0,
      parse: parseNumber,
    },
    {
      name: 'per-class',
      key: 'perClass',
      placeholder: 'number',
      description: 'Images of each class, at most',
      default: 8,
      parse: parseNumber,
    },
  ],
  examples: ['dafl samples student --seed 7 --out more.png'],
  run: async (values: FlagValues, [run], context: CommandContext) =>
    await (await import('../run-samples.ts')).runSamples(run, values, context),
};
