import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  findChromium,
  findFaults,
  launchChromium,
  noFaults,
  views,
} from '../../run/src/report/_testing/open-report.ts';
import { repositoryRoot } from '../../../scripts/workspace.ts';
import type { ExperimentRecord } from './experiment-record.ts';
import { experiments } from './experiments.ts';
import { writeExperimentReport } from './write-experiment-report.ts';

const path = findChromium();

describe.skipIf(path === undefined)('an experiment report in Chromium, where installed', { timeout: 180_000 }, () => {
  let browser: Browser;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dafl-experiment-report-'));
    browser = await launchChromium(path!);
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  test.each(['table1', 'gauntlet'])('%s is sound in light and dark', async (name) => {
    const stored = globSync(join(repositoryRoot, 'bench', 'results', 'experiments', name, '*.json'));
    const records = stored.map((file) => JSON.parse(readFileSync(file, 'utf8')) as ExperimentRecord);
    const page = await writeExperimentReport(folder, experiments.get(name)!, records);
    for (const view of [views[0], views[3]]) expect(await findFaults(browser, page, view)).toEqual(noFaults);
  });
});
