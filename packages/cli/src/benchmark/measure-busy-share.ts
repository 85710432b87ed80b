import { cpus } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';

/** From here on the machine counts as busy with other things. */
export const largestIdleShare = 0.1;

/**
 * The share of the machine's processor time that was used in the next milliseconds, 0..1. While the caller rests, others
 * used it.
 */
export async function measureBusyShare(milliseconds: number, signal: AbortSignal): Promise<number> {
  const before = processorTimes();
  await wait(milliseconds, undefined, { signal });
  const after = processorTimes();
  const total = after.total - before.total;
  // Clocks tick a hundred times a second at most: in a short time on one core perhaps not at all.
  return total > 0 ? (after.busy - before.busy) / total : 0;
}

function processorTimes(): { busy: number; total: number } {
  let [busy, total] = [0, 0];
  for (const { times } of cpus()) {
    const all = times.user + times.nice + times.sys + times.idle + times.irq;
    total += all;
    busy += all - times.idle;
  }
  return { busy, total };
}
