import { expect, test } from 'vitest';
import { fakeTerminal } from '../_fake-terminal.ts';
import { fakeCaseResult } from './_fake-case-result.ts';
import { renderGrowthPlot } from './render-growth-plot.ts';
import { renderSweep, type Sweep } from './sweep.ts';

const point = (value: number, milliseconds: Record<string, number[]>) => ({
  value,
  result: fakeCaseResult({ batchSize: value }, milliseconds),
});
const sweep: Sweep = {
  name: 'batch',
  case: fakeCaseResult({}, {}).case,
  points: [
    point(64, { wasm: [10], pytorch: [20] }),
    point(128, { wasm: [20], pytorch: [40] }),
    // Too large for one of them.
    point(256, { wasm: [40] }),
  ],
};

const count = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length;

test('draws a line for each contestant and a mark for each point, for time and for memory', () => {
  const svg = renderGrowthPlot([sweep, { ...sweep, name: 'width' }]);
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 \d+ \d+"/);
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  // Two sweeps, two measures, two contestants.
  expect(count(svg, /<path /g)).toBe(2 * 2 * 2);
  expect(count(svg, /<title>wasm at /g)).toBe(2 * 2 * 3);
  expect(count(svg, /<title>pytorch at /g)).toBe(2 * 2 * 2);
  expect(count(svg, />fast: ms a step</g)).toBe(2);
  expect(count(svg, />fast: peak memory, MB</g)).toBe(2);
  expect(svg).toContain('<title>wasm at 256: 40.0</title>');
  const opened = count(svg, /<(?!\/|\?)[a-z]+[^>]*(?<!\/)>/g);
  expect(opened).toBe(count(svg, /<\/[a-z]+>/g));
});

test('time in proportion to the size falls on a straight line', () => {
  const [, path] = /<path d="([^"]+)"/.exec(renderGrowthPlot([sweep])) ?? [];
  const [[x1, y1], [x2, y2], [x3, y3]] = path
    .split(/[ML]/)
    .slice(1)
    .map((pair) => pair.split(' ').map(Number));
  expect((y2 - y1) / (x2 - x1)).toBeCloseTo((y3 - y2) / (x3 - x2), 2);
  expect(y2).toBeLessThan(y1);
});

test('names with special characters do not break it, and a sweep of nobody is drawn as well', () => {
  expect(renderGrowthPlot([{ ...sweep, points: [point(64, { 'a<b>&"c': [1] })] }])).toContain('a&lt;b&gt;&amp;&quot;c');
  expect(renderGrowthPlot([{ ...sweep, points: [point(64, {})] }])).not.toMatch(/NaN|Infinity|undefined/);
});

test('the same as a table', () => {
  const missing = { ...sweep.points[2].result, unavailable: [{ name: 'pytorch', reason: 'out of memory' }] };
  const points = [...sweep.points.slice(0, 2), { value: 256, result: missing }];
  expect(`\n${renderSweep({ ...sweep, points }, fakeTerminal())}`).toMatchInlineSnapshot(`
    "
    How the fast step grows with the batch

      milliseconds
      batch  wasm  pytorch
         64  10.0     20.0
        128  20.0     40.0
        256  40.0        -

      peak memory
      batch    wasm  pytorch
         64  250 MB   250 MB
        128  250 MB   250 MB
        256  250 MB        -

      pytorch is missing at 256: out of memory
    "
  `);
});
