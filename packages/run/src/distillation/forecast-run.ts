import { createRandomStream, distill, type DistillOptions, initializeWeights } from '@dafl/core';
import { timeEvaluation } from './time-evaluation.ts';

/** What a run is about to take, from a few steps that are thrown away. */
export interface RunForecast {
  readonly secondsPerStep: number;
  /** Of what is paid once, before the first step and in it: layers are fitted, inputs whitened, pictures drawn. */
  readonly preparationSeconds: number;
  /** Of the preparation, all steps and evaluations. */
  readonly seconds: number;
  /** Of the evaluations alone. */
  readonly evaluationSeconds: number;
}

/** Steps that are measured at most, and the time after which fewer do: this is paid by every run. */
const MOST_STEPS = 4;
const ENOUGH_MS = 500;
/** A first step that takes longer has to do by itself, though it also draws pictures, allocates and compiles: several times what others take. */
const SLOW_FIRST_MS = 20_000;
/** Images that an evaluation is timed on. */
const TIMED_IMAGES = 100;

/**
 * Tells what a run will take. Leaves nothing behind: the run computes the same with and without.
 *
 * @param evaluations Of the student.
 * @returns Null where a step fails: the run itself meets that and says so.
 * @throws `AbortError` if the signal is aborted.
 */
export async function forecastRun(
  options: DistillOptions,
  { evaluations }: { readonly evaluations: number },
): Promise<RunForecast | null> {
  const { backend, teacher, student: graph, studentWeights, evaluation, signal, steps } = options;
  try {
    const { stepMs, preparationMs } = await measureSteps(options);
    const weights = studentWeights ?? initializeWeights(graph, createRandomStream(0, 'forecast')).weights;
    const timed = { backend, evaluation, signal, most: TIMED_IMAGES };
    const evaluationMs =
      (await timeEvaluation({ ...timed, model: teacher })) +
      evaluations * (await timeEvaluation({ ...timed, model: { graph, weights } }));
    return {
      secondsPerStep: stepMs / 1000,
      preparationSeconds: preparationMs / 1000,
      seconds: (preparationMs + steps * stepMs + evaluationMs) / 1000,
      evaluationSeconds: evaluationMs / 1000,
    };
  } catch (error) {
    if (signal?.aborted === true) throw error;
    return null;
  }
}

/** Milliseconds of a step, the mean of those after the first, and of what comes before the first. */
async function measureSteps(
  options: DistillOptions,
): Promise<{ readonly stepMs: number; readonly preparationMs: number }> {
  const { signal } = options;
  const stepMs: number[] = [];
  let preparationMs = 0;
  const startedMs = performance.now();
  let lastMs = startedMs;
  for await (const event of distill({ ...options, evaluation: undefined, resume: undefined, sampleEvery: 0 })) {
    const nowMs = performance.now();
    if (event.event === 'step') {
      // The run counts its seconds from where the preparation ends.
      if (stepMs.length === 0) preparationMs = Math.max(0, nowMs - startedMs - event.seconds * 1000);
      stepMs.push(stepMs.length === 0 ? event.seconds * 1000 : nowMs - lastMs);
    }
    lastMs = nowMs;
    const [first = 0, ...others] = stepMs;
    const othersMs = others.reduce((total, ms) => total + ms, 0);
    if (stepMs.length >= MOST_STEPS || first >= SLOW_FIRST_MS || othersMs >= ENOUGH_MS) break;
  }
  signal?.throwIfAborted();
  const [first, ...others] = stepMs;
  const meanMs = others.length === 0 ? first : others.reduce((total, ms) => total + ms, 0) / others.length;
  return { stepMs: meanMs, preparationMs: preparationMs + Math.max(0, first - meanMs) };
}
