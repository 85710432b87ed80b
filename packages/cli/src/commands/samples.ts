import { z } from 'zod';
import type { Command } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';

export const samplesCommand: Command = defineCommand({
  name: 'samples',
  description: "Draw new images with the generator of a run's last checkpoint, a row for each class, as a PNG file.",
  arguments: z.strictObject({
    run: z.string().min(1).describe('Folder of a run').meta({ flag: false }),
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
  }),
  operands: ['run'],
  examples: ['dafl samples student --seed 7 --out more.png'],
  async run({ run, out: file, seed, perClass }, { terminal, isJson, signal }) {
    const { renderSamplesImage, sampleRun, writeFileAtomically } = await import('@dafl/run');
    const samples = await sampleRun(run, {
      seed,
      perClass,
      signal,
      onBackend: (description, reason) => terminal.err(`Backend: ${description}, ${reason}\n`),
    });
    await writeFileAtomically(file, renderSamplesImage(samples));
    const { step, labels } = samples;
    terminal.out(
      isJson
        ? `${JSON.stringify({ event: 'result', file, step, images: labels.length })}\n`
        : `${file}: ${labels.length} images, from the generator after step ${step}\n`,
    );
    return exitCodes.done;
  },
});
