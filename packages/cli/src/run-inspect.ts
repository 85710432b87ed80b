import { describeClassifier, describeModel } from '@dafl/core';
import { formatBytes, loadModel } from '@dafl/run';
import type { CommandContext, FlagValues } from './command.ts';
import { exitCodes } from './exit-code.ts';
import { formatCount, formatTable } from './format.ts';
import { readPixelFlags } from './pixel-flags.ts';

/** Runs `dafl inspect`. @returns The exit code. */
export async function runInspect(
  source: string,
  values: FlagValues,
  { terminal, isJson }: CommandContext,
): Promise<number> {
  const { model, sha256, sizeBytes, notes } = await loadModel(source, readPixelFlags(values, 'inspect'));
  const { graph } = model;
  const description = describeModel(graph);
  const { classes, preprocessing, featureSize } = describeClassifier(graph);
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
    };
    terminal.out(`${JSON.stringify(result)}\n`);
    return exitCodes.done;
  }
  const roles = new Map(Object.entries(graph.outputs).map(([role, node]) => [node, role]));
  const rows = description.nodes.map((node) => [
    node.name,
    node.kind,
    node.outputShape.join(' x '),
    node.parameters === 0 ? '' : formatCount(node.parameters),
    node.multiplyAccumulates === 0 ? '' : formatCount(node.multiplyAccumulates),
    roles.get(node.name) ?? '',
  ]);
  const total = ['', '', '', formatCount(description.parameters), formatCount(description.multiplyAccumulates), ''];
  const list = (values: readonly number[]): string =>
    `[${values.map((value) => Number(value.toPrecision(6))).join(', ')}]`;
  terminal.out(
    `${terminal.style('bold', `${description.name}: ${classes} classes, input ${description.inputShape.join(' x ')}`)}\n\n`,
  );
  terminal.out(
    formatTable([['layer', 'kind', 'output', 'parameters', 'multiply-adds', 'role'], ...rows, total], {
      right: [3, 4],
      indent: '  ',
    }),
  );
  terminal.out(
    `\nPixels in 0..1, then (pixel - ${list(preprocessing.mean)}) / ${list(preprocessing.standardDeviation)}; other sizes are resized (${preprocessing.resize})\n` +
      (graph.classNames === undefined ? '' : `Classes: ${graph.classNames.join(', ')}\n`) +
      `Weights ${formatBytes(description.bytes)}, file ${formatBytes(sizeBytes)}, SHA-256 ${sha256}\n` +
      notes.map((note) => `${note}\n`).join(''),
  );
  return exitCodes.done;
}
