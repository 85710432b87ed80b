import { inheritChannels, type Model } from '@dafl/core';
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
  return node === undefined ? undefined : inheritChannels(teacher, student.graph).channels.get(node.name);
}
