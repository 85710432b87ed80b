import { createCpuBackend } from '@dafl/backend-cpu';
import type { Model, SamplesEvent } from '@dafl/core';
import { decode } from 'fast-png';
import { expect, test } from 'vitest';
import { tinyImages, tinyTeacher } from '../../../../test-fixtures/tiny-teacher.ts';
import { renderConfusionImage } from './confusion-image.ts';
import { renderCurvesImage } from './curves-image.ts';
import { renderFeaturesImage } from './features-image.ts';
import { renderFilterPanels } from './filters-image.ts';
import { type LineChart, renderLineChart } from './line-chart.ts';
import { projectFeatures } from './project-features.ts';
import { renderTimelineImage, timelineRow } from './timeline-image.ts';

test('a confusion matrix is blue where it is right and red where it is wrong', () => {
  const png = renderConfusionImage([
    [10, 0],
    [5, 5],
  ])!;
  const { width, height, data } = decode(png);
  expect(width).toBe(height);
  const colours = new Set(
    Array.from({ length: width * height }, (_, pixel) => data.slice(pixel * 3, pixel * 3 + 3).join()),
  );
  // All right; half of a row right; half of a row wrong, on the root scale full red.
  for (const colour of ['37,99,235', '220,60,40', '197,212,246']) expect(colours).toContain(colour);
  expect(renderConfusionImage(Array.from({ length: 41 }, () => Array<number>(41).fill(0)))).toBeNull();
});

function samples(step: number, label: number, value: number): SamplesEvent {
  return {
    event: 'samples',
    step,
    height: 4,
    width: 4,
    channels: 1,
    images: new Float32Array(16).fill(value),
    labels: Uint32Array.of(label),
    confidences: Float32Array.of(1),
    classes: 3,
    classCounts: [0, 0, 0],
    perClass: 1,
  };
}

test('curves are drawn two a row, each with its line and its reference', () => {
  const chart: LineChart = {
    title: 'Accuracy',
    caption: 'on test images',
    points: [
      [0, 0.5],
      [10, 1],
    ],
    style: 'dots',
    reference: { value: 0.75, label: 'teacher' },
    format: (value) => `${value * 100} %`,
  };
  const { width, height, data } = decode(renderCurvesImage([chart, chart, { ...chart, reference: undefined }])!);
  expect([width, height]).toEqual([960, 560]);
  const colourAt = (x: number, y: number): string => data.slice((y * width + x) * 3, (y * width + x) * 3 + 3).join();
  // From 0.4 to 1 over 214 pixels: the ends of the line; the reference in the first chart only.
  expect(colourAt(74, 214)).toBe('37,99,235');
  expect(colourAt(463, 37)).toBe('37,99,235');
  expect(colourAt(400, 125)).toBe('220,60,40');
  expect(colourAt(400, 280 + 125)).not.toBe('220,60,40');
  expect(renderCurvesImage([])).toBeNull();
});

test.each(['dots', 'trend'] as const)('a chart of 300,000 points in %s is drawn, and small', (style) => {
  const points = Array.from({ length: 300_000 }, (_, index): [number, number] => [index + 1, Math.sin(index / 1e4)]);
  const chart: LineChart = { title: 'Long', caption: 'run', points, style, format: (value) => value.toFixed(1) };
  expect(decode(renderCurvesImage([chart])!).width).toBe(480);
  const svg = renderLineChart(chart);
  expect(svg).toContain('Long over 300000 steps');
  expect(svg.length).toBeLessThan(40_000);
  expect(svg.includes('<title>step 300000: ')).toBe(style === 'dots');
});

test('filters of networks stand side by side at one scale', () => {
  const teacher = tinyTeacher();
  const { width, height } = decode(
    renderFilterPanels([
      ['Teacher', teacher],
      ['Student', teacher],
    ])!,
  );
  // Four filters of 3x3 with a gap between them are 15 pixels wide, 18 times enlarged.
  expect([width, height]).toEqual([12 + 2 * (280 + 12), 14 + 24 + 12 + 3 * 18]);
  const flat: Model = { graph: { ...teacher.graph, nodes: [] }, weights: new Map() };
  expect(renderFilterPanels([['Teacher', flat]])).toBeNull();
});

test('a timeline has a row for each moment and a column for each class', () => {
  const rows = [samples(10, 0, 0.4), samples(20, 2, 0.8)].map(timelineRow);
  expect(rows.map(({ images }) => images.map((image) => image !== null))).toEqual([
    [true, false, false],
    [false, false, true],
  ]);
  const { width, data } = decode(renderTimelineImage(rows));
  const [first, second] = [102, 204].map((value) => data.indexOf(value));
  expect(Math.floor(second / width) - Math.floor(first / width)).toBe(68);
  expect((second % width) - (first % width)).toBe(2 * 68);
  // 64 x 64 pixels each.
  expect(data.filter((value) => value === 102)).toHaveLength(4096);
});

test('of many moments at most 16 are shown, the last included', () => {
  const rows = Array.from({ length: 40 }, (_, index) => timelineRow(samples(index, 0, index === 39 ? 0.4 : 0.8)));
  const { height, data } = decode(renderTimelineImage(rows));
  expect(Math.floor(height / 68)).toBe(16);
  expect(data).toContain(102);
});

test('features: real images span the plane, generated ones lie in it as squares', async () => {
  const backend = createCpuBackend();
  const real = tinyImages({ count: 30 });
  const generated = {
    ...samples(1, 2, 0),
    height: 8,
    width: 8,
    images: Float32Array.from(real.pixels.subarray(0, 64), (pixel) => pixel / 255),
  };
  const projection = await projectFeatures(backend, tinyTeacher(), real, generated);
  expect(backend.memory().tensors).toBe(0);
  expect(projection.points).toHaveLength(31);
  expect(projection.shownVariance).toBeGreaterThan(0);
  expect(projection.shownVariance).toBeLessThanOrEqual(1);
  // The generated image is the first real one: it lies where that lies.
  const [first, last] = [projection.points[0], projection.points[30]];
  expect(last).toMatchObject({ isGenerated: true, label: 2 });
  expect(last.x).toBeCloseTo(first.x, 4);
  expect(last.y).toBeCloseTo(first.y, 4);
  const { width, height, data } = decode(renderFeaturesImage(projection));
  expect([width, height]).toEqual([640, 640]);
  const outline = Array.from({ length: width * height }, (_, pixel) =>
    data.slice(pixel * 3, pixel * 3 + 3).join(),
  ).filter((colour) => colour === '20,20,24');
  expect(outline).toHaveLength(40);
});
