import { createNetwork, evaluate } from '@dafl/core';
import { backendNames, fitImages, loadLabelledImages, loadModel, selectBackend, type Split } from '@dafl/run';
import type { CommandContext, FlagValues } from './command.ts';
import { exitCodes } from './exit-code.ts';
import { formatCount, formatPercent, formatSeconds, formatTable } from './format.ts';
import { integerFlag } from './integer-flag.ts';
import { readPixelFlags } from './pixel-flags.ts';
import { UsageError } from './usage-error.ts';
import { tellDownload } from './tell-download.ts';

/** Runs `dafl evaluate`. @returns The exit code. */
export async function runEvaluate(values: FlagValues, { terminal, isJson, signal }: CommandContext): Promise<number> {
  const [model, data] = [String(values.model), String(values.data)];
  const split = oneOf(values.split ?? 'test', ['test', 'train'], 'split') as Split;
  const threads = integerFlag('evaluate', values, 'threads', { least: 1, most: 64 });
  const backendName = oneOf(values.backend ?? 'auto', ['auto', ...backendNames], 'backend') as 'auto';
  const loaded = await loadModel(model, readPixelFlags(values, 'evaluate'));
  for (const note of loaded.notes) terminal.err(`${terminal.style('yellow', 'note:', 'err')} ${note}\n`);
  const { graph } = loaded.model;
  const images = fitImages(
    await loadLabelledImages(data, { split, signal, onDownload: tellDownload(terminal) }),
    graph,
  );
  const { backend, reason } = await selectBackend({
    backend: backendName,
    threads,
    allowSoftwareGpu: values.allowSoftwareGpu === true,
  });
  terminal.err(`Backend: ${backend.description}, ${reason}\n`);
  try {
    const network = createNetwork(backend, loaded.model);
    const startedMs = performance.now();
    const { accuracy, count, confusion } = await evaluate(network, images, { signal });
    const seconds = (performance.now() - startedMs) / 1000;
    network.dispose();
    if (isJson) {
      const result = {
        event: 'result',
        accuracy,
        count,
        confusion,
        seconds,
        backend: backend.description,
        model,
        modelSha256: loaded.sha256,
        data,
        split,
      };
      terminal.out(`${JSON.stringify(result)}\n`);
      return exitCodes.done;
    }
    const names = graph.classNames ?? images.classNames;
    const nameOf = (label: number): string => names?.[label] ?? String(label);
    const rows = confusion.map((row, label) => {
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
    terminal.out(
      `${terminal.style('bold', `${loaded.model.graph.name}: ${formatPercent(accuracy)} of ${formatCount(count)} ${split} images of ${data}`)}, ${formatSeconds(seconds)} on ${backend.description}\n\n`,
    );
    terminal.out(
      formatTable([['class', 'images', 'right', 'most mistaken for'], ...rows], { right: [0, 1, 2], indent: '  ' }),
    );
    return exitCodes.done;
  } finally {
    await backend.close();
  }
}

function oneOf(value: unknown, allowed: readonly string[], name: string): string {
  if (allowed.includes(String(value))) return String(value);
  throw new UsageError(
    `Cannot run 'dafl evaluate' as '${name}' must be one of [${allowed.join(', ')}]: current value is '${String(value)}'`,
  );
}
