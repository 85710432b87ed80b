import type { Machine } from '../machine/machine.ts';
import { formatBytes } from '../folder/storage-error.ts';

/** A machine in a line. */
export function describeComputer({ processor, cores, memoryBytes, system }: Machine): string {
  return `${processor}, ${cores} ${cores === 1 ? 'core' : 'cores'}, ${formatBytes(memoryBytes)}, ${system}`;
}
