import { describeModel, type Model } from '@dafl/core';
import type { TrainingRecord } from '../folder/training-record.ts';
import { formatBytes } from '../folder/storage-error.ts';
import { classNames } from './class-names.ts';
import { describeComputer } from './describe-computer.ts';
import { escapeHtml } from './escape-html.ts';
import { renderConfusionFigure } from './figures/confusion-figure.ts';
import type { Points } from './figures/decimate.ts';
import { inlineFigure } from './figures/inline-figure.ts';
import { renderFiltersFigure } from './filters-figure.ts';
import { formatDuration, integer, percent, stepCount } from './format-figures.ts';
import { tryOutScript } from './generated/try-out-script.ts';
import { renderChart } from './render-chart.ts';
import { renderClassBars } from './render-class-bars.ts';
import { type PageSection, renderPage } from './render-page.ts';
import { renderFacts } from './render-table.ts';
import { renderTiles } from './render-tiles.ts';
import { canTryOut, renderTryOut } from './render-try-out.ts';

/** What a training's report is made from. */
export interface TrainingReportContent {
  readonly record: TrainingRecord;
  readonly model: Model;
  /** The model's file. */
  readonly file: Uint8Array;
  /** The loss of each step. */
  readonly losses: Points;
  /** `confusion[truth][predicted]` of the last evaluation; null where none was made. */
  readonly confusion: readonly (readonly number[])[] | null;
}

const MOST_FILE_BYTES = 8e6;

/** One page about a training, of the make of a run's report. */
export function renderTrainingReport({ record, model, file, losses, confusion }: TrainingReportContent): string {
  const { accuracy, evaluation, evaluations, options, steps, seconds, versions, machine } = record;
  const { name, parameters, multiplyAccumulates } = describeModel(model.graph);
  const names = classNames(model.graph);
  const where = `${evaluation.on} images`;
  const sections: PageSection[] = [];
  const canTry = file.length <= MOST_FILE_BYTES && canTryOut(model.graph);
  if (canTry)
    sections.push(
      renderTryOut({ teacher: model.graph, roles: [['student', 'The network']], examples: null, samples: [] }),
    );
  const charts = [
    renderChart({
      title: 'Accuracy',
      caption: `on the ${where}, after each epoch`,
      xName: 'step',
      yName: 'accuracy',
      lines: [{ name, points: evaluations.map((each) => [each.step, each.accuracy]) }],
      style: 'dots',
      format: (value) => `${Number((value * 100).toFixed(2))} %`,
      bounds: [0, 1],
    }),
    renderChart({
      title: 'Loss',
      caption: 'cross-entropy of each batch',
      xName: 'step',
      yName: 'loss',
      lines: [{ name, points: losses }],
      style: 'trend',
      format: (value) => String(Number(value.toPrecision(3))),
    }),
  ].join('');
  sections.push({
    id: 'curves',
    link: 'Curves',
    heading: 'Curves over the steps',
    body: `<div class="charts">${charts}</div>`,
  });
  if (confusion !== null)
    sections.push({
      id: 'classes',
      link: 'Classes',
      heading: 'Class by class',
      lead: `On the ${escapeHtml(where)}.`,
      body: `<div class="pair"><div class="card"><h3>Accuracy of each class</h3>${renderClassBars(confusion, null, names)}</div><div class="card"><h3>Confusion matrix</h3>${inlineFigure(renderConfusionFigure(confusion, names))}</div></div>`,
    });
  const filters = renderFiltersFigure('network', model);
  if (filters !== null)
    sections.push({
      id: 'filters',
      link: 'Filters',
      heading: 'First-layer filters',
      lead: 'Red weights are positive, blue ones negative; filters of three channels are in colour.',
      body: `<div class="card">${inlineFigure(filters.figure)}</div>`,
    });
  const given = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]): [string, string] => [key, Array.isArray(value) ? value.join(', ') : String(value)]);
  sections.push({
    id: 'repeat',
    link: 'Repeat',
    heading: 'Repeat this training',
    body: `<pre>${escapeHtml(record.command)}</pre><div class="card">${renderFacts([
      ['Backend', record.backend],
      ['Machine', describeComputer(machine)],
      ['Software', `dafl ${versions.dafl}, Node ${versions.node}`],
      ['Peak memory', formatBytes(record.peakMemoryBytes)],
      ['SHA-256', record.sha256],
    ])}<details><summary>All ${given.length} options</summary>${renderFacts(given)}</details></div>`,
  });
  return renderPage({
    title: `${name}, trained`,
    head: `<div class="state"><b>finished</b> · seed ${record.seed}</div><h1>${escapeHtml(name)}</h1>
<p class="story">Trained by standard backpropagation on ${escapeHtml(options.data)}, ${integer(options.epochs ?? 0)} epochs. ${names.length} classes.</p>
${renderTiles([
  ...(accuracy === null ? [] : [[percent(accuracy), `on ${integer(evaluation.count)} ${where}`] as const]),
  [integer(parameters), 'parameters'],
  [integer(multiplyAccumulates), 'multiply-accumulates an image'],
  [formatBytes(record.sizeBytes), 'file'],
  [formatDuration(seconds), `for ${stepCount(steps)}`],
])}`,
    sections,
    data: canTry
      ? `<script id="student-file" type="text/plain">${Buffer.from(file).toString('base64')}</script>\n`
      : undefined,
    module: canTry ? tryOutScript : undefined,
    footer: `Written by dafl ${versions.dafl}. The accuracy is that of the last epoch, never of the best one.`,
  });
}
