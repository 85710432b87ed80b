import { extent } from 'd3-array';
import { scaleLinear, scaleLog } from 'd3-scale';
import { line } from 'd3-shape';
import { escapeHtml } from '../escape-html.ts';
import { pick, type Points, smooth, thin } from './decimate.ts';
import type { Figure, HoverSeries } from './figure.ts';
import { seriesCount } from './figure-style.ts';
import { focusRange } from './focus-range.ts';
import { shorten, textWidth } from './text-width.ts';

/** One measure over the steps of one or of several runs. */
export interface LineChart {
  readonly title: string;
  /** What the measure is, in a few words. */
  readonly caption: string;
  readonly xName: string;
  readonly yName: string;
  readonly lines: readonly ChartLine[];
  /** Whether each point is marked and joined, or a trend is drawn over faint points. */
  readonly style: 'dots' | 'trend';
  /** Values to compare with: dashed lines with a label. */
  readonly references?: readonly { readonly value: number; readonly label: string }[];
  readonly format: (value: number) => string;
  /** Of x; default: integers. */
  readonly formatX?: (value: number) => string;
  /** What no value passes, so that the axis does not either. */
  readonly bounds?: readonly [least: number, most: number];
}

/** One run of a chart. */
export interface ChartLine {
  readonly name: string;
  readonly points: Points;
}

const WIDTH = 340;
const PLOT_HEIGHT = 158;
/** Of charts wider than one column. */
const WIDE_PLOT_HEIGHT = 260;
const TOP = 22;
const BOTTOM = 34;
const LEGEND_ROW = 18;
const TICKS = 4;
/** A positive loss that falls further is drawn on a logarithmic axis. */
const MOST_RATIO = 50;

const integer = (value: number): string => value.toLocaleString('en-US');

/**
 * Draws a chart: axes with names, a legend where there is more than one thing to tell apart, values for the pointer.
 *
 * @returns Null if no line has a point.
 */
export function renderLineChart(chart: LineChart, width: number = WIDTH): Figure | null {
  const { style, references = [], format, formatX = integer, xName, yName, bounds } = chart;
  const lines = chart.lines.filter(({ points }) => points.length > 0);
  if (lines.length === 0) return null;
  const drawn = lines.map(({ name, points }) => {
    const shown = style === 'trend' ? thin(points) : pick(points);
    return { name, shown, trend: style === 'trend' ? smooth(shown) : shown };
  });
  const xEnd = lines.reduce((most, { points }) => Math.max(most, points.at(-1)![0]), 0);
  const { y, isLog, isCut } = chooseScale(
    drawn.map(({ shown }) => shown),
    references.map(({ value }) => value),
    bounds,
  );
  const yTicks = isLog ? logarithmicTicks(y.domain() as [number, number]) : y.ticks(TICKS);
  const left = Math.ceil(Math.max(34, ...yTicks.map((tick) => textWidth(format(tick)) + 10)));
  const right = width - 12;
  const plotHeight = width > 1.5 * WIDTH ? WIDE_PLOT_HEIGHT : PLOT_HEIGHT;
  const bottom = TOP + plotHeight;
  y.range([bottom, TOP]);
  const x = scaleLinear()
    .domain([0, Math.max(xEnd, 1e-9)])
    .range([left, right]);
  const draw = line<readonly [number, number]>(
    ([at]) => x(at),
    ([, value]) => y(value),
  ).digits(1);
  const show = (value: number): string => value.toFixed(1);

  const axes = [
    `<text x="0" y="11">${escapeHtml(`${yName}${isLog ? ', log scale' : ''}`)}</text>`,
    `<text class="end" x="${right}" y="${bottom + 31}">${escapeHtml(xName)}</text>`,
    ...yTicks.map(
      (tick) =>
        `<line class="grid" x1="${left}" x2="${right}" y1="${show(y(tick))}" y2="${show(y(tick))}"/>` +
        `<text class="end" x="${left - 6}" y="${show(y(tick) + 4)}">${escapeHtml(format(tick))}</text>`,
    ),
    ...x
      .ticks(TICKS)
      .filter((tick) => formatX !== integer || Number.isInteger(tick))
      .map((tick) => {
        const text = formatX(tick);
        const half = textWidth(text) / 2;
        const place = Math.min(x(tick), width - half - 4);
        return `<text class="middle" x="${show(place)}" y="${bottom + 16}">${escapeHtml(text)}</text>`;
      }),
  ];
  // Of their own view port: what lies outside of the axes is cut.
  const inside: string[] = [];
  drawn.forEach(({ shown, trend }, index) => {
    const colour = index % seriesCount;
    if (style === 'trend') inside.push(`<path class="raw l${colour}" d="${draw(shown)}"/>`);
    inside.push(`<path class="line l${colour}" d="${draw(trend)}"/>`);
    if (style === 'dots' && trend.length <= 40)
      inside.push(
        ...trend.map(
          ([at, value]) =>
            `<circle class="s${colour} outline" stroke-width="1.5" cx="${show(x(at))}" cy="${show(y(value))}" r="3.5"><title>${escapeHtml(`${formatX(at)}: ${format(value)}`)}</title></circle>`,
        ),
      );
    if (trend.length === 1 && style === 'trend')
      inside.push(`<circle class="s${colour}" cx="${show(x(trend[0][0]))}" cy="${show(y(trend[0][1]))}" r="3.5"/>`);
  });
  const margin = 5;
  const view = [left - margin, TOP - margin, right - left + 2 * margin, plotHeight + 2 * margin];
  const plot = `<svg x="${view[0]}" y="${view[1]}" width="${view[2]}" height="${view[3]}" viewBox="${view.join(' ')}">${inside.join('')}</svg>`;
  const marks = labelReferences(references, y, { left, right, bottom }).join('');
  const cut = isCut ? markCut(drawn[0].trend[0], y, format, { left, bottom }) : '';
  const isSmoothed = drawn.some(({ shown, trend }) => shown.some(([, value], place) => value !== trend[place][1]));
  const legend = renderLegend(
    lines.length > 1 ? lines.map(({ name }) => name) : [],
    isSmoothed,
    bottom + BOTTOM,
    width,
  );
  const hover = drawn.map(({ name, trend }): HoverSeries => ({
    name: lines.length > 1 ? name : '',
    points: trend.map(([at, value]) => [
      Number(show(x(at))),
      Number(show(Math.min(bottom, Math.max(TOP, y(value))))),
      `${xName} ${formatX(Math.round(at * 100) / 100)}: ${format(value)}`,
    ]),
  }));
  const ends = drawn.map(({ name, shown }) => `${lines.length > 1 ? `${name} ` : ''}${format(shown.at(-1)![1])}`);
  return {
    title: `${chart.title} over ${formatX(xEnd)} ${xName === 'step' ? 'steps' : xName}, at the end ${shorten(ends.join(', '), 200)}`,
    width,
    height: bottom + BOTTOM + legend.height,
    body: [...axes, plot, marks, cut, legend.body].join(''),
    hover,
  };
}

/** A scale of y, its range still to be set. */
function chooseScale(lines: readonly Points[], references: readonly number[], bounds: LineChart['bounds']) {
  const ranges = lines.map(focusRange);
  const all = lines.map((points) => extent(points, ([, value]) => value) as [number, number]);
  const least = Math.min(...all.map(([low]) => low));
  const most = Math.max(...all.map(([, high]) => high));
  if (bounds === undefined && references.length === 0 && least > 0 && most / least > MOST_RATIO) {
    return { y: scaleLog().domain([least, most]), isLog: true, isCut: false };
  }
  // Of several lines none is cut for the others' sake.
  const isFocused = ranges.every((range) => range.isCut);
  const low = Math.min(isFocused ? Math.min(...ranges.map((range) => range.low)) : least, ...references);
  const high = Math.max(isFocused ? Math.max(...ranges.map((range) => range.high)) : most, ...references);
  const span = high - low || Math.abs(high) * 0.1 || 1;
  const y = scaleLinear()
    .domain(high > low ? [low, high] : [low - span / 2, high + span / 2])
    .nice(TICKS);
  if (bounds !== undefined) {
    const [from, to] = y.domain();
    y.domain([Math.max(bounds[0], from), Math.min(bounds[1], to)]);
  }
  return { y, isLog: false, isCut: lines.length === 1 && ranges[0].isCut && (least < low || most > high) };
}

/** Of the form 1, 2 or 5 times a power of ten, or that power alone where there are many. */
function logarithmicTicks([low, high]: readonly [number, number]): number[] {
  const decades = Math.log10(high / low);
  const factors = decades > 2.5 ? [1] : [1, 2, 5];
  const skip = Math.max(1, Math.round(decades / 5));
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += skip)
    for (const factor of factors) {
      const tick = Number((factor * 10 ** power).toPrecision(1));
      if (tick >= low && tick <= high) ticks.push(tick);
    }
  return ticks;
}

/** Dashed lines; of labels that would meet, the later ones move below their line. */
function labelReferences(
  references: NonNullable<LineChart['references']>,
  y: (value: number) => number,
  { left, right, bottom }: { readonly left: number; readonly right: number; readonly bottom: number },
): string[] {
  const taken: number[] = [];
  return [...references]
    .sort((one, other) => other.value - one.value)
    .map(({ value, label }) => {
      const at = y(value);
      const places = [at - 5, at + 14, at - 19, at + 28].filter((place) => place > TOP - 4 && place < bottom);
      const place = places.find((candidate) => taken.every((other) => Math.abs(other - candidate) > 13)) ?? places[0];
      taken.push(place);
      return (
        `<line class="axis" x1="${left}" x2="${right}" y1="${at.toFixed(1)}" y2="${at.toFixed(1)}"/>` +
        `<text class="end halo" x="${right - 2}" y="${place.toFixed(1)}">${escapeHtml(label)}</text>`
      );
    });
}

/** Says where a line begins whose start is outside of the axes. */
function markCut(
  [, first]: readonly [number, number],
  y: (value: number) => number,
  format: LineChart['format'],
  { left, bottom }: { readonly left: number; readonly bottom: number },
): string {
  const isBelow = y(first) > bottom;
  const at = isBelow ? bottom - 6 : TOP + 10;
  return `<text class="halo" x="${left + 8}" y="${at}">${isBelow ? '↓' : '↑'} starts at ${escapeHtml(format(first))}</text>`;
}

function renderLegend(
  names: readonly string[],
  isSmoothed: boolean,
  top: number,
  width: number,
): { readonly body: string; readonly height: number } {
  const entries = names.map((name, index) => ({ name: shorten(name, 34), colour: index % seriesCount, isRaw: false }));
  const own =
    isSmoothed && names.length === 0
      ? [
          { name: 'mean of its neighbours', colour: 0, isRaw: false },
          { name: 'each step', colour: 0, isRaw: true },
        ]
      : entries;
  let [x, row] = [0, 0];
  const body = own.map(({ name, colour, isRaw }) => {
    const needed = 20 + textWidth(name) + 14;
    if (x > 0 && x + needed > width) [x, row] = [0, row + 1];
    const y = top + row * LEGEND_ROW + 11;
    const entry = `<line class="${isRaw ? 'raw' : 'line'} l${colour}" x1="${x}" x2="${x + 14}" y1="${y - 4}" y2="${y - 4}"/><text x="${(x + 20).toFixed(1)}" y="${y}">${escapeHtml(name)}</text>`;
    x += needed;
    return entry;
  });
  return { body: body.join(''), height: own.length === 0 ? 0 : (row + 1) * LEGEND_ROW };
}
