import type { Evaluation } from '@dafl/core';
import { z } from 'zod';
import type { Command } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';
import { formatCount, formatPercent, formatSeconds, formatTable } from '../format.ts';
import { computingArguments, labelledImages, modelArgument, fileArguments } from '../shared-arguments.ts';
import { tellDownload } from '../tell-download.ts';
import { tellNotes } from '../tell-notes.ts';

export const evaluateCommand: Command = defineCommand({
  name: 'evaluate',
  description: 'Measure the accuracy of a model on labelled images.',
  arguments: z.strictObject({
    model: modelArgument,
    data: labelledImages.describe('Labelled images'),
    split: z.enum(['test', 'train']).default('test').describe('Which of its images'),
    ...computingArguments,
    ...fileArguments,
  }),
  operands: ['model'],
  examples: [
    'dafl evaluate student/student/student.safetensors --data mnist',
    'dafl evaluate student.onnx --data photos --mean 0.5 --std 0.5',
  ],
  async run(values, { terminal, isJson, signal }) {
    const { model, data, split } = values;
    const { hasTestImages, loadImagesFor, selectBackend } = await import('@dafl/run');
    const { loadModel } = await import('@dafl/run/load-model');
    const { createNetwork, evaluate } = await import('@dafl/core');
    const loaded = await loadModel(model, values);
    tellNotes(loaded.notes, terminal);
    const { graph } = loaded.model;
    const images = await loadImagesFor(graph, data, { split, signal, onDownload: tellDownload(terminal) });
    const { backend, reason } = await selectBackend({ ...values, networks: [graph] });
    terminal.err(`Backend: ${backend.description}, ${reason}\n`);
    try {
      const network = createNetwork(backend, loaded.model);
      const startedMs = performance.now();
      const { accuracy, count, confusion } = await evaluate(network, images, { signal });
      const seconds = (performance.now() - startedMs) / 1000;
      network.dispose();
      if (isJson) {
        const measured = { accuracy, count, confusion, seconds, backend: backend.description };
        terminal.out(
          `${JSON.stringify({ event: 'result', ...measured, model, modelSha256: loaded.sha256, data, split })}\n`,
        );
        return exitCodes.done;
      }
      // Without a folder for each, both splits are all images.
      const which = (await hasTestImages(data)) ? `${split} images` : 'images';
      terminal.out(
        `${terminal.style('bold', `${graph.name}: ${formatPercent(accuracy)} of ${formatCount(count)} ${which} of ${data}`)}, ${formatSeconds(seconds)} on ${backend.description}\n\n`,
      );
      const rows = listClasses(confusion, graph.classNames ?? images.classNames);
      terminal.out(
        formatTable([['class', 'images', 'right', 'most mistaken for'], ...rows], { right: [0, 1, 2], indent: '  ' }),
      );
      return exitCodes.done;
    } finally {
      await backend.close();
    }
  },
});

/** A row for each class: how many images, how many of them were told rightly, and what it was taken for. */
function listClasses(confusion: Evaluation['confusion'], names: readonly string[] | undefined): string[][] {
  const nameOf = (label: number): string => names?.[label] ?? String(label);
  return confusion.map((row, label) => {
    const total = row.reduce((sum, value) => sum + value, 0);
    const wrong = row
      .map((value, other) => ({ value, other }))
      .filter(({ other, value }) => other !== label && value > 0);
    const worst = wrong.sort((a, b) => b.value - a.value)[0];
    return [
      nameOf(label),
      formatCount(total),
      total === 0 ? '-' : formatPercent(row[label] / total),
      worst === undefined ? '' : `${nameOf(worst.other)} (${worst.value})`,
    ];
  });
}
