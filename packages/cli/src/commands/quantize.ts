import { z } from 'zod';
import type { Command } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';
import { formatCount, formatPercent } from '../format.ts';
import {
  computingArguments,
  forceArgument,
  labelledImages,
  modelArgument,
  fileArguments,
} from '../shared-arguments.ts';
import { tellDownload } from '../tell-download.ts';
import { tellNotes } from '../tell-notes.ts';

export const quantizeCommand: Command = defineCommand({
  name: 'quantize',
  description: 'Write a model in eight bits as ONNX, without its training data.',
  arguments: z.strictObject({
    model: modelArgument,
    out: z
      .string()
      .regex(/\.onnx$/i)
      .describe('The file to write, .onnx')
      .meta({ operand: 'file', placeholder: 'file', rule: 'a name that ends in .onnx' }),
    eval: labelledImages
      .optional()
      .describe('Labelled images to compare accuracies on; ONNX Runtime runs the file where it is installed'),
    ...computingArguments,
    force: forceArgument,
    ...fileArguments,
  }),
  operands: ['model', 'out'],
  examples: ['dafl quantize student/student/student.safetensors student.int8.onnx --eval mnist'],
  async run(values, { terminal, isJson, signal }) {
    const { model: source, out: file, eval: data } = values;
    const { formatBytes, hasTestImages, loadImagesFor, runQuantization, selectBackend, tryFile, writeFileAtomically } =
      await import('@dafl/run');
    await tryFile(file, values);
    const { loadModel } = await import('@dafl/run/load-model');
    const { model, notes, sizeBytes } = await loadModel(source, values);
    tellNotes(notes, terminal);
    const evaluation =
      data === undefined
        ? undefined
        : await loadImagesFor(model.graph, data, { split: 'test', signal, onDownload: tellDownload(terminal) });
    const { backend, reason } = await selectBackend({ ...values, networks: [model.graph] });
    terminal.err(`Backend: ${backend.description}, ${reason}\n`);
    try {
      const { bytes, ...outcome } = await runQuantization(model, { backend, evaluation, signal });
      await writeFileAtomically(file, bytes);
      const { marks, accuracies } = outcome;
      if (isJson) {
        const sizes = { sizeBytesBefore: sizeBytes, sizeBytes: bytes.length };
        terminal.out(
          `${JSON.stringify({ event: 'result', model: source, file, ...sizes, ...outcome, data, notes })}\n`,
        );
        return exitCodes.done;
      }
      const share = formatPercent(bytes.length / sizeBytes);
      terminal.out(
        `${model.graph.name} -> ${file}, ${formatBytes(sizeBytes)} -> ${formatBytes(bytes.length)} (${share})\n` +
          `  names the same class on ${formatPercent(marks.agreement)} of ${formatCount(marks.pictures)} pictures drawn without data\n`,
      );
      if (accuracies !== undefined) {
        const { before, after, count, runBy } = accuracies;
        const which = (await hasTestImages(data!)) ? 'test images' : 'images';
        const how = runBy === 'simulation' ? 'by simulation, as onnxruntime-node is not installed' : `by ${runBy}`;
        terminal.out(
          `  ${formatPercent(before)} -> ${formatPercent(after)} of ${formatCount(count)} ${which} of ${data}; the file was run ${how}\n`,
        );
      }
      return exitCodes.done;
    } finally {
      await backend.close();
    }
  },
});
