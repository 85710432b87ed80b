/**
 * What reports are made of: a page, its tables, and drawings.
 *
 * @module
 */
export { describeComputer } from './report/describe-computer.ts';
export { escapeHtml } from './report/escape-html.ts';
export { type DotPlot, renderDotPlot } from './report/figures/dot-plot.ts';
export type { Figure, HoverSeries } from './report/figures/figure.ts';
export { figureDocument } from './report/figures/figure-document.ts';
export { inlineFigure } from './report/figures/inline-figure.ts';
export { type ChartLine, type LineChart, renderLineChart } from './report/figures/line-chart.ts';
export { formatDuration } from './report/format-figures.ts';
export { type Page, type PageSection, renderPage } from './report/render-page.ts';
export { renderFacts, renderTable } from './report/render-table.ts';
export { renderTiles } from './report/render-tiles.ts';
