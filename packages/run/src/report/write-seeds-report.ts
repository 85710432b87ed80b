import { basename, join } from 'node:path';
import { deviation, mean } from 'd3-array';
import { type MetricsLine, readMetrics } from '../folder/metrics-log.ts';
import { runFolder } from '../folder/run-folder.ts';
import { readRunRecord, type RunRecord } from '../folder/run-record.ts';
import { writeFileAtomically } from '../folder/write-file-atomically.ts';
import { describeComputer } from './describe-computer.ts';
import { escapeHtml } from './escape-html.ts';
import type { LineChart } from './figures/line-chart.ts';
import { formatDuration, percent, stepCount } from './format-figures.ts';
import { publishedFigure } from './published-figure.ts';
import { renderChart } from './render-chart.ts';
import { renderPage } from './render-page.ts';
import { renderFacts, renderTable } from './render-table.ts';
import { renderTiles } from './render-tiles.ts';

/** One of the runs. */
interface SeedRun {
  readonly folder: string;
  readonly record: RunRecord;
  readonly metrics: readonly MetricsLine[];
}

/**
 * Writes one page about runs that differ in their seed only, of the make of a run's report: their spread, their curves in
 * one chart, and links to their own reports.
 *
 * @param folder That the runs' folders lie in.
 * @param runs Their folders.
 * @returns Path of the page.
 */
export async function writeSeedsReport(folder: string, runs: readonly string[]): Promise<string> {
  const found: SeedRun[] = [];
  for (const run of runs) {
    const { record: path, metrics } = runFolder(run);
    const record = await readRunRecord(path);
    if (record !== undefined) found.push({ folder: run, record, metrics: await readMetrics(metrics) });
  }
  const path = join(folder, 'report.html');
  await writeFileAtomically(path, renderSeedsReport(found));
  return path;
}

/** The page. @param runs One at least. */
function renderSeedsReport(runs: readonly SeedRun[]): string {
  const [{ record: first }] = runs;
  const { teacher, student, options, versions, machine, backend, teacherAccuracy } = first;
  const accuracies = runs.flatMap(({ record }) => record.accuracy ?? []);
  const agreements = runs.flatMap(({ record }) => record.agreement ?? []);
  const isAccuracy = accuracies.length === runs.length;
  const values = isAccuracy ? accuracies : agreements;
  const what = isAccuracy ? 'accuracy' : 'agreement on synthetic images (no accuracy)';
  const published = publishedFigure(options);
  const share = (value: number): string => `${Number((value * 100).toFixed(2))} %`;
  const nameOf = ({ record }: SeedRun): string => `seed ${record.options.seed}`;
  const accuracyChart: LineChart = {
    title: 'Accuracy',
    caption: `on ${options.eval ?? 'labelled data'}, for reporting only`,
    xName: 'step',
    yName: 'accuracy',
    lines: runs.map((run) => ({
      name: nameOf(run),
      points: run.metrics.flatMap((line) =>
        line.event === 'evaluation' && line.network === 'student' ? [[line.step, line.accuracy] as const] : [],
      ),
    })),
    style: 'dots',
    references: [
      ...(teacherAccuracy === null ? [] : [{ value: teacherAccuracy, label: `teacher ${share(teacherAccuracy)}` }]),
      ...(published === null ? [] : [{ value: published.accuracy, label: `published ${share(published.accuracy)}` }]),
    ],
    format: share,
    bounds: [0, 1],
  };
  const lossChart: LineChart = {
    title: 'Distillation',
    caption: 'low: the student follows the teacher',
    xName: 'step',
    yName: 'loss',
    lines: runs.map((run) => ({
      name: nameOf(run),
      points: run.metrics.flatMap((line) =>
        line.event === 'step' && line.losses['distillation'] !== undefined
          ? [[line.step, line.losses['distillation']] as const]
          : [],
      ),
    })),
    style: 'trend',
    format: (value) => String(Number(value.toPrecision(3))),
  };
  const spread = deviation(values);
  const show = (value: number | null): string => (value === null ? '-' : percent(value));
  return renderPage({
    title: `${teacher.name} to ${student.name}, ${runs.length} seeds`,
    head: `<div class="state">${runs.length} seeds</div><h1>${escapeHtml(teacher.name)} <span class="to">to</span> ${escapeHtml(student.name)}</h1>
<p class="story">The same distillation from ${runs.length} seeds, by the method <b>${escapeHtml(options.method)}</b>, in ${stepCount(first.step)} each.</p>
${renderTiles([
  ...(values.length === 0 ? [] : [[percent(mean(values)!), `${what}, the mean`] as const]),
  ...(spread === undefined ? [] : [[`± ${(spread * 100).toFixed(2)}`, 'points, standard deviation'] as const]),
  ...(values.length === 0
    ? []
    : [[percent(values.reduce((least, value) => Math.min(least, value), 1)), 'the worst seed'] as const]),
  ...(teacherAccuracy === null ? [] : [[percent(teacherAccuracy), "teacher's accuracy"] as const]),
  [formatDuration(runs.reduce((total, { record }) => total + record.timings.seconds, 0)), 'in all'],
])}`,
    sections: [
      {
        id: 'seeds',
        link: 'Seeds',
        heading: 'Each seed',
        lead: 'A seed leads to the report of its run, beside this page.',
        body: renderTable(
          'The runs',
          ['', 'accuracy', 'agreement', 'verdict', 'time'],
          runs.map((run) => [
            nameOf(run),
            show(run.record.accuracy),
            show(run.record.agreement),
            run.record.verdict?.level ?? '-',
            formatDuration(run.record.timings.seconds),
          ]),
          runs.map(({ folder }) => `${encodeURIComponent(basename(folder))}/report.html`),
        ),
      },
      {
        id: 'curves',
        link: 'Curves',
        heading: 'Curves over the steps',
        body: `<div class="charts">${renderChart(accuracyChart)}${renderChart(lossChart)}</div>`,
      },
      {
        id: 'repeat',
        link: 'Repeat',
        heading: 'Repeat',
        body: `<div class="card">${renderFacts([
          ['Command', 'the report of each seed has the one that repeats it'],
          ['Backend', backend.description],
          ['Machine', describeComputer(machine)],
          ['Software', `dafl ${versions.dafl}, Node ${versions.node}`],
        ])}</div>`,
      },
    ],
    footer: `Written by dafl ${versions.dafl}. Labelled images were used for reporting only: nothing was chosen by them.`,
  });
}
