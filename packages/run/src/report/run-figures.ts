import { describeClassifier, type Model } from '@dafl/core';
import type { FigureName } from '../folder/run-folder.ts';
import { classNames } from './class-names.ts';
import { curveCharts } from './curve-charts.ts';
import { renderConfusionFigure } from './figures/confusion-figure.ts';
import { renderFeaturesFigure } from './figures/features-figure.ts';
import type { Figure } from './figures/figure.ts';
import { figureDocument } from './figures/figure-document.ts';
import { renderLineChart } from './figures/line-chart.ts';
import { stackFigures } from './figures/stack-figures.ts';
import { filterOrigins } from './filter-origins.ts';
import { renderFiltersFigure } from './filters-figure.ts';
import type { ReportContent } from './render-report.ts';
import { renderTimelineFigure } from './timeline-figure.ts';

/** The drawings of a report as SVG files, for slides and papers; null where there is nothing to show. */
export function runFigures(content: ReportContent): Readonly<Record<FigureName, string | null>> {
  const { record, metrics, teacher, student, compared, samples, features } = content;
  const names = classNames(teacher.graph);
  const charts = curveCharts(record, metrics, describeClassifier(teacher.graph)).flatMap((chart) => {
    const figure = renderLineChart(chart);
    return figure === null ? [] : [[chart.title, figure] as const];
  });
  const networks: readonly (readonly [string, Model | null])[] = [
    ['Teacher', teacher],
    ['Student', student],
    ['Compared', compared],
  ];
  const filters = networks.flatMap(([role, model]) => {
    if (model === null) return [];
    const origins = role === 'Student' ? filterOrigins(record, teacher, model) : undefined;
    const drawn = renderFiltersFigure(role, model, origins);
    return drawn === null ? [] : [[role, drawn.figure] as const];
  });
  const write = (figure: Figure | null): string | null => (figure === null ? null : figureDocument(figure));
  return {
    curves: write(stackFigures('Curves of the run', charts, 2)),
    timeline: write(renderTimelineFigure(samples, names)),
    confusion: write(record.confusion === null ? null : renderConfusionFigure(record.confusion, names)),
    features: write(features === null ? null : renderFeaturesFigure(features, names)),
    filters: write(stackFigures('First-layer filters', filters, 3)),
  };
}
