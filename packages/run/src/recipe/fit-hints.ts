import { type Graph, inferShapes } from '@dafl/core';
import type { DistillationOptions } from '../options/distillation-options.ts';
import { lowRankShare } from '../options/low-rank-share.ts';
import type { Recipe } from './resolve-recipe.ts';
import { startsFromTeacher } from './starts-from-teacher.ts';

/** Values that a layer sums up where it reads 32 channels by 3x3: LeNet-5 and ResNet-20 at half width have no wider ones. */
const LARGEST_USUAL = 288;

/**
 * Of hints, for wide students. On CIFAR-10's last 10,000 training images, half an `airbench-0.75` (864) after 50 steps: 77.0 %
 * with the usual 4, 79.4 % with 8. LeNet-5 and a small residual network gained nothing.
 */
const HINT_WEIGHT = 8;

/** Holds a wide student to its teacher's inner values more tightly, where the options leave that open. */
export function fitHints(
  options: DistillationOptions,
  { options: { method } }: Recipe,
  student: Graph,
): DistillationOptions {
  const inherits = startsFromTeacher(options) && lowRankShare(options.student) === undefined;
  if (method !== 'procedural' || !inherits || widestFanIn(student) <= LARGEST_USUAL) return options;
  return { ...options, hintWeight: options.hintWeight ?? HINT_WEIGHT };
}

/** Of the layers of a graph, how many values one of them sums up at most. */
function widestFanIn(graph: Graph): number {
  const shapes = [...inferShapes(graph).values()].map(({ weights }) => weights.kernel?.shape ?? [1, 1]);
  return Math.max(...shapes.map((shape) => shape.slice(0, -1).reduce((product, size) => product * size, 1)));
}
