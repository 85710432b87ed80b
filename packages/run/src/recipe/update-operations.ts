import { describeModel, type Graph } from '@dafl/core';
import { proceduralDefaults } from './baseline-recipes.ts';

/** A derivative with respect to weights, and one with respect to inputs, beside the forward pass. */
const PASSES = 3;

/**
 * Multiply-accumulates of an update of `procedural`, for each image: LeNet-5 and its half take 0.5 million, small CNNs of three
 * stages 3 to 5, a ResNet-20 and its half 41.
 *
 * @param uses Updates for which the teacher answers a batch once.
 */
export function updateOperations(teacher: Graph, student: Graph, uses: number = proceduralDefaults.uses): number {
  const operationsOf = (graph: Graph): number => describeModel(graph).multiplyAccumulates;
  return operationsOf(teacher) / uses + PASSES * operationsOf(student);
}
