import type { Classifier, GeneratorOutput, Network } from '@dafl/core';
import { teacherTone } from './_teacher-tone.ts';

/** What a generator's images come out as: held to a tone where no batch norm of the teacher holds them. */
export function generatorOutput(teacher: Network, { preprocessing }: Classifier): GeneratorOutput {
  const hasStatistics = teacher.graph.nodes.some(({ kind }) => kind === 'batchNorm');
  return hasStatistics ? { kind: 'sigmoid' } : { kind: 'pixels', ...teacherTone(preprocessing) };
}
