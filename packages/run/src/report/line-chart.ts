import { escapeHtml } from './escape-html.ts';

/** One measure over the steps of a run. */
export interface LineChart {
  readonly title: string;
  /** What the measure is, in a few words. */
  readonly caption: string;
  /** In the order of their x. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Whether each point is marked and joined, or a trend is drawn over faint points. */
  readonly style: 'dots' | 'trend';
  /** A value to compare with: a dashed line with a label. */
  readonly reference?: { readonly value: number; readonly label: string };
  readonly format: (value: number) => string;
}

const WIDTH = 380;
const HEIGHT = 210;
const MARGIN = { top: 12, right: 14, bottom: 28, left: 50 };
const MOST_POINTS = 240;
const TICKS = 4;

/** Draws a chart as inline SVG. Colours are the page's CSS variables. */
export function renderLineChart(chart: LineChart): string {
  const { title, caption, points, style, reference, format } = chart;
  const last = points.at(-1);
  const heading = `<figcaption><strong>${escapeHtml(title)}</strong><span>${escapeHtml(caption)}</span></figcaption>`;
  if (last === undefined) return '';
  const { lowest, highest, xEnd } = measureChart(chart);
  const yTicks = niceTicks(lowest, highest);
  const xTicks = niceTicks(0, xEnd).filter((x) => x <= xEnd && Number.isInteger(x));
  const [low, high] = [yTicks[0], yTicks.at(-1)!];
  const toX = (x: number): number => MARGIN.left + (x / Math.max(1, xEnd)) * (WIDTH - MARGIN.left - MARGIN.right);
  const toY = (y: number): number =>
    HEIGHT - MARGIN.bottom - ((y - low) / (high - low)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const path = (line: readonly (readonly [number, number])[]): string =>
    line.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${toX(x).toFixed(1)} ${toY(y).toFixed(1)}`).join('');

  const right = WIDTH - MARGIN.right;
  const parts = [
    ...yTicks.map(
      (y) =>
        `<line class="grid" x1="${MARGIN.left}" x2="${right}" y1="${toY(y).toFixed(1)}" y2="${toY(y).toFixed(1)}"/>` +
        `<text x="${MARGIN.left - 7}" y="${(toY(y) + 3.5).toFixed(1)}" text-anchor="end">${escapeHtml(format(y))}</text>`,
    ),
    ...xTicks.map(
      (x) =>
        `<text x="${toX(x).toFixed(1)}" y="${HEIGHT - 9}" text-anchor="middle">${x.toLocaleString('en-US')}</text>`,
    ),
  ];
  if (reference !== undefined) {
    const y = toY(reference.value);
    const below = y < MARGIN.top + 16;
    parts.push(
      `<line class="reference" x1="${MARGIN.left}" x2="${right}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}"/>`,
      `<text class="reference" x="${MARGIN.left + 6}" y="${(y + (below ? 13 : -5)).toFixed(1)}">${escapeHtml(reference.label)}</text>`,
    );
  }
  if (style === 'trend') {
    const drawn = thin(points);
    parts.push(`<path class="raw" d="${path(drawn)}"/>`, `<path class="line" d="${path(smooth(drawn))}"/>`);
  } else {
    const drawn = pick(points);
    parts.push(`<path class="line" d="${path(drawn)}"/>`);
    parts.push(
      ...drawn.map(
        ([x, y]) =>
          `<circle cx="${toX(x).toFixed(1)}" cy="${toY(y).toFixed(1)}" r="3"><title>step ${x}: ${escapeHtml(format(y))}</title></circle>`,
      ),
    );
  }
  const label = `${title} over ${xEnd} steps, at the end ${format(last[1])}`;
  return `<figure class="chart">${heading}<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(label)}">${parts.join('')}</svg></figure>`;
}

/** What a chart's axes must hold, whatever the number of its points. */
export function measureChart({ points, reference }: LineChart): { lowest: number; highest: number; xEnd: number } {
  const first = reference?.value;
  return points.reduce(
    ({ lowest, highest, xEnd }, [x, y]) => ({
      lowest: Math.min(lowest, y),
      highest: Math.max(highest, y),
      xEnd: Math.max(xEnd, x),
    }),
    { lowest: first ?? Infinity, highest: first ?? -Infinity, xEnd: -Infinity },
  );
}

/** At most `MOST_POINTS` of the points, evenly chosen, the last included. */
export function pick(points: LineChart['points']): LineChart['points'] {
  const count = Math.min(points.length, MOST_POINTS);
  return Array.from({ length: count }, (_, index) => points[Math.ceil(((index + 1) * points.length) / count) - 1]);
}

/** At most `MOST_POINTS` points, each the mean of its neighbours. */
export function thin(points: LineChart['points']): LineChart['points'] {
  const size = Math.ceil(points.length / MOST_POINTS);
  if (size <= 1) return points;
  return Array.from({ length: Math.ceil(points.length / size) }, (_, index) => {
    const group = points.slice(index * size, (index + 1) * size);
    const mean = (axis: 0 | 1) => group.reduce((total, point) => total + point[axis], 0) / group.length;
    return [mean(0), mean(1)] as const;
  });
}

/** A centred moving average over about a twentieth of the line. */
export function smooth(points: LineChart['points']): LineChart['points'] {
  const radius = Math.floor(points.length / 40);
  return points.map(([x], index) => {
    const reach = Math.min(radius, index, points.length - 1 - index);
    const near = points.slice(index - reach, index + reach + 1);
    return [x, near.reduce((total, [, y]) => total + y, 0) / near.length] as const;
  });
}

/** Round values that enclose a range: multiples of 1, 2 or 5 times a power of ten. */
export function niceTicks(low: number, high: number): number[] {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999)!;
  const first = Math.floor(low / step + 1e-9);
  let last = Math.ceil(high / step - 1e-9);
  if (last === first) last++;
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}
