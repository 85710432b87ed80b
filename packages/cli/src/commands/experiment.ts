import type { Command, CommandContext, FlagValues } from '../command.ts';
import { backendFlag } from '../flag.ts';

const folder = (name: string, what: string) => ({
  name,
  key: name,
  placeholder: 'folder',
  description: `Folder of ${what}; rows that need it are skipped without`,
  group: 'Data:',
});

export const experimentCommand: Command = {
  name: 'experiment',
  description: 'Run a table of the paper, or the default on teachers of many kinds (gauntlet).',
  operands: [{ name: '<table>', description: 'table1, table2, table3 or gauntlet' }],
  flags: [
    folder('usps', 'USPS (IDX files)'),
    folder('fashion', 'Fashion-MNIST (IDX files)'),
    folder('cifar10', 'CIFAR-10 (binary version)'),
    folder('cifar100', 'CIFAR-100 (binary version)'),
    {
      name: 'teacher',
      key: 'teacher',
      placeholder: 'file',
      description: 'Teacher of the rows of CPU scale in table3',
      group: 'Data:',
    },
    {
      name: 'only',
      key: 'only',
      placeholder: 'rows',
      description: 'Run only these rows, by id, separated by commas',
      group: 'Runs:',
    },
    {
      name: 'seeds',
      key: 'seeds',
      placeholder: 'list',
      description: "Seeds, separated by commas. Default: the rows' own",
      group: 'Runs:',
    },
    { ...backendFlag, group: 'Runs:' },
    { name: 'dry-run', key: 'dryRun', description: 'Show what would be run', group: 'Runs:' },
    {
      name: 'out',
      key: 'out',
      placeholder: 'folder',
      description: 'Where runs and records are kept; what is there is not run again',
      default: 'runs/experiments',
      group: 'Folder:',
    },
    {
      name: 'records',
      key: 'records',
      placeholder: 'folder',
      description: 'Where the records are kept. Default: with the runs',
      group: 'Folder:',
    },
  ],
  examples: [
    'dafl experiment table1 --usps data/usps --dry-run',
    'dafl experiment table2 --seeds 1 --backend wasm',
    'dafl experiment table1 --only lenet5-dafl-fast,lenet5-original-data --json',
  ],
  run: async (values: FlagValues, operands, context: CommandContext) =>
    await (await import('../run-experiment.ts')).runExperimentCommand(values, operands, context),
};
