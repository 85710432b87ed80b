/**
 * Tables of runs, as `dafl experiment` runs them, and how they are shown.
 *
 * @module
 */
export type { DataName, Experiment, ExperimentRow, Task } from './experiment.ts';
export type { ExperimentRecord } from './experiment-record.ts';
export { experiments } from './experiments.ts';
export { type GauntletCell, type GauntletLine, summarizeGauntlet, summarizeVerdicts } from './summarize-gauntlet.ts';
export { renderExperimentFigure } from './render-experiment-figure.ts';
export { renderGauntletFigure } from './render-gauntlet-figure.ts';
export { writeExperimentReport } from './write-experiment-report.ts';
export { isRecordCurrent } from './is-record-current.ts';
export { summarizeExperiment, tableCells, tableHeads, type TableLine } from './summarize-experiment.ts';
export { type ExperimentEvent, type ExperimentSettings, runExperiment } from './run-experiment.ts';
