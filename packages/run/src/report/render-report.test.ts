import { expect, test } from 'vitest';
import { tinyTeacher } from '../../../../test-fixtures/tiny-teacher.ts';
import { parseDistillationOptions } from '../options/distillation-options.ts';
import { resolveRecipe } from '../recipe/resolve-recipe.ts';
import type { MetricsLine } from '../folder/metrics-log.ts';
import type { NetworkRecord, RunRecord } from '../folder/run-record.ts';
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
    studentFile: Uint8Array.of(1, 2, 3),
    features: null,
    teacherConfusion: null,
    examples: null,
    millisecondsPerImage: { teacher: 1.234, student: 0.5 },
    samples: [10, 20].map((step) => ({
      step,
      classes: 3,
      images: [
        { label: 0, confidence: 1, picture: { height: 2, width: 2, channels: 1, data: Uint8Array.of(1, 2, 3, 4) } },
      ],
    })),
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
  const texts = [
    '98.12 %',
    '99.30 %',
    '97.00 %',
    '4.0×',
    '1,000',
    '60 s',
    'dafl distill lenet5-mnist --method procedural --backend auto --seed 0 --steps 20 --eval mnist',
    '--config run.json',
    'A processor, 2 cores',
    'published 98.2 %',
    '1.23 ms',
    '0.5 ms',
    '1.18 points below its teacher',
  ];
  expect(texts.filter((text) => !html.includes(text))).toEqual([]);
  expect(html.match(/<svg viewBox[^>]*data-hover/g)).toHaveLength(3);
  expect(html.match(/<image/g)).toHaveLength(2 + 1 + 2);
  expect(html).toContain('data-steps="[10,20]"');
  expect(html.match(/aria-label="First-layer filters of the (teacher|student)"/g)).toHaveLength(2);
});

test('draws terms that not every step has, as far as there are any', () => {
  const now = steps.map((line, index) =>
    line.event === 'step' && index % 5 === 3 ? { ...line, losses: { ...line.losses, label: 1 } } : line,
  );
  const html = renderReport(content({}, now));
  expect(html.match(/<svg viewBox[^>]*data-hover/g)).toHaveLength(3);
  expect(html).toContain('the teacher sees the class that each image was made for');
});

test('needs no other file and no network', () => {
  // What its scripts ask for, a browser tells (report-in-browser.test.ts): the bundled one names parts that no report uses.
  const html = renderReport(content({}, steps)).replaceAll(/<script[^>]*>[^]*?<\/script>/g, '');
  const addresses = [...html.matchAll(/(?:src|href|url)\s*[=(]\s*["']?([^"')\s>]+)/g)].map(([, address]) => address);
  expect(addresses.length).toBeGreaterThan(0);
  for (const address of addresses)
    expect(address).toMatch(/^(data:image\/png;base64,|data:,|#[\w-]+$|URL\.createObjectURL)/);
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

test('flags stay whole wherever sentences name them', () => {
  const verdict = {
    level: 'poor',
    reasons: ['of few pictures'],
    pictures: 100,
    agreement: 0.5,
    classAgreements: [0.5, 0.5, 0.5],
    clearAgreement: 0.5,
  } as const;
  const message = 'Batches have 8 images, not 256; --batch-size decides otherwise, as does --generator-learning-rate';
  const html = renderReport(
    content({ verdict }, [...steps, { event: 'warning', step: 0, code: 'SMALLER_BATCHES', message }]),
  );
  const flags = [...html.matchAll(/<span class="flag">([^<]*)<\/span>/g)].map(([, flag]) => flag);
  expect(flags).toEqual(expect.arrayContaining(['--steps', '--student', '--batch-size', '--generator-learning-rate']));
  expect(html).toMatch(/\.flag \{ white-space: nowrap; \}/);
});

test('all that was told of a teacher is there, and of what changes the latest', () => {
  const warning = (step: number, code: string, message: string): MetricsLine => ({
    event: 'warning',
    step,
    code,
    message,
  });
  const html = renderReport(
    content({}, [
      warning(0, 'IMPORTED_TEACHER', 'first'),
      warning(0, 'IMPORTED_TEACHER', 'second'),
      warning(5, 'ALIKE_IMAGES', 'early'),
      warning(10, 'ALIKE_IMAGES', 'late'),
    ]),
  );
  expect(html.match(/<li>Step[^<]*/g)).toEqual(['<li>Step 0: first', '<li>Step 0: second', '<li>Step 10: late']);
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
