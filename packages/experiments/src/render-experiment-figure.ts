import { type Figure, renderLineChart } from '@dafl/run/report';
import type { Experiment } from './experiment.ts';
import type { ExperimentRecord } from './experiment-record.ts';

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
