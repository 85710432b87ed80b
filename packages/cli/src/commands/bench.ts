import type { Command, CommandContext, FlagValues } from '../command.ts';
import { allowSoftwareGpuFlag, parseNumber } from '../flag.ts';

const contest = 'Contestants:';
const measure = 'Measurement:';

export const benchCommand: Command = {
  name: 'bench',
  description:
    'Measure a step of distillation on every backend, and on PyTorch where python3 has it. The contestants are processes that take turns.',
  flags: [
    {
      name: 'case',
      key: 'case',
      placeholder: 'official|fast|all',
      description: 'Step of the official code (--preset paper), or of --preset fast',
      default: 'all',
      group: measure,
    },
    {
      name: 'batch',
      key: 'batch',
      placeholder: 'number',
      description: 'Images of one step',
      default: 256,
      parse: parseNumber,
      group: measure,
    },
    {
      name: 'rounds',
      key: 'rounds',
      placeholder: 'number',
      description: 'Rounds that count; some more warm up',
      default: 10,
      parse: parseNumber,
      group: measure,
    },
    {
      name: 'steps-per-round',
      key: 'stepsPerRound',
      placeholder: 'number',
      description: 'Steps that a contestant runs in a round',
      default: 2,
      parse: parseNumber,
      group: measure,
    },
    {
      name: 'sweep',
      key: 'sweep',
      placeholder: 'batch|image|width|all',
      description: 'Measure how the cost grows with the batch, the image size, the width of the generator',
      group: measure,
    },
    {
      name: 'backends',
      key: 'backends',
      placeholder: 'list',
      description: 'Backends, with commas between. Default: all that run here but cpu, whose step takes minutes',
      group: contest,
    },
    { ...allowSoftwareGpuFlag, group: contest },
    {
      name: 'python',
      key: 'python',
      placeholder: 'path|none',
      description: 'Interpreter that has torch; none for no PyTorch. Default: python3, if it has torch',
      group: contest,
    },
    {
      name: 'out',
      key: 'out',
      placeholder: 'file',
      description: 'Write all samples to a JSON file, and the plot of a sweep beside it',
      group: 'Output:',
    },
  ],
  examples: [
    'dafl bench',
    'dafl bench --case official --python venv/bin/python --out step.json',
    'dafl bench --backends wasm --python none --case fast --sweep batch --out growth.json',
  ],
  run: async (values: FlagValues, _operands, context: CommandContext) =>
    await (await import('../run-bench.ts')).runBench(values, context),
};
