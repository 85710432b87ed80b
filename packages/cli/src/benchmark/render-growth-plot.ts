import { contestantsOf, type Sweep, sweepDefinitions } from './sweep.ts';
import type { ContestantResult } from './measure-case.ts';

/** One line of a panel. */
interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

interface Panel {
  readonly title: string;
  readonly xLabel: string;
  readonly xs: readonly number[];
  readonly lines: readonly Line[];
}

/** Told apart by most people whatever colours they see (Okabe and Ito, 2008); the shapes of the points help. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#000000', '#e69f00', '#56b4e9', '#7f7f7f'];
const PANEL = { width: 340, height: 250 };
const MARGIN = { top: 30, right: 16, bottom: 44, left: 58 };
const LEGEND_ROW = 22;
const LEGEND_COLUMN = 190;
const PADDING = 12;
const FONT = 'font-family="system-ui, sans-serif" font-size="12"';

/**
 * Draws how the cost of a step grows: for each sweep a panel of milliseconds and, beneath it, one of peak memory. All
 * axes are logarithmic, so that a cost in proportion to a size is a line at 45 degrees in a square, and a gap between two
 * lines that stays the same is a ratio that stays the same.
 *
 * @returns An SVG document of its own.
 */
export function renderGrowthPlot(sweeps: readonly Sweep[]): string {
  const names = [...new Set(sweeps.flatMap(contestantsOf))];
  const measures: readonly { readonly title: string; readonly read: (contestant: ContestantResult) => number }[] = [
    { title: 'ms a step', read: ({ millisecondsPerStep }) => millisecondsPerStep.median },
    { title: 'peak memory, MB', read: ({ peakMemoryBytes }) => peakMemoryBytes / 1e6 },
  ];
  const columns = Math.max(1, Math.min(sweeps.length, 3));
  const legendColumns = Math.max(1, Math.floor((columns * PANEL.width) / LEGEND_COLUMN));
  const legendHeight = Math.ceil(names.length / legendColumns) * LEGEND_ROW + PADDING;
  const panels = Array.from({ length: Math.ceil(sweeps.length / columns) }, (_, row) =>
    sweeps.slice(row * columns, (row + 1) * columns),
  ).flatMap((group, row) =>
    measures.flatMap(({ title, read }, measureIndex) =>
      group.map((sweep, column) => {
        const panel: Panel = {
          title: `${sweep.case.name}: ${title}`,
          xLabel: sweepDefinitions[sweep.name].label,
          xs: sweep.points.map(({ value }) => value),
          lines: contestantsOf(sweep).map((name) => ({
            name,
            points: sweep.points.flatMap(({ value, result }) => {
              const contestant = result.contestants.find((entry) => entry.name === name);
              return contestant === undefined ? [] : [[value, read(contestant)] as const];
            }),
          })),
        };
        const left = PADDING + column * PANEL.width;
        const top = legendHeight + PADDING + (row * measures.length + measureIndex) * PANEL.height;
        return `<g transform="translate(${left} ${top})">${renderPanel(panel, names)}</g>`;
      }),
    ),
  );
  const rows = Math.ceil(sweeps.length / columns) * measures.length;
  const width = columns * PANEL.width + 2 * PADDING;
  const height = legendHeight + rows * PANEL.height + 2 * PADDING;
  const legend = names.map((name, index) => {
    const x = PADDING + MARGIN.left / 2 + (index % legendColumns) * LEGEND_COLUMN;
    const y = PADDING + Math.floor(index / legendColumns) * LEGEND_ROW + LEGEND_ROW / 2;
    const colour = COLOURS[index % COLOURS.length];
    return (
      `<line x1="${x}" x2="${x + 24}" y1="${y}" y2="${y}" stroke="${colour}" stroke-width="2"/>` +
      `${renderMarker(index, x + 12, y)}<text x="${x + 32}" y="${y + 4}">${escapeXml(name)}</text>`
    );
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ${FONT}>`,
    `<title>How the cost of a step grows</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...legend,
    ...panels,
    '</svg>\n',
  ].join('\n');
}

function renderPanel({ title, xLabel, xs, lines }: Panel, names: readonly string[]): string {
  const [left, right] = [MARGIN.left, PANEL.width - MARGIN.right];
  const [top, bottom] = [MARGIN.top, PANEL.height - MARGIN.bottom];
  const ys = lines.flatMap(({ points }) => points.map(([, y]) => y)).filter((y) => y > 0);
  const ticks = logarithmicTicks(Math.min(...ys), Math.max(...ys));
  const [low, high] = [ticks[0] ?? 1, ticks.at(-1) ?? 10];
  const [first, last] = [Math.min(...xs), Math.max(...xs)];
  const toX = (x: number): number =>
    first === last
      ? (left + right) / 2
      : left + PADDING + (Math.log(x / first) / Math.log(last / first)) * (right - left - 2 * PADDING);
  const toY = (y: number): number => bottom - (Math.log(y / low) / Math.log(high / low)) * (bottom - top);
  const round = (value: number): string => value.toFixed(1);
  const grid = ticks.map(
    (y) =>
      `<line x1="${left}" x2="${right}" y1="${round(toY(y))}" y2="${round(toY(y))}" stroke="#e2e2e2"/>` +
      `<text x="${left - 6}" y="${round(toY(y) + 4)}" text-anchor="end" fill="#444444">${y.toLocaleString('en-US')}</text>`,
  );
  const places = xs.map(
    (x) =>
      `<line x1="${round(toX(x))}" x2="${round(toX(x))}" y1="${bottom}" y2="${bottom + 4}" stroke="#444444"/>` +
      `<text x="${round(toX(x))}" y="${bottom + 17}" text-anchor="middle" fill="#444444">${x}</text>`,
  );
  const drawn = lines.map(({ name, points }) => {
    const index = names.indexOf(name);
    const path = points.map(([x, y], place) => `${place === 0 ? 'M' : 'L'}${round(toX(x))} ${round(toY(y))}`).join('');
    const markers = points.map(([x, y]) => renderMarker(index, toX(x), toY(y), `${name} at ${x}: ${y.toPrecision(3)}`));
    return `<path d="${path}" fill="none" stroke="${COLOURS[index % COLOURS.length]}" stroke-width="2"/>${markers.join('')}`;
  });
  return [
    `<text x="${left}" y="${top - 12}" font-weight="bold">${escapeXml(title)}</text>`,
    ...grid,
    `<line x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}" stroke="#444444"/>`,
    ...places,
    `<text x="${(left + right) / 2}" y="${bottom + 36}" text-anchor="middle">${escapeXml(xLabel)}</text>`,
    ...drawn,
  ].join('');
}

function renderMarker(index: number, x: number, y: number, tip?: string): string {
  const fill = COLOURS[index % COLOURS.length];
  const title = tip === undefined ? '' : `<title>${escapeXml(tip)}</title>`;
  const corners = [
    [],
    [-4, -4, 4, -4, 4, 4, -4, 4],
    [0, -5, 5, 4, -5, 4],
    [0, -5, 5, 0, 0, 5, -5, 0],
    [-5, -4, 5, -4, 0, 5],
  ][index % 5];
  if (corners.length === 0)
    return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="4" fill="${fill}">${title}</circle>`;
  const points = corners.map((offset, place) => (offset + (place % 2 === 0 ? x : y)).toFixed(1)).join(' ');
  return `<polygon points="${points}" fill="${fill}">${title}</polygon>`;
}

/** Values of the form 1, 2 or 5 times a power of ten, or that power alone where there are many, around a range. */
function logarithmicTicks(low: number, high: number): number[] {
  if (!(low > 0 && Number.isFinite(high))) return [1, 10];
  const exponents = { first: Math.floor(Math.log10(low)), last: Math.ceil(Math.log10(high)) };
  const factors = Math.log10(high / low) > 2.2 ? [1] : [1, 2, 5];
  const all = Array.from(
    { length: exponents.last - exponents.first + 1 },
    (_, index) => exponents.first + index,
  ).flatMap((exponent) => factors.map((factor) => Number((factor * 10 ** exponent).toPrecision(1))));
  const start = Math.max(
    0,
    all.findLastIndex((tick) => tick <= low),
  );
  const end = all.findIndex((tick) => tick >= high);
  const chosen = all.slice(start, (end === -1 ? all.length : end) + 1);
  return chosen.length > 1 ? chosen : [chosen[0], chosen[0] * 2];
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
