import type { DistillationOptions } from './distillation-options.ts';

/** The length that a run came to, or is to come to; undefined where its method's own was left to it. */
export function endOf({ steps, pace }: Pick<DistillationOptions, 'steps' | 'pace'>): number | undefined {
  return pace?.at(-1)?.[1] ?? steps;
}
