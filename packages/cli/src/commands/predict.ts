import type { DaflError } from '@dafl/core';
import { z } from 'zod';
import type { Command } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';
import { formatPercent, formatTable } from '../format.ts';
import { modelArgument, fileArguments } from '../shared-arguments.ts';
import { tellNotes } from '../tell-notes.ts';

export const predictCommand: Command = defineCommand({
  name: 'predict',
  description: 'Tell the classes of images: PNG or JPEG files, folders of them, or - for one from stdin.',
  arguments: z.strictObject({
    model: modelArgument,
    images: z
      .array(z.string())
      .describe('PNG or JPEG files, folders of them, or -')
      .meta({ flag: false, operand: 'image' }),
    top: z.int().min(1).max(1000).default(3).describe('Classes to name for each image'),
    ...fileArguments,
  }),
  operands: ['model', 'images'],
  examples: [
    'dafl predict student/student/student.safetensors photo.png',
    'dafl predict student.onnx photos --json',
    'dafl predict lenet5-mnist - < digit.png',
  ],
  async run(values, { terminal, isJson, signal }) {
    const { model: source, images, top } = values;
    const { loadModel } = await import('@dafl/run/load-model');
    const { predictImages } = await import('@dafl/run/predict-images');
    const { model, notes } = await loadModel(source, values);
    tellNotes(notes, terminal);
    const nameOf = (label: number): string => model.graph.classNames?.[label] ?? String(label);
    const rows: string[][] = [];
    const unread: DaflError[] = [];
    const onUnread = (error: DaflError): void => void unread.push(error);
    let count = 0;
    for await (const { image, label, probabilities } of predictImages(model, images, { signal, onUnread })) {
      count++;
      const best = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]).slice(0, top);
      if (isJson) {
        const describe = (other: number): object => ({
          label: other,
          name: nameOf(other),
          probability: probabilities[other],
        });
        terminal.out(
          `${JSON.stringify({ event: 'prediction', image, ...describe(label), classes: best.map(describe) })}\n`,
        );
      } else {
        rows.push([image, ...best.flatMap((other) => [nameOf(other), formatPercent(probabilities[other])])]);
      }
    }
    if (unread.length > 0) {
      if (!isJson && rows.length > 0) terminal.out(formatTable(rows));
      // All are named; the last ends the command as any error does.
      for (const { code, message } of unread.slice(0, -1)) {
        if (isJson) terminal.out(`${JSON.stringify({ event: 'error', code, message })}\n`);
        terminal.alert(`${terminal.style('red', 'error:', 'err')} ${message}\n`);
      }
      throw unread.at(-1)!;
    }
    if (isJson) terminal.out(`${JSON.stringify({ event: 'result', model: source, count })}\n`);
    else terminal.out(formatTable(rows));
    return exitCodes.done;
  },
});
