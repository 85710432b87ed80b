import { type Graph, takeLogits } from '@dafl/core';

/** What may surprise whoever distils or deploys a classifier, in sentences; none where nothing does. */
export function warnOfModel(graph: Graph): string[] {
  const warnings: string[] = [];
  const { note } = takeLogits(graph);
  if (note !== undefined) warnings.push(note);
  const convolutions = graph.nodes.filter(({ kind }) => kind === 'conv2d').length;
  const hasNorms = graph.nodes.some(({ kind }) => /norm$/i.test(kind));
  if (convolutions > 1 && !hasNorms) {
    warnings.push(
      'Its convolutions have no batch norm, or it was folded into them: losses on batch statistics cannot be used',
    );
  }
  return warnings;
}
