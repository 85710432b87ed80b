import { describeClassifier, type Graph } from '@dafl/core';

/** Of each class its name, or its number where the model knows none. */
export function classNames(graph: Graph): string[] {
  const { classes } = describeClassifier(graph);
  return Array.from({ length: classes }, (_, label) => graph.classNames?.[label] ?? String(label));
}
