import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeModel } from '@dafl/models';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tinyData, tinyRun, tinyTeacher } from '../../../../test-fixtures/tiny-teacher.ts';
import { parseDistillationOptions } from '../distillation-options.ts';
import { runDistillation } from '../run-distillation.ts';
import { findChromium, findFaults, launchChromium, noFaults, openFromDisk, views } from './_testing/open-report.ts';

const path = findChromium();

describe.skipIf(path === undefined)('a report in Chromium', { timeout: 180_000 }, () => {
  let browser: Browser;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dafl-report-'));
    browser = await launchChromium(path!);
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  /** Runs a few steps on a teacher and gives the report's path. */
  async function reportOf(
    name: string,
    teacher: { readonly classes?: number; readonly channels?: number },
    options: object = {},
  ): Promise<string> {
    const data = join(folder, `${name}-data`);
    mkdirSync(data);
    for (const [file, bytes] of tinyData({ classes: teacher.classes ?? 3, count: 120 }))
      writeFileSync(join(data, file), bytes);
    writeFileSync(join(data, 'teacher.safetensors'), writeModel(tinyTeacher(teacher)));
    const settled = parseDistillationOptions({
      ...tinyRun,
      teacher: join(data, 'teacher.safetensors'),
      ...(teacher.channels === undefined || teacher.channels === 3 ? { eval: data } : {}),
      evaluateEvery: 1,
      sampleEvery: 2,
      ...options,
    });
    for await (const _ of runDistillation(settled, { folder: join(folder, name) }));
    return join(folder, name, 'report.html');
  }

  test.each([
    [
      'of the demo',
      { teacher: 'lenet5-mnist', eval: 'mnist', steps: 2, method: 'procedural', backend: 'wasm', pictures: 512 },
    ],
  ])('%s is sound in light and dark, wide and narrow, and small', async (_, options) => {
    const out = join(folder, 'demo');
    for await (const __ of runDistillation(parseDistillationOptions(options), { folder: out }));
    const file = join(out, 'report.html');
    expect(statSync(file).size).toBeLessThan(2.5e6);
    for (const view of views) expect(await findFaults(browser, file, view)).toEqual(noFaults);
  });

  test.each([
    ['2 classes', { classes: 2 }],
    ['13 classes in colour', { classes: 13, channels: 3 }],
    ['100 classes', { classes: 100 }],
    ['1000 classes', { classes: 1000 }],
    ['five channels', { channels: 5 }],
  ])('of %s is sound too', async (name, teacher) => {
    const file = await reportOf(name, teacher);
    for (const view of [views[0], views[3]]) expect(await findFaults(browser, file, view)).toEqual(noFaults);
  });

  test('tells values beneath the pointer, moves through the pictures, and gives files', async () => {
    const { page, errors } = await openFromDisk(browser, await reportOf('used', {}), views[0]);
    await page.locator('.chart svg').first().hover();
    expect(await page.locator('.tip').textContent()).toMatch(/^step \d+: \d+(\.\d+)? %$/);
    const shown = () =>
      page.locator('#images image').evaluateAll((images) => images.map((image) => image.getAttribute('display')));
    const slider = page.locator('.player input');
    await slider.fill('0');
    expect((await shown()).slice(0, 3)).toEqual(['inline', 'none', 'none']);
    expect(await page.locator('.player output').textContent()).toBe('step 2');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByText('run.json', { exact: true }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('run.json');
    expect(errors).toEqual([]);
    await page.context().close();
  });
});
