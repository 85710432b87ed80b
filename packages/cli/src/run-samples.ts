import { renderSamplesImage, sampleRun, writeFileAtomically } from '@dafl/run';
import type { CommandContext, FlagValues } from './command.ts';
import { exitCodes } from './exit-code.ts';
import { UsageError } from './usage-error.ts';

const MOST_PER_CLASS = 64;

/** Runs `dafl samples`. @returns The exit code. */
export async function runSamples(
  run: string,
  values: FlagValues,
  { terminal, isJson, signal }: CommandContext,
): Promise<number> {
  const { out = 'samples.png', seed = 0, perClass = 8 } = values;
  const integer = (name: string, value: unknown, low: number, high: number): number => {
    if (Number.isInteger(value) && Number(value) >= low && Number(value) <= high) return Number(value);
    throw new UsageError(
      `Cannot run 'dafl samples' as '${name}' must be an integer >= ${low} and <= ${high}: current value is ${JSON.stringify(value)}`,
    );
  };
  const samples = await sampleRun(run, {
    seed: integer('seed', seed, 0, 2 ** 32 - 1),
    perClass: integer('perClass', perClass, 1, MOST_PER_CLASS),
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
