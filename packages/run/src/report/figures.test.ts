import { createCpuBackend } from '@dafl/backend-cpu';
import { inheritWeights, type Model, type SamplesEvent, shrink } from '@dafl/core';
import { decode } from 'fast-png';
import { describe, expect, test } from 'vitest';
import { tinyImages, tinyTeacher } from '../../../../test-fixtures/tiny-teacher.ts';
import type { StoredSamples } from './samples-image.ts';
import { collectExamples } from './collect-examples.ts';
import { renderConfusionFigure } from './figures/confusion-figure.ts';
import { renderFeaturesFigure } from './figures/features-figure.ts';
import { figureDocument } from './figures/figure-document.ts';
import { focusRange } from './figures/focus-range.ts';
import { type LineChart, renderLineChart } from './figures/line-chart.ts';
import { fitPicture, pictureOf } from './figures/picture.ts';
import { filterOrigins } from './filter-origins.ts';
import { renderFiltersFigure } from './filters-figure.ts';
import { projectFeatures } from './project-features.ts';
import { renderFrequentMistakes } from './render-frequent-mistakes.ts';
import { renderSamplesFigure } from './samples-figure.ts';
import { renderTimelineFigure } from './timeline-figure.ts';

const count = (text: string, part: RegExp): number => text.match(part)?.length ?? 0;
const names = (classes: number): string[] => Array.from({ length: classes }, (_, label) => `class ${label}`);

describe('a line chart', () => {
  const chart: LineChart = {
    title: 'Accuracy',
    caption: 'on test images',
    xName: 'step',
    yName: 'accuracy',
    lines: [
      {
        name: 'student',
        points: [
          [0, 0.5],
          [10, 1],
        ],
      },
    ],
    style: 'dots',
    references: [{ value: 0.75, label: 'teacher' }],
    format: (value) => `${Math.round(value * 100)} %`,
    bounds: [0, 1],
  };

  test('has axes with names, its references by name, and the values of its points', () => {
    const { body, hover, title } = renderLineChart(chart)!;
    for (const text of ['>accuracy<', '>step<', '>teacher<', '<title>0: 50 %', '<title>10: 100 %'])
      expect(body).toContain(text);
    expect(hover![0].points.map(([, , text]) => text)).toEqual(['step 0: 50 %', 'step 10: 100 %']);
    expect(title).toBe('Accuracy over 10 steps, at the end 100 %');
    expect(renderLineChart({ ...chart, lines: [] })).toBeNull();
  });

  test('of several lines has a legend, and hover values that name the line', () => {
    const lines = [chart.lines[0], { name: 'another <b>', points: chart.lines[0].points }];
    const { body, hover } = renderLineChart({ ...chart, lines })!;
    expect(body).toContain('>student<');
    expect(body).toContain('another &lt;b&gt;');
    expect(hover!.map(({ name }) => name)).toEqual(['student', 'another <b>']);
  });

  test.each(['dots', 'trend'] as const)('of 300,000 points in %s is drawn, and small', (style) => {
    const points = Array.from({ length: 300_000 }, (_, index): [number, number] => [index + 1, Math.sin(index / 1e4)]);
    const figure = renderLineChart({ ...chart, bounds: undefined, lines: [{ name: 'long', points }], style })!;
    expect(figure.title).toContain('over 300,000 steps');
    expect(JSON.stringify(figure).length).toBeLessThan(60_000);
  });

  test.each([
    ['of one point', [[1, 0.3]]],
    [
      'of a constant',
      [
        [1, 0],
        [2, 0],
        [3, 0],
      ],
    ],
    [
      'below zero',
      [
        [1, -2],
        [2, -1],
      ],
    ],
    [
      'over many powers of ten',
      [
        [1, 1e6],
        [2, 10],
        [3, 1e-3],
      ],
    ],
  ] as const)('%s has finite places', (_, points) => {
    for (const style of ['dots', 'trend'] as const) {
      const { body } = renderLineChart({
        ...chart,
        lines: [{ name: 'a', points }],
        references: [],
        bounds: undefined,
        style,
      })!;
      expect(body).not.toMatch(/NaN|Infinity/);
      expect(count(body, /class="grid"/g)).toBeGreaterThan(1);
    }
  });

  test('does not flatten what comes after a steep start, and says where the line begins', () => {
    const points = Array.from({ length: 50 }, (_, step): [number, number] => [step, 0.98 + step / 5000]);
    const { body } = renderLineChart({
      ...chart,
      references: [],
      lines: [{ name: 'a', points: [[0, 0.1], ...points.slice(1)] }],
    })!;
    expect(body).toContain('↓ starts at 10 %');
    const heights = [...body.matchAll(/cy="([\d.-]+)"/g)].map(([, y]) => Number(y));
    expect(heights).toEqual([]);
    const few = renderLineChart({
      ...chart,
      references: [],
      lines: [{ name: 'a', points: [[0, 0.1], ...points.slice(1, 30)] }],
    })!;
    const places = [...few.body.matchAll(/cy="([\d.-]+)"/g)].map(([, y]) => Number(y));
    expect(places[1] - places.at(-1)!).toBeGreaterThan(70);
  });
});

test('a focus ignores a start that would press the rest flat, and nothing else', () => {
  const steady = Array.from({ length: 40 }, (_, index): [number, number] => [index, index]);
  expect(focusRange(steady)).toEqual({ low: 0, high: 39, isCut: false });
  const steep: [number, number][] = [[0, 1000], ...steady.slice(1)];
  expect(focusRange(steep)).toMatchObject({ isCut: true });
  expect(focusRange(steep).high).toBeLessThan(60);
  expect(
    focusRange([
      [0, 5],
      [1, 0],
      [2, 0],
    ]),
  ).toEqual({ low: 0, high: 5, isCut: false });
});

describe('a confusion matrix', () => {
  test('of few classes has names, counts, and tells what was taken for what', () => {
    const { body } = renderConfusionFigure(
      [
        [10, 0],
        [5, 5],
      ],
      ['cat & co', 'a very long name of a dog'],
    );
    expect(body).toContain('cat &amp; co taken for cat &amp; co: 10 of 10');
    expect(body).toContain('a very long name of a dog taken for cat &amp; co: 5 of 10');
    expect(body).toContain('a very long n…');
    // All right; half of a row right; half of a row wrong, on the root scale full.
    expect(
      [...body.matchAll(/class="(goodmark|badmark)" fill-opacity="([\d.]+)"/g)].map(([, kind, strength]) => [
        kind,
        strength,
      ]),
    ).toEqual([
      ['goodmark', '1.00'],
      ['badmark', '1.00'],
      ['goodmark', '0.25'],
    ]);
  });

  test.each([21, 100, 1000])('of %i classes is a picture that tells its mistakes to the pointer', (classes) => {
    const confusion = Array.from({ length: classes }, (_, truth) =>
      Array.from({ length: classes }, (__, predicted) =>
        predicted === truth ? 9 : predicted === (truth + 1) % classes ? 1 : 0,
      ),
    );
    const { body, hover, width } = renderConfusionFigure(confusion, names(classes));
    const png = decode(Buffer.from(/base64,([^"]+)/.exec(body)![1], 'base64'));
    expect([png.width, png.height]).toEqual([classes, classes]);
    expect([...png.data.subarray(0, 3)]).toEqual([34, 87, 214]);
    // No mistake: nothing is drawn, so that the page's own colour shows.
    expect(png.data[2 * 4 + 3]).toBe(0);
    expect(hover![0].points).toHaveLength(classes);
    expect(hover![0].points[0][2]).toBe('class 0 taken for class 1: 1 of 10');
    expect(width).toBeLessThan(700);
  });
});

function stored(step: number, labels: readonly number[], value = 100): StoredSamples {
  return {
    step,
    classes: 3,
    images: labels.map((label) => ({
      label,
      confidence: 0.5,
      picture: { height: 4, width: 4, channels: 1, data: new Uint8Array(16).fill(value) },
    })),
  };
}

test('a timeline has a row for each moment and a column for each class, by their names', () => {
  const { body } = renderTimelineFigure([stored(10, [0]), stored(2000, [0, 2])], ['cat', 'dog', 'eel'])!;
  for (const name of ['>10<', '>2,000<', '>cat<', '>dog<', '>eel<']) expect(body).toContain(name);
  const { data, width } = decode(Buffer.from(/base64,([^"]+)/.exec(body)![1], 'base64'));
  const isDrawn = (row: number, column: number): boolean => data[(row * 5 * width + column * 5) * 2 + 1] === 255;
  expect([isDrawn(0, 0), isDrawn(0, 1), isDrawn(0, 2)]).toEqual([true, false, false]);
  expect([isDrawn(1, 0), isDrawn(1, 1), isDrawn(1, 2)]).toEqual([true, false, true]);
  expect(renderTimelineFigure([stored(10, [0])], ['cat', 'dog', 'eel'])).toBeNull();
});

test('of many classes those are shown that have images', () => {
  const { body } = renderTimelineFigure([stored(10, [3, 90]), stored(20, [90])], names(100))!;
  const shown = [...body.matchAll(/<title>class (\d+)</g)].map(([, label]) => Number(label));
  expect(shown).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 90]);
});

test('names that are wider than their columns stand upright', () => {
  const moments = [stored(10, [0]), stored(20, [1])];
  expect(renderTimelineFigure(moments, ['cat', 'dog'])!.body).not.toContain('rotate');
  expect(count(renderTimelineFigure(moments, ['cat', 'aquarium fish'])!.body, /rotate\(-90\)">/g)).toBe(2);
});

test('of many moments at most 16 are shown, the last included', () => {
  const { body } = renderTimelineFigure(
    Array.from({ length: 40 }, (_, step) => stored(step, [0])),
    names(3),
  )!;
  expect(count(body, /class="end ink"/g)).toBe(16);
  expect(body).toContain('>39<');
});

test.each([2, 12, 13, 100, 1000])(
  'samples of %i classes are shown with their names, a frame for each moment',
  (classes) => {
    const all = Array.from({ length: Math.min(100, classes) }, (_, label) => label);
    const { body, width } = renderSamplesFigure([stored(1, all), stored(2, all)], names(classes))!;
    expect(count(body, /<image/g)).toBe(2);
    expect(count(body, /<image [^>]*display="none"/g)).toBe(1);
    expect(body).toContain('class 1');
    expect(width).toBeLessThanOrEqual(700);
  },
);

test('filters have numbers, and those of a student tell which of the teacher they began as', () => {
  const teacher = tinyTeacher();
  const student = inheritWeights(teacher, shrink(teacher.graph, 0.5));
  const origins = filterOrigins({ initialization: 'teacher' }, teacher, student)!;
  const { filters, figure } = renderFiltersFigure('Student', student, origins)!;
  const ofTeacher = renderFiltersFigure('Teacher', teacher)!.filters;
  expect(origins).toHaveLength(2);
  // Nothing was trained: they are the same weights.
  origins.forEach((origin, index) => expect(filters.weights[index]).toEqual(ofTeacher.weights[origin]));
  origins.forEach((origin) => expect(figure.body).toContain(`>was ${origin + 1}<`));
  expect(filterOrigins({ initialization: 'random' }, teacher, student)).toBeUndefined();
  const flat: Model = { graph: { ...teacher.graph, nodes: [] }, weights: new Map() };
  expect(renderFiltersFigure('Teacher', flat)).toBeNull();
});

test('filters of three channels are in colour, of others nothing is drawn for 0', () => {
  const channelsOf = (model: Model) => renderFiltersFigure('Teacher', model)!.filters.pictures[0].data;
  const colour = channelsOf(tinyTeacher({ channels: 3 }));
  expect(colour[3]).toBe(255);
  const teacher = tinyTeacher({ channels: 2 });
  teacher.weights.get('conv.kernel')!.data.fill(0, 0, 8);
  expect(channelsOf(teacher)[3]).toBe(0);
});

test('large pictures become smaller, by means; small ones stay', () => {
  const picture = pictureOf(Float32Array.of(0, 1, 0.2, 0.4), 0, { height: 2, width: 2, channels: 1 });
  expect(fitPicture(picture, 2)).toBe(picture);
  expect([...fitPicture(picture, 1).data]).toEqual([Math.round((0 + 255 + 51 + 102) / 4)]);
});

test('features: real images span the plane, generated ones lie in it', async () => {
  const backend = createCpuBackend();
  const real = tinyImages({ count: 30 });
  const generated: SamplesEvent = {
    event: 'samples',
    step: 1,
    height: 8,
    width: 8,
    channels: 1,
    images: Float32Array.from(real.pixels.subarray(0, 64), (pixel) => pixel / 255),
    labels: Uint32Array.of(2),
    confidences: Float32Array.of(1),
    classes: 3,
    classCounts: [0, 0, 1],
    perClass: 1,
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
  const { body } = renderFeaturesFigure(projection, ['cat', 'dog', 'eel']);
  expect(count(body, /<circle [^>]*r="3"/g)).toBe(30);
  for (const name of ['>cat<', '>dog<', '>eel<', '>real image<']) expect(body).toContain(name);
  // Of many classes colours would not tell them apart: the list above does.
  const many = renderFeaturesFigure(projection, names(100)).body;
  expect(many).not.toContain('>class 5<');
  // What the legend shows is what stands in the plane.
  expect(count(many, /<rect class="s0 outline"/g)).toBe(2);
});

test('where images lie class by class, those that are looked at are of all classes', async () => {
  const backend = createCpuBackend();
  const images = tinyImages({ count: 900 });
  const labels = images.labels!.toSorted();
  const generated = { images: new Float32Array(), labels: new Uint32Array() } as unknown as SamplesEvent;
  const { points } = await projectFeatures(backend, tinyTeacher(), { ...images, labels }, generated);
  for (const label of [0, 1, 2]) expect(points.filter((point) => point.label === label).length).toBeGreaterThan(100);
  const student = inheritWeights(tinyTeacher(), shrink(tinyTeacher().graph, 0.5));
  const examples = { teacher: tinyTeacher(), student, images: { ...images, labels }, deadlineMs: 0 };
  const { mistakes } = await collectExamples(backend, examples);
  expect(new Set(mistakes.map(({ truth }) => truth)).size).toBeGreaterThan(1);
});

test('the most frequent mistakes of many classes are told in words', () => {
  const confusion = Array.from({ length: 30 }, (_, truth) =>
    Array.from({ length: 30 }, (__, other) => +(truth === other)),
  );
  confusion[3][5] = 9;
  confusion[4][6] = 11;
  const told = renderFrequentMistakes(confusion, names(30));
  expect([...told.matchAll(/row">([^<]*)<[^>]*><td>([^<]*)</g)].map(([, what, often]) => [what, often])).toEqual([
    ['class 4 taken for class 6', '11 of 12'],
    ['class 3 taken for class 5', '9 of 10'],
  ]);
  expect(renderFrequentMistakes(confusion.slice(0, 20), names(30))).toBe('');
});

test('mistakes are those of the student, with what the teacher says; the surest come first', async () => {
  const backend = createCpuBackend();
  const images = tinyImages({ count: 60 });
  const teacher = tinyTeacher();
  const student = inheritWeights(teacher, shrink(teacher.graph, 0.5));
  const { mistakes, looked, ofClass } = await collectExamples(backend, { teacher, student, images, deadlineMs: 0 });
  expect(backend.memory().tensors).toBe(0);
  expect(looked).toBe(60);
  expect(mistakes.length).toBeGreaterThan(0);
  for (const { truth, student: said, teacher: other } of mistakes) {
    expect(said.label).not.toBe(truth);
    expect(other).not.toBeNull();
  }
  const sure = mistakes.map(({ student: { probability } }) => probability);
  expect(sure).toEqual([...sure].sort((one, other) => other - one));
  ofClass.forEach((pictures) => expect(pictures.length).toBeLessThanOrEqual(8));
});

test('a figure is a file of its own, in light and dark', () => {
  const file = figureDocument({ title: 'A & B', width: 10, height: 10, body: '<text>x</text>' });
  expect(file).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" viewBox="-14 -14 38 38"/);
  expect(file).toContain('<title>A &amp; B</title>');
  expect(file).toContain('prefers-color-scheme:dark');
});
