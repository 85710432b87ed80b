import { describeModel, type Graph } from '@dafl/core';
import type { PreparedCase } from './benchmark-case.ts';

/** What one step computes, on paper. */
export interface StepCount {
  /** Of one example's forward pass, convolutions and dense layers. */
  readonly multiplyAccumulates: { readonly generator: number; readonly teacher: number; readonly student: number };
  /** Of one example and one step, forward and backward, all networks. */
  readonly multiplyAccumulatesOfStep: number;
  /** Floating-point operations of one step: 2 x batch x that. */
  readonly operations: number;
}

/** How `countStep` counts, in words. */
export const stepCountFormula: string = [
  'operations of a step = 2 x batch x multiply-accumulates of an example;',
  'a network that is trained counts forward + filter gradients + input gradients (its first layer has no input gradient);',
  'a network that only passes gradients on counts forward + input gradients:',
  'generator 3G - G1; teacher 2T; student 3S - S1 for each of its updates, and 2S for the adversarial term.',
  'Nominal: of the networks as they are described, whatever a backend saves by computing them otherwise',
].join(' ');

/**
 * Counts the convolutions and dense layers of one step, forward and both gradients where they are taken. Element-wise
 * work, normalisations, losses and updates are not counted.
 */
export function countStep({ options, dafl, generator }: PreparedCase): StepCount {
  const generatorCount = countNetwork(generator);
  const teacherCount = countNetwork(options.teacher.graph);
  const studentCount = countNetwork(options.student);
  const studentUpdates = dafl.replay?.studentSteps ?? 1;
  const multiplyAccumulatesOfStep =
    3 * generatorCount.whole -
    generatorCount.first +
    2 * teacherCount.whole +
    (dafl.adversarialWeight > 0 ? 2 * studentCount.whole : 0) +
    studentUpdates * (3 * studentCount.whole - studentCount.first);
  return {
    multiplyAccumulates: {
      generator: generatorCount.whole,
      teacher: teacherCount.whole,
      student: studentCount.whole,
    },
    multiplyAccumulatesOfStep,
    operations: 2 * dafl.batchSize * multiplyAccumulatesOfStep,
  };
}

/** Multiply-accumulates of a network, and of the layers that read its input. */
function countNetwork(graph: Graph): { whole: number; first: number } {
  const { nodes, multiplyAccumulates } = describeModel(graph);
  const reading = new Set(graph.nodes.filter(({ inputs }) => inputs.includes('input')).map(({ name }) => name));
  const first = nodes
    .filter(({ name }) => reading.has(name))
    .reduce((total, node) => total + node.multiplyAccumulates, 0);
  return { whole: multiplyAccumulates, first };
}
