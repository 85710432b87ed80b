import { dafl, distill, presets, shrink, type TensorBackend } from '@dafl/core';
import { tinyTeacher } from '../test-fixtures/tiny-teacher.ts';

/** Loss terms of each step, by name. */
export type LossHistory = readonly Readonly<Record<string, number>>[];

/** How two histories compare. */
export interface LossAgreement {
  readonly agrees: boolean;
  /** Largest absolute difference of any term in any step. */
  readonly largestDifference: number;
  /** Where it is, from 1. */
  readonly step: number;
  readonly term: string;
}

/** Length of the run. */
export const TRAINING_STEPS = 50;

/**
 * Absolute difference from the float64 reference that a loss term may have, in each of the 50 steps.
 *
 * Training is not continuous: where rounding moves one activation across the kink of a ReLU, or one image to another
 * pseudo-label, Adam makes a difference of 1e-7 one of a learning rate, and the runs part for good. A tolerance for what
 * comes then would let wrong gradients pass. So the run is one that keeps its distance from such points: of the recipes
 * tried it is one that did not part in any of 24 runs whose every arithmetic result was multiplied by 1 + u, |u| <= 1e-6,
 * which is more than ten times what float32 rounds by. Their losses differed by 2.8e-5 at most, those of cpu in float32
 * and of wasm by 1.1e-6 (`measure-drift.ts`, stored in bench/results/loss-drift.json). The terms themselves move by 0.004
 * to 0.09 over the run.
 */
export const LOSS_TOLERANCE = 3e-5;

/**
 * Distils the tiny teacher for 50 steps from seed 4, float32 or whatever the backend computes in.
 *
 * @param backend Stays open; nothing is left on it.
 */
export async function recordLosses(backend: TensorBackend): Promise<LossHistory> {
  const { fast } = presets;
  const teacher = tinyTeacher();
  const method = dafl({
    ...fast.dafl,
    batchSize: 8,
    generatorSchedule: { kind: 'cosine', learningRate: 0.001 },
    replay: { batches: 4, studentSteps: 2 },
  });
  const training = {
    ...fast.training,
    initialization: 'random',
    schedule: { kind: 'cosine', learningRate: 0.0005 },
  } as const;
  const losses: Readonly<Record<string, number>>[] = [];
  const student = shrink(teacher.graph, 0.5);
  for await (const event of distill({ backend, teacher, student, method, training, steps: TRAINING_STEPS, seed: 4 })) {
    if (event.event === 'step') losses.push(event.losses);
  }
  return losses;
}

/** Compares a history with the reference's. A missing step or term is an infinite difference. */
export function compareLosses(actual: LossHistory, reference: LossHistory): LossAgreement {
  let worst = { largestDifference: 0, step: 0, term: '' };
  reference.forEach((terms, index) => {
    for (const [term, expected] of Object.entries(terms)) {
      const found = actual[index]?.[term] ?? Infinity;
      // Not below rather than above: NaN differs.
      const difference = Number.isNaN(found) ? Infinity : Math.abs(found - expected);
      if (difference > worst.largestDifference) worst = { largestDifference: difference, step: index + 1, term };
    }
  });
  const isComplete = actual.length === reference.length && reference.length === TRAINING_STEPS;
  return { agrees: isComplete && worst.largestDifference <= LOSS_TOLERANCE, ...worst };
}
