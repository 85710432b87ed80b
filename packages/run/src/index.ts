/**
 * A distillation as a folder on disk: options, checkpoints that survive a kill, data sources, pictures and a report.
 *
 * @module
 */
export { AppendFile, type WriteCall } from './append-file.ts';
export {
  type BenchmarkCase,
  type BenchmarkCaseName,
  benchmarkCaseNames,
  prepareCase,
  type PreparedCase,
} from './benchmark/benchmark-case.ts';
export { countStep, type StepCount, stepCountFormula } from './benchmark/count-step.ts';
export {
  createStepBenchmark,
  type MatMulPeak,
  type StepBenchmark,
  type StepLosses,
  type StepTiming,
} from './benchmark/step-benchmark.ts';
export {
  type BenchmarkRecipe,
  type BenchmarkStart,
  checkedSteps,
  type LeNetShape,
  writeBenchmarkStart,
} from './benchmark/write-benchmark-start.ts';
export { compareRuns, type RunComparison, type RunDifference } from './compare-runs.ts';
export { CheckpointStore, type LoadedCheckpoint } from './checkpoint-store.ts';
export { describeVerdict } from './describe-verdict.ts';
export { type LoadOptions, loadLabelledImages, type Split } from './data-source.ts';
export {
  type BackendName,
  type DistillationOptions,
  distillationOptionsSchema,
  parseDistillationOptions,
} from './distillation-options.ts';
export { fitImages } from './fit-images.ts';
export type { RunForecast } from './forecast-run.ts';
export type { HyperParameters } from './hyper-parameters.ts';
export {
  loadArchitecture,
  type LoadedModel,
  loadModel,
  loadStudent,
  type ModelOptions,
  type StudentSource,
} from './load-model.ts';
export { type ListedRun, listRuns } from './list-runs.ts';
export { lowRankShare } from './low-rank-share.ts';
export type { MethodName } from './method-name.ts';
export {
  daflVersion,
  describeMachine,
  describeRuntime,
  type Machine,
  peakMemoryBytes,
  type Runtime,
} from './machine.ts';
export { estimateRun, type RunEstimate } from './estimate-run.ts';
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
export { writeSeedsReport } from './report/write-seeds-report.ts';
export { isRecordCurrent } from './experiments/is-record-current.ts';
export { summarizeExperiment, tableCells, tableHeads, type TableLine } from './experiments/render-table.ts';
export { type ExperimentEvent, type ExperimentSettings, runExperiment } from './experiments/run-experiment.ts';
export { type DownloadSettings, findLocalMnist, type MnistOptions } from './mnist-files.ts';
export { nearestName } from './nearest-name.ts';
export { type ImageShape, type Picture, pictureOf } from './report/figures/picture.ts';
export { type Recipe, resolveRecipe } from './resolve-recipe.ts';
export { recordTeacherMetadata, type RecordingOptions, type RecordingResult } from './record-metadata.ts';
export { runDistillation, type RunSettings } from './run-distillation.ts';
export { type QuantizationOutcome, type QuantizationSettings, runQuantization } from './run-quantization.ts';
export {
  type JsonEvent,
  type PreparedEvent,
  type RunEvent,
  type RunInterruptedEvent,
  type RunResultEvent,
  type RunSamplesEvent,
  type RunWarningEvent,
  toJsonEvent,
} from './run-event.ts';
export { type RunFolder, runFolder } from './run-folder.ts';
export { acquireRunLock, type RunLock } from './run-lock.ts';
export {
  type Configuration,
  type EvaluationRecord,
  type NetworkRecord,
  readConfiguration,
  readRunRecord,
  type RunRecord,
} from './run-record.ts';
export {
  runTraining,
  type TrainingEvent,
  type TrainingFiles,
  trainingFiles,
  type TrainingPreparedEvent,
  type TrainingRecord,
  type TrainingResultEvent,
  type TrainingSettings,
} from './run-training.ts';
export { sampleModel, type SampleModelOptions } from './sample-model.ts';
export { sampleRun, type SampleRunOptions } from './sample-run.ts';
export { renderSamplesImage } from './samples-image.ts';
export { backendNames, selectBackend, type SelectBackendOptions, type SelectedBackend } from './select-backend.ts';
export { formatBytes, freeBytes } from './storage-error.ts';
export { parseTrainingOptions, type TrainingOptions, trainingOptionsSchema } from './training-options.ts';
export { writeFileAtomically } from './write-file-atomically.ts';
export { writeModelFiles } from './write-model-files.ts';
