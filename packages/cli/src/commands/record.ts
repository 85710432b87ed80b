import { z } from 'zod';
import type { Command } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';
import { formatCount, formatSeconds } from '../format.ts';
import {
  computingArguments,
  fileArguments,
  forceArgument,
  labelledImages,
  modelArgument,
} from '../shared-arguments.ts';
import { tellDownload } from '../tell-download.ts';
import { tellNotes } from '../tell-notes.ts';

export const recordCommand: Command = defineCommand({
  name: 'record',
  description:
    "Record how a teacher's activations are distributed on its training data, for distill --method metadata.",
  arguments: z.strictObject({
    teacher: modelArgument,
    data: labelledImages.describe('Labelled training images'),
    out: z.string().min(1).describe('The metadata file').meta({ placeholder: 'file' }),
    mostImages: z.int().min(1).optional().describe('Images that are read at most. Default: 20000'),
    ...computingArguments,
    force: forceArgument,
    ...fileArguments,
  }),
  operands: ['teacher'],
  examples: [
    'dafl record lenet5-mnist --data mnist --out metadata.safetensors',
    'dafl distill lenet5-mnist --method metadata --metadata metadata.safetensors',
  ],
  async run({ out, ...values }, { terminal, isJson, signal }) {
    const { formatBytes, recordTeacherMetadata } = await import('@dafl/run');
    const result = await recordTeacherMetadata({
      ...values,
      file: out,
      signal,
      onDownload: tellDownload(terminal),
      onNotes: (notes) => tellNotes(notes, terminal),
      onBackend: (description, reason) => terminal.err(`Backend: ${description}, ${reason}\n`),
    });
    if (isJson) {
      terminal.out(`${JSON.stringify({ event: 'result', ...result })}\n`);
      return exitCodes.done;
    }
    const { file, sizeBytes, images, layers, seconds } = result;
    terminal.out(
      `${terminal.style('bold', file)}  ${formatBytes(sizeBytes)}: ${layers.length} layers on ${formatCount(images)} images, ${formatSeconds(seconds)}\n`,
    );
    return exitCodes.done;
  },
});
