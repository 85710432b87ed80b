import { join } from 'node:path';
import { createFolder, daflVersion, writeFileAtomically } from '@dafl/run';
import {
  describeComputer,
  escapeHtml,
  formatDuration,
  inlineFigure,
  type PageSection,
  renderFacts,
  renderPage,
  renderTable,
  renderTiles,
} from '@dafl/run/report';
import type { Experiment } from './experiment.ts';
import type { ExperimentRecord } from './experiment-record.ts';
import { renderExperimentFigure } from './render-experiment-figure.ts';
import { renderGauntletFigure } from './render-gauntlet-figure.ts';
import { summarizeExperiment, tableCells, tableHeads } from './summarize-experiment.ts';
import { summarizeGauntlet } from './summarize-gauntlet.ts';

/**
 * Writes one page about an experiment, of the make of a run's report: its table, what was published, the curves.
 *
 * @param folder That of the runs: the page lies in the experiment's folder within it.
 * @returns Path of the page.
 */
export async function writeExperimentReport(
  folder: string,
  experiment: Experiment,
  records: readonly ExperimentRecord[],
): Promise<string> {
  const path = join(folder, experiment.name, 'report.html');
  await createFolder(join(folder, experiment.name));
  await writeFileAtomically(path, renderExperimentReport(experiment, records));
  return path;
}

/** The page. */
export function renderExperimentReport(experiment: Experiment, records: readonly ExperimentRecord[]): string {
  const { name, title, source } = experiment;
  const shown = summarizeExperiment(experiment, records);
  const sections: PageSection[] = [];
  if (name === 'gauntlet') {
    const lines = summarizeGauntlet(records);
    const number = (value: number | null): string => value?.toFixed(2) ?? '-';
    sections.push({
      id: 'teachers',
      link: 'Teachers',
      heading: 'Teachers and their students',
      lead: 'Test accuracies. Ticks are what a student is compared with: its teacher, and a student of the same size that learnt from the real images.',
      body: `<div class="card">${inlineFigure(renderGauntletFigure(lines))}</div>`,
    });
    sections.push({
      id: 'figures',
      link: 'Figures',
      heading: 'The same in figures',
      body: renderTable(
        'Accuracies of the gauntlet',
        ['', 'teacher', 'real data', 'default', 'least', 'runs'],
        lines.map(({ teacher, accuracy, real, default: cell }) => [
          teacher.label,
          number(accuracy),
          number(real),
          number(cell?.mean ?? null),
          number(cell?.least ?? null),
          cell === null ? '-' : String(cell.runs),
        ]),
      ),
    });
  } else {
    sections.push({
      id: 'table',
      link: 'Table',
      heading: 'What was published and what came out',
      lead: `Published: ${escapeHtml(source)}. Accuracies in percent after the last step, mean and standard deviation over the runs.`,
      body: renderTable(title, tableHeads, shown.map(tableCells)),
    });
  }
  const figure = name === 'gauntlet' ? null : renderExperimentFigure(experiment, records);
  if (figure !== null)
    sections.push({
      id: 'curves',
      link: 'Curves',
      heading: 'Accuracy over the run',
      lead: 'The first seed of each row.',
      body: `<div class="card">${inlineFigure(figure)}</div>`,
    });
  const machines = [...new Set(records.map(({ machine }) => describeComputer(machine)))];
  const backends = [...new Set(records.flatMap(({ backend }) => backend ?? []))];
  const commits = [...new Set(records.flatMap(({ commit }) => commit?.slice(0, 7) ?? []))];
  sections.push({
    id: 'repeat',
    link: 'Repeat',
    heading: 'Repeat',
    body: `<pre>dafl experiment ${escapeHtml(name)}</pre><div class="card">${renderFacts([
      ['Machine', machines.join('; ') || '-'],
      ['Backend', backends.join('; ') || '-'],
      ['Commits', commits.join(', ') || '-'],
    ])}</div>`,
  });
  const done = shown.filter(({ runs }) => runs > 0).length;
  return renderPage({
    title: `${name}: ${title}`,
    head: `<div class="state">experiment</div><h1>${escapeHtml(name)}</h1><p class="story">${escapeHtml(title)}.</p>${renderTiles(
      [
        [`${done} of ${shown.length}`, 'rows with a run'],
        [records.length.toLocaleString('en-US'), 'runs'],
        [formatDuration(records.reduce((total, { seconds }) => total + seconds, 0)), 'in all'],
      ],
    )}`,
    sections,
    footer: `Written by dafl ${daflVersion()}. Accuracies are those of the last step, never of the best one.`,
  });
}
