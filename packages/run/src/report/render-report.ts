import { describeClassifier, describeModel, type Model } from '@dafl/core';
import { writeModel } from '@dafl/models';
import { dataUse } from './data-use.ts';
import { describeVerdict } from './describe-verdict.ts';
import { endOf } from '../options/end-of.ts';
import { lowRankShare } from '../options/low-rank-share.ts';
import type { MetricsLine } from '../folder/metrics-log.ts';
import { repeatCommand } from '../recipe/repeat-command.ts';
import type { NetworkRecord, RunRecord } from '../folder/run-record.ts';
import type { StoredSamples } from './samples-image.ts';
import { formatBytes } from '../folder/storage-error.ts';
import { classNames } from './class-names.ts';
import type { Examples } from './collect-examples.ts';
import { describeComputer } from './describe-computer.ts';
import { curveCharts } from './curve-charts.ts';
import { escapeHtml } from './escape-html.ts';
import { renderConfusionFigure } from './figures/confusion-figure.ts';
import { renderFeaturesFigure } from './figures/features-figure.ts';
import { inlineFigure } from './figures/inline-figure.ts';
import { filterOrigins } from './filter-origins.ts';
import { renderFiltersFigure } from './filters-figure.ts';
import { formatDuration, integer, milliseconds, percent, ratio, stepCount } from './format-figures.ts';
import type { FeatureProjection } from './project-features.ts';
import { pictureGallery } from './picture-gallery.ts';
import { publishedFigure } from './published-figure.ts';
import { renderChart } from './render-chart.ts';
import { renderClassBars } from './render-class-bars.ts';
import { renderExamples } from './render-examples.ts';
import { tryOutScript } from './generated/try-out-script.ts';
import { type PageSection, renderPage } from './render-page.ts';
import { renderFacts } from './render-table.ts';
import { renderTiles as renderTileList } from './render-tiles.ts';
import { canTryOut, renderTryOut } from './render-try-out.ts';
import { renderSamplesFigure } from './samples-figure.ts';
import { renderFrequentMistakes } from './render-frequent-mistakes.ts';
import { renderTimelineFigure } from './timeline-figure.ts';

/** What a report is made from. */
export interface ReportContent {
  readonly record: RunRecord;
  readonly metrics: readonly MetricsLine[];
  readonly teacher: Model;
  /** Another student, trained on real data; null where none was named. */
  readonly compared: Model | null;
  /** Null if the run has not ended. */
  readonly student: Model | null;
  /** The student's file, which the report gives to whoever has no more than the report; null if there is none yet. */
  readonly studentFile: Uint8Array | null;
  /** In the order of their steps. */
  readonly samples: readonly StoredSamples[];
  readonly features: FeatureProjection | null;
  /** Of the teacher, as `RunRecord.confusion`. */
  readonly teacherConfusion: RunRecord['confusion'];
  readonly examples: Examples | null;
  /** Of one image alone; null where it was not measured. */
  readonly millisecondsPerImage: { readonly teacher: number | null; readonly student: number | null } | null;
}

/** A file up to which the report holds the student. */
const MOST_FILE_BYTES = 8e6;
/** A page with the teacher's weights has at most so many characters. */
const MOST_PAGE = 2.45e6;
/** Style, script and frame of a page, generously. */
const BASE_PAGE = 60_000;
/** Of the measurements as a table. */
const MOST_TABLE_LINES = 20_000;

/**
 * One page about a run, with everything in it: it needs no network and no other file.
 *
 * What was asked and what came out, teacher and student side by side, the curves, the generated images over time, real
 * images and the student's mistakes, each class, the first layers, and how to repeat the run.
 */
export function renderReport(content: ReportContent): string {
  const { record } = content;
  const sections = [
    renderNetworks(content),
    renderCurves(content),
    renderSamples(content),
    renderReal(content),
    renderMistakes(content),
    renderClasses(content),
    renderFeatures(content),
    renderFilters(content),
    renderRepeat(content),
  ].filter((section) => section !== null);
  const head = renderHead(content);
  const data = renderData(content);
  const tryOut = renderTryOutOf(content, [head, data, ...sections.map(({ body }) => body)]);
  return renderPage({
    title: `${record.teacher.name} to ${record.student.name}`,
    head,
    sections: tryOut === null ? sections : [tryOut.section, ...sections],
    data: tryOut === null ? data : data + tryOut.data,
    module: tryOut === null ? undefined : tryOutScript,
    footer: `Written by dafl ${record.versions.dafl}. Labelled images were used for reporting only: nothing was chosen by them.`,
  });
}

/** Where pictures are classified, and the teacher's weights, where the page stays small with them; null where it cannot be. */
function renderTryOutOf(
  { teacher, studentFile, examples, samples }: ReportContent,
  others: readonly string[],
): { readonly section: PageSection; readonly data: string } | null {
  if (studentFile === null || studentFile.length > MOST_FILE_BYTES || !canTryOut(teacher.graph)) return null;
  const used = others.reduce((total, text) => total + text.length, tryOutScript.length + BASE_PAGE);
  // An opaque teacher has no weights; of one that is far too large, none are encoded.
  const { bytes: teacherBytes } = describeModel(teacher.graph);
  const fits = teacher.answer === undefined && used + (teacherBytes * 4) / 3 < MOST_PAGE;
  const file = fits ? Buffer.from(writeModel(teacher)).toString('base64') : '';
  const hasTeacher = fits && used + file.length < MOST_PAGE;
  return {
    section: renderTryOut({
      teacher: teacher.graph,
      roles: hasTeacher
        ? [
            ['teacher', 'Teacher'],
            ['student', 'Student'],
          ]
        : [['student', 'Student']],
      examples,
      samples,
    }),
    data: hasTeacher ? dataElement('teacher-file', 'text/plain', file) : '',
  };
}

function dataElement(id: string, type: string, text: string): string {
  return `<script id="${id}" type="${type}">${text}</script>\n`;
}

function renderHead({ record, metrics, teacher: { graph } }: ReportContent): string {
  const {
    state,
    teacher,
    student,
    timings,
    options,
    step,
    accuracy,
    teacherAccuracy,
    verdict = null,
    keptStep,
  } = record;
  const states: Readonly<Record<RunRecord['state'], string>> = {
    running: 'running',
    finished: 'finished',
    interrupted: `interrupted after ${step} of ${stepCount(endOf(options) ?? step)}`,
    failed: 'failed',
  };
  const day = (timings.endedAt ?? timings.startedAt).slice(0, 16).replace('T', ' ');
  const { classes } = describeClassifier(graph);
  const asked = `${escapeHtml(teacher.name)} tells ${integer(classes)} classes apart with ${integer(teacher.parameters)} parameters. Asked for: a student ${escapeHtml(describeStudent(options.student))}, by the method <b>${escapeHtml(options.method)}</b>, in ${stepCount(endOf(options) ?? step)}. ${escapeHtml(dataUse[options.method])}`;
  const judged = verdict === null ? null : describeVerdict(verdict, record.options);
  const reached =
    accuracy === null
      ? ''
      : `<b>The student reaches ${percent(accuracy)}</b>${teacherAccuracy === null ? '' : `, ${pointsBelow(teacherAccuracy - accuracy)} its teacher`}. `;
  const told =
    judged === null
      ? ''
      : `${escapeHtml(judged.line)}.${judged.advice === null ? '' : ` ${renderSentence(judged.advice)}.`}`;
  const kept =
    keptStep === undefined || keptStep === null || keptStep === step
      ? ''
      : ` It is the student of step ${integer(keptStep)}: the last one was clearly worse on pictures that neither learnt from.`;
  return `<div class="state"><b${state === 'finished' ? '' : ' class="open"'}>${escapeHtml(states[state])}</b> · ${escapeHtml(day)} UTC · seed ${record.options.seed}</div>
<h1>${escapeHtml(teacher.name)} <span class="to">to</span> ${escapeHtml(student.name)}</h1>
<p class="story">${asked}</p>
${reached === '' && told === '' ? '' : `<p class="verdict">${reached}${told}${kept}</p>`}
${renderTiles(record)}
${renderWarnings(metrics)}`;
}

/** Flags are not broken after their dashes. */
function renderSentence(text: string): string {
  return escapeHtml(text).replaceAll(/--[a-z][a-z-]*/g, '<span class="flag">$&</span>');
}

/** Points of percent, in words: "0.35 points below". */
function pointsBelow(difference: number): string {
  const points = Math.abs(difference * 100).toFixed(2);
  if (points === '0.00') return 'the same as';
  return `${points} points ${difference > 0 ? 'below' : 'above'}`;
}

/** The student that was asked for, in words. */
function describeStudent(student: RunRecord['options']['student']): string {
  if (student === 'half') return "of half its teacher's width";
  if (student === 'quarter') return "of a quarter of its teacher's width";
  if (typeof student === 'number') return `of ${Number((student * 100).toFixed(1))} % of its teacher's width`;
  if (lowRankShare(student) !== undefined) return 'with its convolutions in two parts (low rank)';
  return `of the architecture ${student.split(/[\\/]/).at(-1)}`;
}

/** Before the first step; undefined where it was not measured. */
function startAccuracy({ evaluations }: RunRecord): number | undefined {
  return evaluations.find(({ step }) => step === 0)?.accuracy;
}

function renderTiles(record: RunRecord): string {
  const { accuracy, teacherAccuracy, agreement, verdict = null, teacher, student, timings, step, evaluations } = record;
  const count = evaluations.at(-1)?.count;
  const start = startAccuracy(record);
  const tiles: [value: string, what: string][] = [];
  if (accuracy !== null)
    tiles.push([percent(accuracy), `student's accuracy${count === undefined ? '' : ` on ${integer(count)} images`}`]);
  if (teacherAccuracy !== null) tiles.push([percent(teacherAccuracy), "teacher's accuracy"]);
  if (start !== undefined) tiles.push([percent(start), "student's accuracy before the first step"]);
  if (accuracy === null && agreement !== null)
    tiles.push([percent(agreement), 'agreement on synthetic images (no accuracy)']);
  if (verdict !== null)
    tiles.push([verdict.level, `judged on ${integer(verdict.pictures)} pictures that it did not learn from`]);
  if (accuracy !== null && agreement !== null) tiles.push([percent(agreement), 'agreement on synthetic images']);
  tiles.push([`${ratio(teacher.parameters, student.parameters)}×`, `fewer parameters: ${integer(student.parameters)}`]);
  tiles.push([
    `${ratio(teacher.multiplyAccumulates, student.multiplyAccumulates)}×`,
    `fewer operations: ${integer(student.multiplyAccumulates)} an image`,
  ]);
  tiles.push([formatDuration(timings.seconds), `for ${stepCount(step)}`]);
  return renderTileList(tiles);
}

function renderWarnings(metrics: readonly MetricsLine[]): string {
  const warnings = metrics.filter((line) => line.event === 'warning');
  if (warnings.length === 0) return '';
  const latest = new Map(warnings.map(({ code, step }) => [code, step]));
  const told = warnings.filter(({ code, step }) => latest.get(code) === step);
  const items = new Set(told.map(({ step, message }) => `<li>Step ${step}: ${renderSentence(message)}</li>`));
  return `<ul class="warnings">${[...items].join('')}</ul>`;
}

function renderNetworks({ record, teacher, millisecondsPerImage: times }: ReportContent): PageSection {
  const { teacher: large, student: small, teacherAccuracy, accuracy } = record;
  const published = publishedFigure(record.options);
  const start = startAccuracy(record);
  const share = (ofLarge: number | null | undefined, ofSmall: number | null | undefined): string =>
    ofLarge && ofSmall ? `${((ofSmall / ofLarge) * 100).toFixed(0)} %` : '';
  const count = (
    name: string,
    read: (network: NetworkRecord) => number | null,
    show: (value: number) => string,
  ): string[] => {
    const [one, other] = [read(large), read(small)];
    return [name, one === null ? '-' : show(one), other === null ? '-' : show(other), share(one, other)];
  };
  const difference =
    accuracy === null || teacherAccuracy === null ? '' : `${((accuracy - teacherAccuracy) * 100).toFixed(2)} points`;
  const shown = (value: number | null): string => (value === null ? 'not measured' : percent(value));
  const rows: string[][] = [
    ['Accuracy', shown(teacherAccuracy), shown(accuracy), difference],
    ...(start === undefined ? [] : [['Accuracy before the first step', '', percent(start), '']]),
    ...(published === null ? [] : [[`Published (${published.label})`, '', percent(published.accuracy), '']]),
    count('Parameters', ({ parameters }) => parameters, integer),
    count('Multiply-accumulates an image', ({ multiplyAccumulates }) => multiplyAccumulates, integer),
    count('File', ({ sizeBytes }) => sizeBytes, formatBytes),
    ...(times === null
      ? []
      : [
          [
            'Time for one image, here',
            times.teacher === null ? '-' : milliseconds(times.teacher),
            times.student === null ? '-' : milliseconds(times.student),
            share(times.teacher, times.student),
          ],
        ]),
    ['Input', large.inputShape.join(' × '), small.inputShape.join(' × '), ''],
    ['Classes', ...Array<string>(2).fill(integer(describeClassifier(teacher.graph).classes)), ''],
  ];
  const lines = rows.map(
    ([name, ...cells]) =>
      `<tr><th scope="row">${escapeHtml(name)}</th>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`,
  );
  return {
    id: 'networks',
    link: 'Teacher and student',
    heading: 'Teacher and student',
    body: `<div class="card scroll wrap few" tabindex="0" role="region" aria-label="Teacher and student"><table><thead><tr><td></td><th scope="col">Teacher</th><th scope="col">Student</th><th scope="col">Student / teacher</th></tr></thead><tbody>${lines.join('')}</tbody></table></div>`,
  };
}

function renderCurves({ record, metrics, teacher }: ReportContent): PageSection | null {
  const charts = curveCharts(record, metrics, describeClassifier(teacher.graph)).map(renderChart).join('');
  if (charts === '') return null;
  return {
    id: 'curves',
    link: 'Curves',
    heading: 'Curves over the steps',
    body: `<div class="charts">${charts}</div>`,
  };
}

function renderSamples({ samples, teacher }: ReportContent): PageSection | null {
  const names = classNames(teacher.graph);
  const figure = renderSamplesFigure(samples, names);
  if (figure === null) return null;
  const steps = JSON.stringify(samples.map(({ step }) => step));
  const last = samples.length - 1;
  const player =
    samples.length === 1
      ? ''
      : `<div class="player" data-steps="${steps}" hidden><button type="button">Play</button><input type="range" min="0" max="${last}" value="${last}" aria-label="Step of the pictures"><output></output></div>`;
  const timeline = renderTimelineFigure(samples, names);
  const over =
    timeline === null
      ? ''
      : `<div class="card"><h3>Over the run</h3><p class="soft">The first image of a class (column) after so many steps (row). Empty: none was of that class.</p>${inlineFigure(timeline)}</div>`;
  const more = names.length > 100 ? ' The first 100 classes are shown.' : '';
  return {
    id: 'images',
    link: 'Images',
    heading: 'What the student learnt from',
    lead: `Images by the class that the teacher sees in them, always of the same draw. They need not look like anything to a person.${more}`,
    body: `<div class="pair"><div class="card"><h3>By class</h3>${player}${inlineFigure(figure)}</div>${over}</div>`,
  };
}

function renderReal({ examples, samples, teacher, record }: ReportContent): PageSection | null {
  if (examples === null || samples.length === 0) return null;
  const body = renderExamples(examples, samples.at(-1)!, classNames(teacher.graph));
  if (body === null) return null;
  return {
    id: 'real',
    link: 'Real images',
    heading: 'Real images beside those it learnt from',
    lead: `Of each class, what the student learnt from at the left, and images of ${escapeHtml(record.options.eval ?? 'the labelled data')} at the right, which nothing in the run depended on.`,
    body: `<div class="card">${body}</div>`,
  };
}

function renderMistakes({ examples, teacher, record }: ReportContent): PageSection | null {
  if (examples === null) return null;
  const names = classNames(teacher.graph);
  const { looked, mistakes } = examples;
  const lead = `${integer(looked)} images of ${escapeHtml(record.options.eval ?? 'the labelled data')}, spread over all, were looked through; the surest mistakes come first.`;
  const body = renderMistakeList(mistakes, names);
  return {
    id: 'mistakes',
    link: 'Mistakes',
    heading: "The student's mistakes",
    lead,
    body: `<div class="card">${body}</div>`,
  };
}

function renderMistakeList(mistakes: Examples['mistakes'], names: readonly string[]): string {
  if (mistakes.length === 0) return '<p>None among them.</p>';
  const gallery = pictureGallery(mistakes.map(({ picture }) => picture));
  const sure = ({ label, probability }: { label: number; probability: number }): string =>
    `${escapeHtml(names[label])}, ${(probability * 100).toFixed(0)}&nbsp;%`;
  const items = mistakes.map(({ truth, student, teacher }, index) => {
    const other =
      teacher === null
        ? ''
        : `<span${teacher.label === truth ? '' : ' class="wrong"'}>teacher: ${sure(teacher)}</span>`;
    return `<li><i class="sprite" style="${gallery.tiles[index]}" role="img" aria-label="An image of ${escapeHtml(names[truth])}"></i><b>${escapeHtml(names[truth])}</b><span class="wrong">student: ${sure(student)}</span>${other}</li>`;
  });
  return `<ul class="gallery" style="${gallery.style}">${items.join('')}</ul>`;
}

function renderClasses({ record, teacher, teacherConfusion }: ReportContent): PageSection | null {
  const { confusion } = record;
  if (confusion === null) return null;
  const names = classNames(teacher.graph);
  const where = escapeHtml(record.options.eval ?? 'labelled data');
  return {
    id: 'classes',
    link: 'Classes',
    heading: 'Class by class',
    lead: `On ${where}. A bar is the share of a class's images that the student gets right${teacherConfusion === null ? '' : ', the line across it the teacher’s'}.`,
    body: `<div class="pair"><div class="card"><h3>Accuracy of each class</h3>${renderClassBars(confusion, teacherConfusion, names)}</div><div class="card"><h3>Confusion matrix</h3><p class="soft">Blue: right. Red: taken for another class.</p>${inlineFigure(renderConfusionFigure(confusion, names))}${renderFrequentMistakes(confusion, names)}</div></div>`,
  };
}

function renderFeatures({ features, teacher }: ReportContent): PageSection | null {
  if (features === null) return null;
  const names = classNames(teacher.graph);
  const options = names.map((name, label) => `<option value="${label}">${escapeHtml(name)}</option>`);
  return {
    id: 'features',
    link: 'Features',
    heading: "Real and generated images, by the teacher's features",
    lead: `The two principal components of the features of real images: ${percent(features.shownVariance)} of their variance.`,
    body: `<div class="card"><p><label>Show <select class="classes"><option value="">all classes</option>${options.join('')}</select></label></p>${inlineFigure(renderFeaturesFigure(features, names))}</div>`,
  };
}

function renderFilters({ teacher, compared, student, record }: ReportContent): PageSection | null {
  const origins = student === null ? undefined : filterOrigins(record, teacher, student);
  const networks: readonly (readonly [string, Model | null])[] = [
    ['Teacher', teacher],
    ['Student', student],
    ['Compared', compared],
  ];
  const cards = networks.map(([role, model]) => {
    const drawn = model === null ? null : renderFiltersFigure(role, model, role === 'Student' ? origins : undefined);
    if (drawn === null) return '';
    const { node, count, size, pictures } = drawn.filters;
    const shown = pictures.length < count ? `, ${pictures.length} shown` : '';
    return `<div class="card"><h3>${role}</h3><p class="soft">${escapeHtml(node)}: ${count} filters of ${size.join(' × ')}${shown}</p>${inlineFigure(drawn.figure)}</div>`;
  });
  if (cards.every((card) => card === '')) return null;
  const from = origins === undefined ? '' : " Beneath each of the student's: the teacher's filter that it began as.";
  return {
    id: 'filters',
    link: 'Filters',
    heading: 'First-layer filters',
    lead: `Red weights are positive, blue ones negative; filters of three channels are in colour.${from}`,
    body: `<div class="pair">${cards.join('')}</div>`,
  };
}

const starts: Readonly<Record<NonNullable<RunRecord['initialization']>, string>> = {
  random: 'random weights',
  teacher: "the teacher's strongest channels",
  given: "the teacher's own convolutions, factorized",
};

function renderRepeat(content: ReportContent): PageSection {
  const { record } = content;
  const { machine, versions, backend, teacher, student, timings, peakMemoryBytes, options } = record;
  const facts: [string, string][] = [
    ['Student started from', starts[record.initialization ?? 'random']],
    ['Backend', `${backend.description} (${backend.reason})`],
    ['Machine', describeComputer(machine)],
    ['Software', `dafl ${versions.dafl}, Node ${versions.node}`],
    ['Peak memory', formatBytes(peakMemoryBytes)],
    ...(timings.sessions > 1
      ? [['Sessions', `${timings.sessions}: the run was stopped and resumed`] as [string, string]]
      : []),
    ...(timings.timeBudgetMs === null
      ? []
      : [['Time budget', formatDuration(timings.timeBudgetMs / 1000)] as [string, string]]),
    ['Teacher, SHA-256', teacher.sha256 ?? '-'],
    ['Student, SHA-256', student.sha256 ?? '-'],
  ];
  const command = repeatCommand(options);
  const given = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]): [string, string] => [name, Array.isArray(value) ? value.join(', ') : String(value)]);
  const commands = [
    command,
    `dafl distill --config run.json${command === null ? '' : '   # the same, out of the file below'}`,
  ];
  return {
    id: 'repeat',
    link: 'Repeat',
    heading: 'Repeat this run',
    lead: 'Same options, seed, backend and machine give the same student, bit for bit.',
    body: `<pre>${escapeHtml(commands.filter((line) => line !== null).join('\n'))}</pre>
${renderDownloads(content)}
<div class="card">${renderFacts(facts)}
<details><summary>All ${given.length} options of the run</summary>${renderFacts(given)}</details></div>`,
  };
}

function renderDownloads(content: ReportContent): string {
  const link = (from: string, name: string): string =>
    `<a class="button" hidden data-from="${from}" download="${name}">${name}</a>`;
  const { studentFile, metrics } = content;
  return `<div class="downloads">${[
    studentFile === null || studentFile.length > MOST_FILE_BYTES ? '' : link('student-file', 'student.safetensors'),
    link('run-record', 'run.json'),
    metrics.length === 0 || metrics.length > MOST_TABLE_LINES ? '' : link('metrics-table', 'metrics.csv'),
  ].join('')}</div>`;
}

/** What the page's script gives as files. */
function renderData({ record, metrics, studentFile }: ReportContent): string {
  return [
    dataElement('run-record', 'application/json', JSON.stringify(record, null, 2).replaceAll('<', String.raw`\u003c`)),
    metrics.length === 0 || metrics.length > MOST_TABLE_LINES
      ? ''
      : dataElement('metrics-table', 'text/csv', metricsTable(metrics).replaceAll('<', '')),
    studentFile === null || studentFile.length > MOST_FILE_BYTES
      ? ''
      : dataElement('student-file', 'text/plain', Buffer.from(studentFile).toString('base64')),
  ].join('');
}

/** Losses and accuracies as lines of values between commas. */
function metricsTable(metrics: readonly MetricsLine[]): string {
  const steps = metrics.filter((line) => line.event === 'step');
  const names = Object.keys(steps[0]?.losses ?? {});
  const accuracies = new Map(
    metrics.flatMap((line) =>
      line.event === 'evaluation' && line.network === 'student' ? [[line.step, line.accuracy]] : [],
    ),
  );
  const lines = steps.map(({ step, seconds, losses }) =>
    [step, seconds, ...names.map((name) => losses[name]), accuracies.get(step) ?? ''].join(','),
  );
  return `${[['step', 'seconds', ...names, 'accuracy'].join(','), ...lines].join('\n')}\n`;
}
