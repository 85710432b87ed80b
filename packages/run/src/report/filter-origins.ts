import { inheritChannels, type Model, takeLogits } from '@dafl/core';
import type { RunRecord } from '../folder/run-record.ts';

/**
 * Which of the teacher's filters each filter of the student's first layer began as.
 *
 * @returns Undefined where the student did not start from its teacher's channels.
 */
export function filterOrigins(
  { initialization }: Pick<RunRecord, 'initialization'>,
  teacher: Model,
  student: Model,
): readonly number[] | undefined {
  if (initialization !== 'teacher') return undefined;
  const node = student.graph.nodes.find(({ kind }) => kind === 'conv2d');
  if (node === undefined) return undefined;
  // As they were distilled: without what stands behind the logits.
  const taken = { ...teacher, graph: takeLogits(teacher.graph).graph };
  return inheritChannels(taken, takeLogits(student.graph).graph).channels.get(node.name);
}
