import { createRandomStream, distill, initializeWeights } from '@dafl/core';
import { runFolder } from '../folder/run-folder.ts';
import type { DistillationOptions } from '../options/distillation-options.ts';
import type { FactorizationSettings } from '../models/factorize-convolutions.ts';
import { loadTeacher, type TeacherAccess } from '../models/load-model.ts';
import { peakMemoryBytes } from '../machine/machine.ts';
import type { DownloadSettings } from '../data/mnist-files.ts';
import { resolveRecipe, settleOptions } from '../recipe/resolve-recipe.ts';
import { openRun } from './open-run.ts';
import type { RunWarningEvent } from './run-event.ts';
import { timeEvaluation } from './time-evaluation.ts';

/** What a run will take. */
export interface RunEstimate {
  readonly backend: string;
  readonly steps: number;
  readonly secondsPerStep: number;
  /** Of what is paid once, before the first step and in it: layers are fitted, inputs whitened, pictures drawn. */
  readonly preparationSeconds: number;
  /** All of it: preparation, steps, evaluations and pictures. */
  readonly seconds: number;
  /** Of the whole process. */
  readonly peakMemoryBytes: number;
  /** Images of one update. */
  readonly batchSize: number;
  readonly teacher: string;
  readonly student: string;
  /** What the estimate itself took. */
  readonly probeSeconds: number;
}

/** How an estimate is made. */
export interface EstimateSettings extends DownloadSettings, TeacherAccess, FactorizationSettings {
  /** Milliseconds after which no further step is measured; default: 8 s. */
  readonly probeMs?: number;
  /** Told what computes, and why that. */
  readonly onBackend?: (description: string, reason: string) => void;
  /** Told what the run would tell of its networks before its first step. */
  readonly onWarning?: (warning: RunWarningEvent) => void;
  /** Told before the first step, and after each, how many of how many are measured at least. */
  readonly onMeasurement?: (step: number, steps: number) => void;
}

/** The first steps allocate and compile; they are not counted. */
const WARM_UP_STEPS = 2;
const MEASURED_STEPS = WARM_UP_STEPS + 4;
/** Probing ends after this time, once there are the least steps. */
const PROBE_MS = 8_000;

/**
 * Estimates a run by starting it: a few steps of the very run, one picture and parts of evaluations. Nothing is written.
 *
 * @throws {DaflError} What the run itself would throw before its first step. `AbortError` if the signal is aborted.
 */
export async function estimateRun(
  options: DistillationOptions,
  { onBackend, onWarning, onMeasurement, probeMs = PROBE_MS, ...settings }: EstimateSettings = {},
): Promise<RunEstimate> {
  const startedMs = performance.now();
  const { signal } = settings;
  // Options that contradict each other are told before anything is read.
  resolveRecipe(options);
  const teacher = await loadTeacher(options, settings);
  const opened = await openRun(options, teacher, { ...settings, backend: options.backend, folder: runFolder('.') });
  const { student, recipe, method, evaluation } = opened;
  const { backend, name, reason } = opened.selected;
  onBackend?.(backend.description, reason);
  for (const warning of opened.warnings) onWarning?.({ event: 'warning', step: 0, ...warning });
  try {
    const common = {
      backend,
      teacher: teacher.model,
      student: student.graph,
      studentWeights: student.weights,
      method,
      training: recipe.training,
      seed: options.seed,
    };
    const probeStartedMs = performance.now();
    const stepSeconds: number[] = [];
    let sampleSeconds = 0;
    let beforeSeconds = 0;
    let firstSeconds = 0;
    const most = Math.max(MEASURED_STEPS, recipe.steps);
    // The run's own length: what is allocated and how rates move depend on it.
    const run = distill({ ...common, steps: most, sampleEvery: MEASURED_STEPS, signal });
    let lastMs = performance.now();
    onMeasurement?.(0, MEASURED_STEPS);
    for await (const event of run) {
      const nowMs = performance.now();
      if (event.event === 'step') {
        onMeasurement?.(event.step, MEASURED_STEPS);
        // The run counts its seconds from where the preparation ends.
        if (event.step === 1) {
          firstSeconds = event.seconds;
          beforeSeconds = Math.max(0, (nowMs - probeStartedMs) / 1000 - firstSeconds);
        }
        if (event.step > WARM_UP_STEPS) stepSeconds.push((nowMs - lastMs) / 1000);
        if (sampleSeconds > 0 && nowMs - probeStartedMs > probeMs) break;
      } else if (event.event === 'warning' && event.step === 0) {
        onWarning?.(event);
      } else if (event.event === 'samples') {
        sampleSeconds ||= (nowMs - lastMs) / 1000;
        if (nowMs - probeStartedMs > probeMs) break;
      }
      lastMs = performance.now();
    }
    signal?.throwIfAborted();
    const secondsPerStep = stepSeconds.sort((a, b) => a - b)[Math.floor(stepSeconds.length / 2)];
    const preparationSeconds = beforeSeconds + Math.max(0, firstSeconds - secondsPerStep);
    const { graph, weights } = student;
    const studentModel =
      weights === undefined ? initializeWeights(graph, createRandomStream(0, 'estimate')) : { graph, weights };
    const [teacherMs, studentMs] = [
      await timeEvaluation({ backend, model: teacher.model, evaluation, signal }),
      await timeEvaluation({ backend, model: studentModel, evaluation, signal }),
    ];
    const { timeBudgetMs } = options;
    const steps =
      timeBudgetMs === undefined
        ? recipe.steps
        : Math.max(1, Math.floor((timeBudgetMs / 1000 - preparationSeconds) / secondsPerStep));
    const { evaluateEvery = 0, sampleEvery = 0 } = settleOptions(recipe, { steps, backend: name });
    const times = (every: number): number => (every === 0 ? 1 : Math.ceil(steps / every));
    return {
      backend: backend.description,
      steps,
      secondsPerStep,
      preparationSeconds,
      seconds:
        preparationSeconds +
        steps * secondsPerStep +
        teacherMs / 1000 +
        (times(evaluateEvery) * studentMs) / 1000 +
        times(sampleEvery) * sampleSeconds,
      peakMemoryBytes: peakMemoryBytes(),
      batchSize: recipe.batchSize,
      teacher: teacher.model.graph.name,
      student: student.graph.name,
      probeSeconds: (performance.now() - startedMs) / 1000,
    };
  } finally {
    await backend.close();
  }
}
