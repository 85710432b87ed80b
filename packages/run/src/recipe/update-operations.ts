import { describeModel, type Graph } from '@dafl/core';
import { proceduralDefaults } from './baseline-recipes.ts';

/** A derivative with respect to weights, and one with respect to inputs, beside the forward pass. */
const PASSES = 3;

/**
 * Multiply-accumulates of an update of `procedural`, for each image: LeNet-5 and its half take 0.5 million, small CNNs of three
 * stages 3 to 5, a ResNet-20 and its half 41.
 */
export function updateOperations(teacher: Graph, student: Graph): number {
  const operationsOf = (graph: Graph): number => describeModel(graph).multiplyAccumulates;
  return operationsOf(teacher) / proceduralDefaults.uses + PASSES * operationsOf(student);
}
