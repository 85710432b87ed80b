import { isDeepStrictEqual } from 'node:util';
import { type DistillationOptions, parseDistillationOptions, resolveRecipe } from '@dafl/run';
import { hyperParameters } from '@dafl/run/options';
import type { Task } from './experiment.ts';
import type { ExperimentRecord } from './experiment-record.ts';

/**
 * Whether a task, run now, would compute what a record holds.
 *
 * A hyper-parameter that a row names and one that its preset sets are the same; one that came later than the record must
 * be as the preset has it, since what was added leaves the runs before it as they were.
 */
export function isRecordCurrent(
  { task: recorded, hyperParameters: then, method: taken }: ExperimentRecord,
  task: Task,
): boolean {
  if (task.kind !== 'distill' || recorded.kind !== 'distill' || then === null)
    return isDeepStrictEqual(recorded, JSON.parse(JSON.stringify(task)));
  // Records of rows that name no method tell what was taken; older ones are of the time when that meant DAFL.
  const old = { method: taken ?? 'dafl', ...withoutHyperParameters(recorded) };
  const { method } = resolveRecipe(parseDistillationOptions(task.options)).options;
  const asked = { ...withoutHyperParameters(task), method };
  if (!isDeepStrictEqual(old, asked)) return false;
  const now = hyperParametersOf(task)!;
  const { student: _, ...options }: Record<string, unknown> = asked;
  const unchanged = hyperParametersOf({ kind: 'distill', options })!;
  const names = new Set([...Object.keys(now), ...Object.keys(then)]);
  return [...names].every((name) => isDeepStrictEqual(now[name], name in then ? then[name] : unchanged[name]));
}

/** What a distillation's options come to; null for other tasks. */
export function hyperParametersOf(task: Task): Readonly<Record<string, unknown>> | null {
  if (task.kind !== 'distill') return null;
  const { options, steps } = resolveRecipe(parseDistillationOptions(task.options));
  const named = Object.entries(options).filter(([name]) => name in hyperParameters);
  return { ...Object.fromEntries(named), steps };
}

/** What of the hyper-parameters, and of the steps, a run decided by its networks: its options differ there from `hyperParametersOf`. */
export function decidedByNetworks(task: Task, taken: DistillationOptions): Readonly<Record<string, unknown>> {
  const asked = hyperParametersOf(task) ?? {};
  const names = [...Object.keys(hyperParameters), 'steps'] as (keyof DistillationOptions)[];
  const decided = names.filter((name) => taken[name] !== undefined && !isDeepStrictEqual(taken[name], asked[name]));
  return Object.fromEntries(decided.map((name) => [name, taken[name]]));
}

function withoutHyperParameters({ options }: Extract<Task, { kind: 'distill' }>): Record<string, unknown> {
  const kept = Object.entries(options).filter(([name]) => !(name in hyperParameters) && name !== 'steps');
  return Object.fromEntries(kept);
}
