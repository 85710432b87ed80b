import { fail } from '@dafl/core';
import { z } from 'zod';
import type { Command } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';
import { fileArguments } from '../shared-arguments.ts';
import { tellNotes } from '../tell-notes.ts';

export const samplesCommand: Command = defineCommand({
  name: 'samples',
  description:
    "Draw new images as a run's method does at its last checkpoint, or of what a model knows, a row for each class, as a PNG file.",
  arguments: z.strictObject({
    run: z
      .string()
      .min(1)
      .describe('Folder of a run; with --method a model: a built-in name or a file')
      .meta({ flag: false }),
    out: z
      .string()
      .min(1)
      .default('samples.png')
      .describe('The PNG file; one that is there is replaced')
      .meta({ placeholder: 'file' }),
    seed: z
      .int()
      .min(0)
      .max(2 ** 32 - 1)
      .default(0)
      .describe('The same seed gives the same images'),
    perClass: z.int().min(1).max(64).default(8).describe('Images of each class, at most'),
    method: z
      .enum(['deep-inversion', 'pool', 'nayer'])
      .optional()
      .describe('Look into a model, and how: deep-inversion, pool or nayer')
      .meta({ placeholder: 'name' }),
    synthesisSteps: z.int().min(1).optional().describe("Updates in which these images are made. Default: the method's"),
    ...fileArguments,
  }),
  operands: ['run'],
  examples: ['dafl samples student --seed 7 --out more.png', 'dafl samples lenet5-mnist --method deep-inversion'],
  async run({ run, out: file, seed, perClass, method, ...ofModel }, { terminal, isJson, signal }) {
    const [first] = method === undefined ? Object.entries(ofModel).filter(([, value]) => value !== undefined) : [];
    if (first !== undefined) {
      const [name, value] = first;
      fail({
        cannot: 'draw samples',
        as: `'${name}' must come with --method, which it belongs to`,
        value: String(value),
      });
    }
    const { renderSamplesImage, sampleModel, sampleRun, tryFile, writeFileAtomically } = await import('@dafl/run');
    await tryFile(file, { force: true });
    const options = {
      seed,
      perClass,
      signal,
      onBackend: (description: string, reason: string) => terminal.err(`Backend: ${description}, ${reason}\n`),
    };
    const samples =
      method === undefined
        ? await sampleRun(run, options)
        : await sampleModel(run, { ...options, ...ofModel, method, onNotes: (notes) => tellNotes(notes, terminal) });
    await writeFileAtomically(file, renderSamplesImage(samples));
    const { step, labels } = samples;
    terminal.out(
      isJson
        ? `${JSON.stringify({ event: 'result', file, step, images: labels.length })}\n`
        : `${file}: ${labels.length} images, ${method === undefined ? `of the run's method after step ${step}` : `made by ${method}`}\n`,
    );
    return exitCodes.done;
  },
});
