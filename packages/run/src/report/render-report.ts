import { describeVerdict } from '../describe-verdict.ts';
import { describeClassifier, type Model } from '@dafl/core';
import { dataUse } from '../data-use.ts';
import { endOf } from '../end-of.ts';
import type { MetricsLine } from '../metrics-log.ts';
import type { StoredSamples } from '../read-samples.ts';
import type { NetworkRecord, RunRecord } from '../run-record.ts';
import { formatBytes } from '../storage-error.ts';
import { curveCharts } from './curve-charts.ts';
import { escapeHtml } from './escape-html.ts';
import { renderFiltersImage } from './filters-image.ts';
import { renderLineChart } from './line-chart.ts';
import { reportScript } from './report-script.ts';
import { reportStyle } from './report-style.ts';

/** What a report is made from. */
export interface ReportContent {
  readonly record: RunRecord;
  readonly metrics: readonly MetricsLine[];
  readonly teacher: Model;
  /** Another student, trained on real data; null where none was named. */
  readonly compared: Model | null;
  /** Null if the run has not ended. */
  readonly student: Model | null;
  /** In the order of their steps. */
  readonly samples: readonly StoredSamples[];
  /** PNG files; null where there is nothing to show. */
  readonly timelineImage: Uint8Array | null;
  readonly confusionImage: Uint8Array | null;
  readonly features: { readonly image: Uint8Array; readonly shownVariance: number } | null;
}

/**
 * One page about a run, with everything in it: it needs no network and no other file.
 *
 * Headline numbers, curves, the generated images over time, the first layer of both networks, what they cost, all
 * options, and how to repeat the run.
 */
export function renderReport(content: ReportContent): string {
  const { record } = content;
  const title = `${record.teacher.name} to ${record.student.name}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escapeHtml(title)} - dafl</title>
<style>${reportStyle}</style>
</head>
<body>
<main>
${[
  renderHead(record),
  renderTiles(record),
  renderWarnings(content.metrics),
  renderCurves(content),
  renderSamples(content.samples),
  renderTimeline(content.timelineImage),
  renderConfusion(content),
  renderFeatures(content.features),
  renderFilters(content),
  renderNetworks(content),
  renderRepeat(record),
  renderOptions(record),
].join('\n')}
<footer>Written by dafl ${escapeHtml(record.versions.dafl)}. Test images were used for reporting only: nothing was chosen by them.</footer>
</main>
<script>${reportScript}</script>
</body>
</html>
`;
}

function renderHead({ state, teacher, student, timings, options, step }: RunRecord): string {
  const states: Readonly<Record<RunRecord['state'], string>> = {
    running: 'running',
    finished: 'finished',
    interrupted: `interrupted after ${step} of ${endOf(options) ?? step} steps`,
    failed: 'failed',
  };
  const day = (timings.endedAt ?? timings.startedAt).slice(0, 16).replace('T', ' ');
  return `<span class="state ${states[state] === 'finished' ? 'finished' : ''}">${escapeHtml(states[state])} - ${escapeHtml(day)} UTC</span>
<h1>${escapeHtml(teacher.name)} <span class="to">to</span> ${escapeHtml(student.name)}</h1>
<p class="lead">${escapeHtml(dataUse[options.method])}</p>`;
}

function renderTiles(record: RunRecord): string {
  const { accuracy, teacherAccuracy, agreement, verdict = null, teacher, student, timings, step, evaluations } = record;
  const count = evaluations.at(-1)?.count;
  const tile = (value: string, what: string, main = false) =>
    `<div class="tile${main ? ' main' : ''}"><div class="value">${escapeHtml(value)}</div><div class="what">${escapeHtml(what)}</div></div>`;
  const tiles = [
    ...(accuracy === null
      ? []
      : [
          tile(
            percent(accuracy),
            `student's accuracy${count === undefined ? '' : ` on ${integer(count)} images`}`,
            true,
          ),
        ]),
    ...(teacherAccuracy === null ? [] : [tile(percent(teacherAccuracy), "teacher's accuracy")]),
    ...(verdict === null
      ? []
      : [tile(verdict.level, `judged on ${integer(verdict.pictures)} pictures that it did not learn from`)]),
    ...(agreement === null
      ? []
      : [
          tile(
            percent(agreement),
            `agreement on synthetic images${accuracy === null ? ' (no accuracy)' : ''}`,
            accuracy === null,
          ),
        ]),
    tile(
      `${(teacher.parameters / student.parameters).toFixed(1)}×`,
      `fewer parameters: ${integer(student.parameters)}`,
    ),
    tile(`${(teacher.multiplyAccumulates / student.multiplyAccumulates).toFixed(1)}×`, 'less arithmetic'),
    tile(duration(timings.seconds), `for ${integer(step)} steps`),
  ];
  const judged = verdict === null ? null : describeVerdict(verdict);
  const advice = judged?.advice ?? null;
  const lines =
    advice === null || judged === null ? '' : `<p class="lead">${escapeHtml(judged.line)}. ${escapeHtml(advice)}.</p>`;
  return `<div class="tiles">${tiles.join('')}</div>${lines}`;
}

function renderWarnings(metrics: readonly MetricsLine[]): string {
  const warnings = metrics.filter((line) => line.event === 'warning');
  const latest = new Map(warnings.map((warning) => [warning.code, warning]));
  if (latest.size === 0) return '';
  const items = [...latest.values()].map(({ step, message }) => `<li>Step ${step}: ${escapeHtml(message)}</li>`);
  return `<ul class="warnings">${items.join('')}</ul>`;
}

function renderCurves({ record, metrics }: ReportContent): string {
  return `<h2>Curves over the steps</h2><div class="charts">${curveCharts(record, metrics).map(renderLineChart).join('')}</div>`;
}

function renderSamples(samples: readonly StoredSamples[]): string {
  if (samples.length === 0) return '';
  const last = samples.length - 1;
  const images = samples.map(
    ({ step, image }, index) =>
      `<img src="${pngAddress(image)}" data-step="${step}" alt="Generated images after step ${step}, a row for each class"${index === last ? '' : ' hidden'}>`,
  );
  const player =
    samples.length === 1
      ? ''
      : `<div class="player" hidden><button type="button">Play</button><input type="range" min="0" max="${last}" value="${last}" aria-label="Step of the samples"><output></output></div>`;
  return `<h2>What the student learnt from</h2>
<p class="lead">Generated images over time, a row for each class, always from the same latent vectors. Beneath each: how sure the teacher is of that class. They need not look like anything to a person.</p>
<div class="card">${player}<div class="grids">${images.join('')}</div></div>`;
}

function renderTimeline(image: Uint8Array | null): string {
  if (image === null) return '';
  return `<h2>Images by class over the run</h2>
<div class="card"><p>The first image of each class (columns) after so many steps (rows). Empty: none of the images was of that class.</p><img src="${pngAddress(image)}" alt="Generated images, a column for each class, a row for each moment"></div>`;
}

function renderConfusion({ record, confusionImage }: ReportContent): string {
  if (confusionImage === null) return '';
  return `<h2>Where the student errs</h2>
<div class="card"><p>Counts on ${escapeHtml(record.options.eval ?? 'labelled data')}: rows are the true classes, columns what the student says.</p><img style="max-width:520px;width:100%" src="${pngAddress(confusionImage)}" alt="Confusion matrix of the student"></div>`;
}

function renderFeatures(features: ReportContent['features']): string {
  if (features === null) return '';
  return `<h2>Real and generated images, by the teacher's features</h2>
<div class="card"><p>The two principal components of the features of real images (${percent(features.shownVariance)} of their variance), a colour for each class. Dots are real images, which the run never saw; squares are generated ones.</p><img style="max-width:640px;width:100%" src="${pngAddress(features.image)}" alt="Scatter plot of real and generated images"></div>`;
}

function renderFilters({ teacher, compared, student }: ReportContent): string {
  const cards = (
    [
      ['Teacher', teacher],
      ['Compared', compared],
      ['Student', student],
    ] as const
  ).map(([role, model]) => {
    const filters = model === null ? null : renderFiltersImage(model);
    if (filters === null) return '';
    const { node, count, size, image, columns } = filters;
    const width = Math.min(100, (columns / 8) * 100);
    return `<div class="card"><strong>${role}</strong> <span>${escapeHtml(node)}, ${count} filters of ${size.join('×')}</span><img style="max-width:${Math.max(40, width)}%" src="${pngAddress(image)}" alt="First-layer filters of the ${role.toLowerCase()}"></div>`;
  });
  if (cards.every((card) => card === '')) return '';
  return `<h2>First-layer filters</h2><div class="pair">${cards.join('')}</div>`;
}

function renderNetworks({ record, teacher }: ReportContent): string {
  const { teacher: large, student: small, teacherAccuracy, accuracy } = record;
  const rows: [string, (network: NetworkRecord) => string, ((network: NetworkRecord) => number)?][] = [
    ['Parameters', ({ parameters }) => integer(parameters), ({ parameters }) => parameters],
    ['MACs per image', (network) => integer(network.multiplyAccumulates), (network) => network.multiplyAccumulates],
    ['File', ({ sizeBytes }) => (sizeBytes === null ? '-' : formatBytes(sizeBytes)), ({ sizeBytes }) => sizeBytes ?? 0],
    ['Input', ({ inputShape }) => inputShape.join('×')],
  ];
  const ratio = (measure: ((network: NetworkRecord) => number) | undefined) =>
    measure === undefined || measure(small) === 0 ? '' : `${((measure(small) / measure(large)) * 100).toFixed(0)} %`;
  const { classes } = describeClassifier(teacher.graph);
  const lines = rows.map(
    ([name, show, measure]) =>
      `<tr><th scope="row">${name}</th><td>${escapeHtml(show(large))}</td><td>${escapeHtml(show(small))}</td><td>${ratio(measure)}</td></tr>`,
  );
  const show = (value: number | null) => (value === null ? 'not measured' : percent(value));
  const difference =
    accuracy === null || teacherAccuracy === null ? '' : ((accuracy - teacherAccuracy) * 100).toFixed(2);
  lines.push(
    `<tr><th scope="row">Accuracy</th><td>${show(teacherAccuracy)}</td><td>${show(accuracy)}</td><td>${difference}</td></tr>`,
  );
  lines.push(`<tr><th scope="row">Classes</th><td>${classes}</td><td>${classes}</td><td></td></tr>`);
  return `<h2>Teacher and student</h2><div class="card scroll"><table><thead><tr><th></th><th>${escapeHtml(large.name)}</th><th>${escapeHtml(small.name)}</th><th></th></tr></thead><tbody>${lines.join('')}</tbody></table></div>`;
}

const starts: Readonly<Record<NonNullable<RunRecord['initialization']>, string>> = {
  random: 'random weights',
  teacher: "the teacher's strongest channels",
  given: "the teacher's own convolutions, factorized",
};

function renderRepeat(record: RunRecord): string {
  const { machine, versions, backend, teacher, student, timings, peakMemoryBytes } = record;
  const facts: [string, string][] = [
    ['Student started from', starts[record.initialization ?? 'random']],
    ['Backend', `${backend.description} (${backend.reason})`],
    [
      'Machine',
      `${machine.processor}, ${machine.cores} ${machine.cores === 1 ? 'core' : 'cores'}, ${formatBytes(machine.memoryBytes)}, ${machine.system}`,
    ],
    ['Software', `dafl ${versions.dafl}, Node ${versions.node}`],
    ['Peak memory', formatBytes(peakMemoryBytes)],
    ...(timings.sessions > 1
      ? [['Sessions', `${timings.sessions}: the run was stopped and resumed`] as [string, string]]
      : []),
    ...(timings.timeBudgetMs === null
      ? []
      : [['Time budget', duration(timings.timeBudgetMs / 1000)] as [string, string]]),
    ['Teacher, SHA-256', teacher.sha256 ?? '-'],
    ['Student, SHA-256', student.sha256 ?? '-'],
  ];
  return `<h2>Repeat this run</h2><div class="card"><p>Same options, seed, backend and machine give the same student, bit for bit:</p>
<pre>dafl distill --config run.json --out again</pre>
<div class="scroll"><table class="facts"><tbody>${renderRows(facts)}</tbody></table></div></div>`;
}

function renderOptions({ options }: RunRecord): string {
  const rows = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]): [string, string] => [name, Array.isArray(value) ? value.join(', ') : String(value)]);
  return `<h2>Options</h2><div class="card"><details><summary>All ${rows.length} options of the run</summary><table class="options"><tbody>${renderRows(rows)}</tbody></table></details></div>`;
}

function renderRows(rows: readonly (readonly [string, string])[]): string {
  return rows
    .map(([name, value]) => `<tr><td>${escapeHtml(name)}</td><td><code>${escapeHtml(value)}</code></td></tr>`)
    .join('');
}

function pngAddress(image: Uint8Array): string {
  return `data:image/png;base64,${Buffer.from(image).toString('base64')}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

function integer(value: number): string {
  return value.toLocaleString('en-US');
}

function duration(seconds: number): string {
  if (seconds < 100) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  if (seconds < 6000) return `${(seconds / 60).toFixed(1)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
