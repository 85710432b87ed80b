import { join } from 'node:path';
import { readRunRecord, runFolder, type RunResultEvent, type RunSettings, writeSeedsReport } from '@dafl/run';
import type { CommandContext } from './command.ts';
import { distillOnce } from './distill-once.ts';
import { exitCodes } from './exit-code.ts';
import { type SeedsRecord, writeSeedsRecord } from './seeds-record.ts';
import { renderSeeds, sumUpSeeds } from './sum-up-seeds.ts';

/** Runs one seed after the other and sums up. */
export async function distillSeeds(
  record: SeedsRecord,
  settings: RunSettings,
  context: CommandContext,
): Promise<number> {
  const { terminal, isJson } = context;
  const { options } = record;
  const results: RunResultEvent[] = [];
  for (let index = 0; index < record.seeds; index++) {
    const seed = options.seed + index;
    const folder = join(settings.folder, `seed-${seed}`);
    const previous = settings.resume === true ? await readRunRecord(runFolder(folder).record) : undefined;
    const ofRun =
      previous === undefined ? { ...options, seed } : { ...previous.options, threads: options.threads, seed };
    const result = await distillOnce(
      ofRun,
      {
        ...settings,
        folder,
        resume: previous !== undefined,
        resumeFolder: settings.folder,
        runs: record.seeds,
        onPrepared: async () => await writeSeedsRecord(settings.folder, record),
      },
      context,
    );
    if (result === undefined) return exitCodes.interrupted;
    results.push(result);
  }
  try {
    const report = await writeSeedsReport(
      settings.folder,
      results.map(({ folder }) => folder),
    );
    terminal.err(`Report of all seeds: ${report}\n`);
  } catch (error) {
    terminal.err(
      `${terminal.style('yellow', 'warning:', 'err')} Cannot write the report: ${(error as Error).message}\n`,
    );
  }
  const summary = sumUpSeeds(results);
  terminal.out(isJson ? `${JSON.stringify(summary)}\n` : renderSeeds(summary, terminal));
  return exitCodes.done;
}
