/**
 * Tables of runs, as `dafl experiment` runs them, and how they are shown.
 *
 * @module
 */
export type { DataName, Experiment, ExperimentRow, Task } from './experiments/experiment.ts';
export type { ExperimentRecord } from './experiments/experiment-record.ts';
export { experiments } from './experiments/experiments.ts';
export {
  type GauntletCell,
  type GauntletLine,
  summarizeGauntlet,
  summarizeVerdicts,
} from './experiments/summarize-gauntlet.ts';
export { renderExperimentFigure, renderGauntletFigure } from './report/experiment-figures.ts';
export type { Figure, HoverSeries } from './report/figures/figure.ts';
export { figureDocument } from './report/figures/figure-document.ts';
export { writeExperimentReport } from './report/write-experiment-report.ts';
export { isRecordCurrent } from './experiments/is-record-current.ts';
export { summarizeExperiment, tableCells, tableHeads, type TableLine } from './experiments/render-table.ts';
export { type ExperimentEvent, type ExperimentSettings, runExperiment } from './experiments/run-experiment.ts';
