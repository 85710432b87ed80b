import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { writeModel } from '@dafl/models';
import { encode } from 'fast-png';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tinyData, tinyRun, tinyTeacher } from '../../../../test-fixtures/tiny-teacher.ts';
import { parseDistillationOptions } from '../options/distillation-options.ts';
import { parseTrainingOptions } from '../options/training-options.ts';
import { runTraining, trainingFiles } from '../training/run-training.ts';
import { writeSeedsReport } from './write-seeds-report.ts';
import { loadModel } from '../models/load-model.ts';
import { predictImages } from '../models/predict-images.ts';
import { runDistillation } from '../distillation/run-distillation.ts';
import { findChromium, findFaults, launchChromium, noFaults, openFromDisk, views } from './_testing/open-report.ts';

const path = findChromium();

describe.skipIf(path === undefined)('a report in Chromium, where that is installed', { timeout: 180_000 }, () => {
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
    // On a phone, too, each figure of teacher and student is in sight.
    const { page } = await openFromDisk(browser, file, { colorScheme: 'light', width: 390 });
    const hidden = `[...document.querySelectorAll('.few')].map((region) => region.scrollWidth - region.clientWidth)`;
    expect(await page.evaluate(hidden)).toEqual([0]);
    await page.context().close();
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

  test('of a training and of several seeds is sound too', async () => {
    const one = await reportOf('seed-1', { classes: 4 }, { seed: 1 });
    const two = await reportOf('seed-2', { classes: 4 }, { seed: 2 });
    const seeds = await writeSeedsReport(folder, [one, two].map(dirname));
    const data = join(folder, 'training-data');
    mkdirSync(data);
    for (const prefix of ['train', 't10k'])
      for (const [file, bytes] of tinyData({ prefix, classes: 4, count: 40 })) writeFileSync(join(data, file), bytes);
    const trained = join(folder, 'trained.safetensors');
    const options = { architecture: 'lenet5', data, epochs: 2, batchSize: 8, backend: 'wasm', validationSplit: 8 };
    let reportFailure: string | undefined = 'none was told';
    for await (const event of runTraining(parseTrainingOptions(options), { file: trained, command: 'dafl train <a>' }))
      if (event.event === 'result') ({ reportFailure } = event);
    expect(reportFailure).toBeUndefined();
    const pages = [seeds, trainingFiles(trained).report];
    for (const page of pages)
      for (const view of [views[0], views[3]])
        expect({ page, ...(await findFaults(browser, page, view)) }).toEqual({ page, ...noFaults });
    const { page } = await openFromDisk(browser, seeds, views[0]);
    expect(await page.locator('.tile .what').first().textContent()).toBe('accuracy, the mean');
    await page.getByText('seed 2', { exact: true }).first().click();
    expect(await page.title()).toBe('tiny to tiny-half - dafl');
    await page.context().close();
  });

  test('classifies a picture that is dropped as dafl predict does, a drawing, and its own images', async () => {
    const file = await reportOf('tried', { classes: 4 });
    const run = join(folder, 'tried');
    const [grey, colour] = [1, 3].map((channels) => {
      const data = Uint8Array.from({ length: 20 * 13 * channels }, (_, index) => (index * 89 + channels * 7) % 256);
      const picture = join(folder, `picture-${channels}.png`);
      writeFileSync(picture, encode({ width: 20, height: 13, data, channels, depth: 8 }));
      return picture;
    });
    const { page, requests, errors } = await openFromDisk(browser, file, views[0]);
    await page.locator('#try .try').waitFor();
    const told = async (role: string) => await page.locator(`#try [data-role=${role}] li`).allTextContents();
    expect(await told('student')).toHaveLength(4);
    const models = {
      teacher: await loadModel(join(folder, 'tried-data', 'teacher.safetensors')),
      student: await loadModel(join(run, 'student', 'student.safetensors')),
    };
    for (const picture of [grey, colour]) {
      const before = await told('student');
      await page.locator('#try input[type=file]').setInputFiles(picture);
      await expect.poll(async () => await told('student')).not.toEqual(before);
      for (const [role, { model }] of Object.entries(models)) {
        for await (const { probabilities } of predictImages(model, [picture])) {
          const expected = Array.from(probabilities, (probability, label) => ({ probability, label }))
            .sort((one, other) => other.probability - one.probability)
            .map(({ probability, label }) => `${label}${(probability * 100).toFixed(2)} %`);
          expect(await told(role)).toEqual(expected);
        }
      }
    }
    const before = await told('student');
    const pad = (await page.locator('#try .pad').boundingBox())!;
    await page.mouse.move(pad.x + 60, pad.y + 40);
    await page.mouse.down();
    await page.mouse.move(pad.x + 150, pad.y + 180, { steps: 8 });
    await page.mouse.up();
    await expect.poll(async () => await told('student')).not.toEqual(before);
    const drawn = await told('student');
    await page.locator('#try .sprite-button').nth(1).click();
    await expect.poll(async () => await told('student')).not.toEqual(drawn);
    await page.locator('#try input[type=file]').setInputFiles(join(run, 'run.json'));
    await expect
      .poll(async () => await page.locator('#try .try-status').textContent())
      .toContain('must be a PNG or JPEG file');
    expect({ requests, errors }).toEqual({ requests: [], errors: [] });
    await page.context().close();
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
