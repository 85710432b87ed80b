import { flagName, writeCommand } from '@dafl/run/options';
import { z } from 'zod';
import type { GivenValues } from '../command.ts';
import type { Command } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { computingArguments } from '../shared-arguments.ts';

const cases = ['official', 'fast'] as const;
const sweeps = ['batch', 'image', 'width'] as const;
const contest = 'Contestants:';
const measure = 'Measurement:';
const [batchSize, rounds, stepsPerRound] = [
  z.int().min(2).default(256).describe('Images of one step'),
  z.int().min(1).default(10).describe('Rounds that count; some more warm up'),
  z.int().min(1).default(2).describe('Steps that a contestant runs in a round'),
].map((schema) => schema.meta({ group: measure }));

export const benchCommand: Command = defineCommand({
  name: 'bench',
  description:
    'Measure a step of distillation on every backend, and on PyTorch where python3 has it. The contestants are processes that take turns.',
  arguments: z.strictObject({
    case: z
      .enum([...cases, 'all'])
      .default('all')
      .describe('Step of the official code (--preset paper), or of --preset fast')
      .meta({ group: measure }),
    batch: batchSize,
    rounds,
    stepsPerRound,
    sweep: z
      .enum([...sweeps, 'all'])
      .optional()
      .describe('Measure how the cost grows with the batch, the image size, the width of the generator')
      .meta({ group: measure }),
    backends: z
      .array(z.enum(['node', 'webgpu', 'wasm', 'cpu']))
      .min(1)
      .optional()
      .describe('Backends, with commas between. Default: all that run here but cpu, whose step takes minutes')
      .meta({ group: contest }),
    allowSoftwareGpu: computingArguments.allowSoftwareGpu.meta({ group: contest }),
    python: z
      .string()
      .min(1)
      .optional()
      .describe('Interpreter that has torch; none for no PyTorch. Default: python3, if it has torch')
      .meta({ placeholder: 'path|none', group: contest }),
    out: z
      .string()
      .min(1)
      .optional()
      .describe('Write all samples to a JSON file, and the plot of a sweep beside it')
      .meta({ placeholder: 'file', group: 'Output:' }),
  }),
  examples: [
    'dafl bench',
    'dafl bench --case official --python venv/bin/python --out step.json',
    'dafl bench --backends wasm --python none --case fast --sweep batch --out growth.json',
  ],
  async run(values, context, given) {
    const { case: step, sweep, backends, python, allowSoftwareGpu = false } = values;
    const { runBench } = await import('../run-bench.ts');
    const settings = {
      command: describeCommand(given),
      cases: step === 'all' ? cases : [step],
      batchSize: values.batch,
      rounds: values.rounds,
      stepsPerRound: values.stepsPerRound,
      sweeps: sweep === undefined ? [] : sweep === 'all' ? sweeps : [sweep],
      backends: backends && [...new Set(backends)],
      allowSoftwareGpu,
      python: python === 'none' ? null : python,
      out: values.out,
    };
    return await runBench(settings, context);
  },
});

/** What was typed, but for the interpreter's and the file's paths, which are this machine's. */
function describeCommand(given: GivenValues): string {
  const { python, out: _, ...others } = given;
  const interpreter = python === undefined || python === 'none' ? python : 'python3';
  const flags = Object.entries({ ...others, ...(interpreter !== undefined && { python: interpreter }) });
  return writeCommand(
    ['dafl', 'bench'],
    flags.map(([key, value]) => [`--${flagName(key)}`, value]),
  );
}
