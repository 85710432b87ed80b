import type { Graph } from '@dafl/core';
import { updateOperations } from './update-operations.ts';

/** Multiply-accumulates of an update, for each image: LeNet-5 and its half take 0.5 million, other networks 3 million and more. */
const MOST_OPERATIONS = 2_000_000;

/** Whether networks are as small as a LeNet-5: what helps others to learn did nothing for those. */
export function isSmall(teacher: Graph, student: Graph): boolean {
  return updateOperations(teacher, student) <= MOST_OPERATIONS;
}
