import { join } from 'node:path';
import { runFolder } from '@dafl/run';
import type { Task } from '../experiment.ts';

/** The file, or folder of data, that other tasks read of one. */
export function taskOutput({ kind }: Task, place: string): string {
  if (kind === 'distill') return runFolder(place).student;
  if (kind === 'derive') return join(place, 'data');
  return join(place, kind === 'record' ? 'metadata.safetensors' : 'model.safetensors');
}
