/**
 * What `dafl bench` measures: training steps, counted and timed.
 *
 * @module
 */
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
