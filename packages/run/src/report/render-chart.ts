import { escapeHtml } from './escape-html.ts';
import { inlineFigure } from './figures/inline-figure.ts';
import { type LineChart, renderLineChart } from './figures/line-chart.ts';

/** A chart within a page: its heading, its last value, the drawing. Nothing where it has no point. */
export function renderChart(chart: LineChart): string {
  const figure = renderLineChart(chart);
  if (figure === null) return '';
  const last = chart.lines.length === 1 ? chart.lines[0].points.at(-1) : undefined;
  const now = last === undefined ? '' : `<b class="now">${escapeHtml(chart.format(last[1]))}</b>`;
  return `<figure class="card chart"><figcaption><strong>${escapeHtml(chart.title)}</strong>${now}<span>${escapeHtml(chart.caption)}</span></figcaption>${inlineFigure(figure)}</figure>`;
}
