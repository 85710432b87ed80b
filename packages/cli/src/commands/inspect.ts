import type { Model } from '@dafl/core';
import { z } from 'zod';
import type { Command, CommandContext } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';
import { formatCount, formatPercent, formatTable } from '../format.ts';
import { modelArgument, fileArguments } from '../shared-arguments.ts';

export const inspectCommand: Command = defineCommand({
  name: 'inspect',
  description: 'Show the layers, sizes and preprocessing of a model, or the layers in which two models differ.',
  arguments: z.strictObject({
    model: modelArgument,
    other: z.string().min(1).optional().describe('Model to compare it with').meta({ flag: false }),
    ...fileArguments,
  }),
  operands: ['model', 'other'],
  examples: [
    'dafl inspect lenet5-mnist',
    'dafl inspect student/student/student.safetensors --json',
    'dafl inspect teacher.onnx teacher.safetensors',
  ],
  async run(values, context) {
    const { terminal, isJson } = context;
    const { model: source, other } = values;
    const { describeClassifier, describeModel } = await import('@dafl/core');
    const { formatBytes } = await import('@dafl/run');
    const { loadModel } = await import('@dafl/run/load-model');
    if (other !== undefined) {
      const load = async (name: string) => (await loadModel(name, values)).model;
      return await showDifferences([source, other], [await load(source), await load(other)], context);
    }
    const { warnOfModel } = await import('../warn-of-model.ts');
    const { model, sha256, sizeBytes, notes } = await loadModel(source, values);
    const { graph } = model;
    const description = describeModel(graph);
    const { classes, preprocessing, featureSize } = describeClassifier(graph);
    const warnings = warnOfModel(graph);
    if (isJson) {
      const result = {
        event: 'result',
        ...description,
        classes,
        featureSize,
        preprocessing,
        classNames: graph.classNames ?? null,
        outputs: graph.outputs,
        sha256,
        sizeBytes,
        notes,
        warnings,
      };
      terminal.out(`${JSON.stringify(result)}\n`);
      return exitCodes.done;
    }
    const roles = new Map(Object.entries(graph.outputs).map(([role, node]) => [node, role]));
    const withShare = (part: number, whole: number): [string, string] =>
      part === 0 ? ['', ''] : [formatCount(part), formatPercent(part / whole)];
    const rows = description.nodes.map((node) => [
      node.name,
      node.kind,
      node.outputShape.join(' x '),
      ...withShare(node.parameters, description.parameters),
      ...withShare(node.multiplyAccumulates, description.multiplyAccumulates),
      roles.get(node.name) ?? '',
    ]);
    const [parameters, multiplyAccumulates] = [description.parameters, description.multiplyAccumulates].map(
      formatCount,
    );
    const total = ['', '', '', parameters, '', multiplyAccumulates, '', ''];
    const list = (numbers: readonly number[]): string =>
      `[${numbers.map((value) => Number(value.toPrecision(6))).join(', ')}]`;
    terminal.out(
      `${terminal.style('bold', `${description.name}: ${classes} classes, input ${description.inputShape.join(' x ')}`)}\n\n`,
    );
    terminal.out(
      formatTable(
        [['layer', 'kind', 'output', 'parameters', 'share', 'multiply-adds', 'share', 'role'], ...rows, total],
        { right: [3, 4, 5, 6], indent: '  ' },
      ),
    );
    terminal.out(
      `\nPixels in 0..1, then (pixel - ${list(preprocessing.mean)}) / ${list(preprocessing.standardDeviation)}; other sizes are resized (${preprocessing.resize})\n` +
        (graph.classNames === undefined ? '' : `Classes: ${graph.classNames.join(', ')}\n`) +
        `Weights ${formatBytes(description.bytes)}, file ${formatBytes(sizeBytes)}, SHA-256 ${sha256}\n` +
        notes.map((note) => `${note}\n`).join('') +
        warnings.map((warning) => `${terminal.style('yellow', 'warning:')} ${warning}\n`).join(''),
    );
    return exitCodes.done;
  },
});

/** Shows the layers in which two models differ. */
async function showDifferences(
  sources: readonly [string, string],
  [first, second]: readonly [Model, Model],
  { terminal, isJson }: CommandContext,
): Promise<number> {
  const { compareModels } = await import('../compare-models.ts');
  const differences = compareModels(first, second);
  if (isJson) {
    terminal.out(`${JSON.stringify({ event: 'result', models: sources, differences })}\n`);
    return exitCodes.done;
  }
  if (differences.length === 0) {
    terminal.out('The same layers with the same weights\n');
    return exitCodes.done;
  }
  const rows = differences.map(({ name, first: one, second: other, largestDifference }) => [
    name,
    one ?? '-',
    other ?? '-',
    largestDifference === null ? '' : largestDifference.toPrecision(3),
  ]);
  terminal.out(formatTable([['layer', sources[0], sources[1], 'largest difference'], ...rows], { right: [3] }));
  return exitCodes.done;
}
