import type { Experiment } from './experiment.ts';
import type { ExperimentRecord } from './experiment-record.ts';

/** One line of a table: what was published, what the runs measured. Accuracies in percent. */
export interface TableLine {
  readonly id: string;
  readonly label: string;
  readonly published: number | null;
  readonly runs: number;
  readonly mean: number | null;
  /** Of the sample; null below two runs. */
  readonly standardDeviation: number | null;
  readonly least: number | null;
  readonly difference: number | null;
}

/** The lines of an experiment, from the records that there are. */
export function summarizeExperiment(experiment: Experiment, records: readonly ExperimentRecord[]): TableLine[] {
  return experiment.rows
    .filter(({ isHidden }) => isHidden !== true)
    .map(({ id, label, published }) => {
      const values = records
        .filter(({ row, accuracy }) => row === id && accuracy !== null)
        .map(({ accuracy }) => accuracy! * 100);
      const runs = values.length;
      const mean = runs === 0 ? null : values.reduce((total, value) => total + value, 0) / runs;
      const squares = values.reduce((total, value) => total + (value - (mean ?? 0)) ** 2, 0);
      return {
        id,
        label,
        published,
        runs,
        mean,
        standardDeviation: runs < 2 ? null : Math.sqrt(squares / (runs - 1)),
        least: runs === 0 ? null : Math.min(...values),
        difference: mean === null || published === null ? null : mean - published,
      };
    });
}

/** The cells of a line as text: label, published, ours, least, runs, difference. */
export function tableCells(line: TableLine): string[] {
  const { label, published, runs, mean, standardDeviation, least, difference } = line;
  const percent = (value: number | null): string => (value === null ? '-' : value.toFixed(2));
  const spread = standardDeviation === null ? '' : ` ± ${standardDeviation.toFixed(2)}`;
  const sign = difference !== null && difference >= 0 ? '+' : '';
  return [
    label,
    percent(published),
    mean === null ? 'not run' : `${mean.toFixed(2)}${spread}`,
    percent(least),
    runs === 0 ? '-' : String(runs),
    difference === null ? '-' : `${sign}${difference.toFixed(2)}`,
  ];
}

/** Heads of those cells. */
export const tableHeads: readonly string[] = ['', 'published', 'ours', 'least', 'runs', 'difference'];
