import { type Figure, renderDotPlot, renderLineChart } from '@dafl/run/report';
import type { Experiment } from './experiment.ts';
import type { ExperimentRecord } from './experiment-record.ts';
import type { GauntletLine } from './summarize-gauntlet.ts';

const MOST_LINES = 10;
const WIDTH = 700;

/** Accuracy over the share of the run, a line for each row of an experiment; of the first seed. @returns Null without one. */
export function renderExperimentFigure(experiment: Experiment, records: readonly ExperimentRecord[]): Figure | null {
  const lines = experiment.rows.flatMap(({ id, label }) => {
    const record = records.find(({ row, evaluations }) => row === id && evaluations.length > 1);
    if (record === undefined) return [];
    const last = record.evaluations.at(-1)!.step;
    return [
      {
        name: label.replace(/^[^:]*: (student, )?/, ''),
        points: record.evaluations.map(({ step, accuracy }) => [step / last, accuracy] as const),
      },
    ];
  });
  const percent = (value: number): string => `${Math.round(value * 100)} %`;
  return renderLineChart(
    {
      title: 'Accuracy of each row, first seed',
      caption: '',
      xName: 'share of the run',
      yName: 'accuracy',
      lines: lines.slice(0, MOST_LINES),
      style: 'dots',
      format: (value) => `${Number((value * 100).toFixed(1))} %`,
      formatX: percent,
      bounds: [0, 1],
    },
    WIDTH,
  );
}

/** The gauntlet: a line for each teacher, with its own accuracy and those of its students. */
export function renderGauntletFigure(lines: readonly GauntletLine[]): Figure {
  return renderDotPlot({
    title: 'Accuracy of teachers and students',
    series: ['teacher', 'real-data student', 'default', 'DAFL, fast preset'],
    rows: lines.map(({ teacher, accuracy, real, default: cell, dafl }) => ({
      name: teacher.label,
      values: [accuracy, real, cell?.mean ?? null, dafl?.mean ?? null],
    })),
    format: (value) => `${Number(value.toFixed(2))} %`,
    most: 100,
  });
}
