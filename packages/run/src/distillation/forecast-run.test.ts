import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeModel } from '@dafl/models';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tinyData, tinyTeacher } from '../../../../test-fixtures/tiny-teacher.ts';
import { parseDistillationOptions } from '../options/distillation-options.ts';
import { runDistillation, type RunSettings } from './run-distillation.ts';
import { readRunRecord } from '../folder/run-record.ts';
import type { RunEvent } from './run-event.ts';

const home = mkdtempSync(join(tmpdir(), 'dafl-forecast-'));
beforeAll(() => {
  writeFileSync(join(home, 'tiny.safetensors'), writeModel(tinyTeacher()));
  for (const [name, content] of tinyData()) writeFileSync(join(home, name), content);
});
afterAll(() => rmSync(home, { recursive: true }));

async function run(options: object, settings: RunSettings): Promise<Map<string, RunEvent>> {
  const events = new Map<string, RunEvent>();
  const parsed = parseDistillationOptions({ teacher: join(home, 'tiny.safetensors'), backend: 'cpu', ...options });
  for await (const event of runDistillation(parsed, settings)) events.set(event.event, event);
  return events;
}

const pick = (events: Map<string, RunEvent>, name: 'prepared' | 'result') => events.get(name) as never;

test.each(['procedural', 'dafl', 'noise'])(
  '%s: a run that was forecast ends with the same bytes as one that was not',
  async (method) => {
    const options = {
      method,
      steps: 20,
      batchSize: 8,
      eval: home,
      ...(method === 'procedural' ? { pictures: 64 } : {}),
    };
    const told = await run(options, { folder: join(home, `${method}-told`), forecasts: true });
    const untold = await run(options, { folder: join(home, `${method}-untold`) });
    expect(pick(untold, 'prepared')).toMatchObject({ forecast: null });
    const { forecast, steps } = pick(told, 'prepared') as {
      forecast: { seconds: number; secondsPerStep: number; preparationSeconds: number; evaluationSeconds: number };
      steps: number;
    };
    expect(forecast.secondsPerStep).toBeGreaterThan(0);
    expect(forecast.evaluationSeconds).toBeGreaterThan(0);
    expect(forecast.seconds).toBeCloseTo(
      forecast.preparationSeconds + steps * forecast.secondsPerStep + forecast.evaluationSeconds,
      9,
    );
    const { studentSha256 } = pick(told, 'result') as { studentSha256: string };
    expect(pick(untold, 'result')).toMatchObject({ studentSha256 });
  },
);

test('a run that holds a time, and one of a few steps, are not forecast', async () => {
  const folder = join(home, 'budget');
  const budget = await run({ method: 'noise', batchSize: 8, timeBudgetMs: 300 }, { folder, forecasts: true });
  expect(pick(budget, 'prepared')).toMatchObject({ forecast: null });
  const short = await run({ method: 'noise', batchSize: 8, steps: 3 }, { folder: `${folder}-short`, forecasts: true });
  expect(pick(short, 'prepared')).toMatchObject({ forecast: null });
});

test('a teacher whose step fails is told of by the run, in its folder', async () => {
  const broken = tinyTeacher();
  for (const { data } of broken.weights.values()) data.fill(3e38);
  writeFileSync(join(home, 'broken.safetensors'), writeModel(broken));
  const folder = join(home, 'broken');
  await expect(
    run({ teacher: join(home, 'broken.safetensors'), method: 'noise', steps: 30 }, { folder, forecasts: true }),
  ).rejects.toThrow(/must be finite/);
  expect(await readRunRecord(join(folder, 'run.json'))).toMatchObject({ state: 'failed' });
});
