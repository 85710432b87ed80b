import { loadModel } from '@dafl/run/load-model';
import { predictImages } from '@dafl/run/predict-images';
import type { CommandContext, FlagValues } from './command.ts';
import { exitCodes } from './exit-code.ts';
import { formatPercent, formatTable } from './format.ts';
import { integerFlag } from './integer-flag.ts';
import { readPixelFlags } from './pixel-flags.ts';

/** Runs `dafl predict`. @returns The exit code. */
export async function runPredict(
  source: string,
  named: readonly string[],
  values: FlagValues,
  { terminal, isJson, signal }: CommandContext,
): Promise<number> {
  const top = integerFlag('predict', values, 'top', { least: 1, most: 1000 }) ?? 3;
  const { model, notes } = await loadModel(source, readPixelFlags(values, 'predict'));
  for (const note of notes) terminal.err(`${terminal.style('yellow', 'note:', 'err')} ${note}\n`);
  const nameOf = (label: number): string => model.graph.classNames?.[label] ?? String(label);
  const rows: string[][] = [];
  let count = 0;
  for await (const { image, label, probabilities } of predictImages(model, named, { signal })) {
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
  if (isJson) terminal.out(`${JSON.stringify({ event: 'result', model: source, count })}\n`);
  else terminal.out(formatTable(rows));
  return exitCodes.done;
}
