import { renderSamplesImage, sampleRun, writeFileAtomically } from '@dafl/run';
import type { CommandContext, FlagValues } from './command.ts';
import { exitCodes } from './exit-code.ts';
import { integerFlag } from './integer-flag.ts';

const MOST_PER_CLASS = 64;

/** Runs `dafl samples`. @returns The exit code. */
export async function runSamples(
  run: string,
  values: FlagValues,
  { terminal, isJson, signal }: CommandContext,
): Promise<number> {
  const { out = 'samples.png' } = values;
  const samples = await sampleRun(run, {
    seed: integerFlag('samples', values, 'seed', { least: 0, most: 2 ** 32 - 1 }) ?? 0,
    perClass: integerFlag('samples', values, 'perClass', { least: 1, most: MOST_PER_CLASS }),
    signal,
    onBackend: (description, reason) => terminal.err(`Backend: ${description}, ${reason}\n`),
  });
  const file = String(out);
  await writeFileAtomically(file, renderSamplesImage(samples));
  const { step, labels } = samples;
  terminal.out(
    isJson
      ? `${JSON.stringify({ event: 'result', file, step, images: labels.length })}\n`
      : `${file}: ${labels.length} images, from the generator after step ${step}\n`,
  );
  return exitCodes.done;
}
