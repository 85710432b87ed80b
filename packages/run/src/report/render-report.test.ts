import { expect, test } from 'vitest';
import { tinyTeacher } from '../../../../test-fixtures/tiny-teacher.ts';
import { parseDistillationOptions } from '../distillation-options.ts';
import { resolveRecipe } from '../resolve-recipe.ts';
import type { MetricsLine } from '../metrics-log.ts';
import type { NetworkRecord, RunRecord } from '../run-record.ts';
import { niceTicks } from './line-chart.ts';
import { type ReportContent, renderReport } from './render-report.ts';

function network(name: string, parameters: number): NetworkRecord {
  return {
    name,
    sha256: 'a'.repeat(64),
    sizeBytes: parameters * 4,
    parameters,
    multiplyAccumulates: parameters * 10,
    inputShape: [8, 8, 1],
    preprocessing: null,
  };
}

function content(changes: Partial<RunRecord> = {}, metrics: MetricsLine[] = []): ReportContent {
  const record: RunRecord = {
    format: 'dafl-run',
    version: 1,
    state: 'finished',
    options: resolveRecipe(parseDistillationOptions({ teacher: 'lenet5-mnist', steps: 20, eval: 'mnist' })).options,
    step: 20,
    teacher: network('big', 4000),
    student: network('small', 1000),
    initialization: 'random',
    versions: { dafl: '0.1.0', node: '24.0.0' },
    backend: { description: 'cpu', reason: 'as asked for' },
    machine: { processor: 'A processor', cores: 2, memoryBytes: 8e9, system: 'linux' },
    timings: {
      startedAt: '2026-01-02T03:04:05.000Z',
      endedAt: '2026-01-02T03:05:05.000Z',
      seconds: 60,
      sessions: 1,
      timeBudgetMs: null,
    },
    peakMemoryBytes: 1e8,
    accuracy: 0.9812,
    teacherAccuracy: 0.993,
    confusion: null,
    agreement: 0.97,
    evaluations: [{ step: 20, accuracy: 0.9812, count: 10_000 }],
    error: null,
    ...changes,
  };
  const model = tinyTeacher();
  return {
    record,
    metrics,
    teacher: model,
    student: model,
    compared: null,
    timelineImage: null,
    features: null,
    confusionImage: null,
    samples: [
      { step: 10, image: Uint8Array.of(1) },
      { step: 20, image: Uint8Array.of(2) },
    ],
  };
}

const steps = Array.from({ length: 20 }, (_, index): MetricsLine => ({
  event: 'step',
  step: index + 1,
  seconds: index,
  losses: { oneHot: 1 / (index + 1), distillation: 2 / (index + 1) },
  studentImages: 8,
}));

test('tells the headline numbers, and shows curves, grids and filters', () => {
  const html = renderReport(
    content({}, [...steps, { event: 'evaluation', step: 20, network: 'student', accuracy: 0.9812, count: 10_000 }]),
  );
  for (const text of [
    '98.12 %',
    '99.30 %',
    '97.00 %',
    '4.0×',
    '1,000',
    '60 s',
    '--config run.json',
    'A processor, 2 cores',
  ]) {
    expect(html).toContain(text);
  }
  expect(html.match(/<svg/g)).toHaveLength(3);
  expect(html.match(/<img [^>]*data-step/g)).toHaveLength(2);
  expect(html.match(/First-layer filters of the/g)).toHaveLength(2);
});

test('needs no other file and no network', () => {
  const html = renderReport(content({}, steps));
  const addresses = [...html.matchAll(/(?:src|href|url)\s*[=(]\s*["']?([^"')\s>]+)/g)].map(([, address]) => address);
  expect(addresses.length).toBeGreaterThan(0);
  for (const address of addresses) expect(address).toMatch(/^data:image\/png;base64,/);
  expect(html).not.toMatch(/https?:|@import/);
});

test('names from model files are text, never markup', () => {
  const evil = '"><script>alert(1)</script>';
  const html = renderReport(
    content({ teacher: network(evil, 10), student: network(evil, 5) }, [
      { event: 'warning', step: 1, code: 'X', message: evil },
    ]),
  );
  expect(html).not.toContain('<script>alert');
  expect(html).toContain('&lt;script&gt;alert(1)');
});

test('without labelled data it says that agreement is no accuracy', () => {
  const html = renderReport(content({ accuracy: null, teacherAccuracy: null, evaluations: [] }, steps));
  expect(html).toContain('agreement on synthetic images (no accuracy)');
  expect(html).toContain('not measured');
});

test('a run without any step has a report', () => {
  expect(renderReport({ ...content({ state: 'interrupted', step: 0 }), student: null, samples: [] })).toContain(
    'interrupted after 0 of 20 steps',
  );
});

test.each([
  [0, 1, [0, 0.25, 0.5, 0.75, 1]],
  [0.57, 0.86, [0.5, 0.6, 0.7, 0.8, 0.9]],
  [-3.4, -2.6, [-3.4, -3.2, -3, -2.8, -2.6]],
  [5, 5, [4, 6]],
  [0, 0, [0, 0.25]],
  [0, 24_000, [0, 10_000, 20_000, 30_000]],
])('round values around %d..%d', (low, high, expected) => {
  expect(niceTicks(low, high)).toEqual(expected);
});
