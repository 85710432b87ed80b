import { scaleLinear } from 'd3-scale';
import { escapeHtml } from '../escape-html.ts';
import type { Figure } from './figure.ts';
import { shorten, textWidth } from './text-width.ts';

/** Values of several kinds, a row for each name. */
export interface DotPlot {
  readonly title: string;
  readonly series: readonly string[];
  /** Null where there is no value. */
  readonly rows: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
  readonly format: (value: number) => string;
  /** What no value passes. */
  readonly most: number;
}

const WIDTH = 860;
const LEFT = 330;
const RIGHT = 24;
const ROW = 25;
const TOP = 34;
/** The first ones are what the others are compared with. */
const TICKS = 2;
const COLOURS = [7, 2, 0, 1];

/** Draws a dot plot: what is compared with as ticks, the rest as dots, with a legend. */
export function renderDotPlot({ title, series, rows, format, most }: DotPlot): Figure {
  const values = rows.flatMap((row) => row.values.filter((value) => value !== null));
  const least = values.reduce((low, value) => Math.min(low, value), most);
  const bottom = TOP + rows.length * ROW;
  const x = scaleLinear()
    .domain([least, most])
    .range([LEFT, WIDTH - RIGHT])
    .nice(5);
  const mark = (index: number, at: number, y: number): string => {
    const colour = COLOURS[index % COLOURS.length];
    return index < TICKS
      ? `<rect class="s${colour}" x="${(at - 1.5).toFixed(1)}" y="${y - 8}" width="3" height="16"/>`
      : `<circle class="s${colour}" cx="${at.toFixed(1)}" cy="${y}" r="5"/>`;
  };
  let left = LEFT;
  const legend = series.map((name, index) => {
    const entry = `${mark(index, left + 6, 12)}<text x="${left + 18}" y="16">${escapeHtml(name)}</text>`;
    left += Math.ceil(textWidth(name)) + 40;
    return entry;
  });
  const grid = x
    .ticks(5)
    .map(
      (tick) =>
        `<line class="grid" x1="${x(tick).toFixed(1)}" x2="${x(tick).toFixed(1)}" y1="${TOP}" y2="${bottom}"/><text class="middle" x="${x(tick).toFixed(1)}" y="${bottom + 18}">${escapeHtml(format(tick))}</text>`,
    );
  const drawn = rows.map(({ name, values: own }, row) => {
    const y = TOP + row * ROW + ROW / 2;
    const marks = own.map((value, index) =>
      value === null
        ? ''
        : `<g><title>${escapeHtml(`${series[index]}: ${format(value)}`)}</title>${mark(index, x(value), y)}</g>`,
    );
    return `<text class="end ink" x="${LEFT - 12}" y="${y + 4}"><title>${escapeHtml(name)}</title>${escapeHtml(shorten(name, 46))}</text>${marks.join('')}`;
  });
  return { title, width: WIDTH, height: bottom + 28, body: [...grid, ...legend, ...drawn].join('') };
}
