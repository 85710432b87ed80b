import type { DistillationOptions } from '../options/distillation-options.ts';
import { commonHyperParameters, hyperParameters } from '../options/hyper-parameters.ts';
import type { MethodName } from '../options/method-name.ts';

/** What was decided, and why. */
export interface MethodDecision {
  readonly method: MethodName;
  /** A sentence; null where the options name the method. */
  readonly reason: string | null;
}

/**
 * Decides which method a run follows where its options leave it open. The first rule that holds:
 *
 * 1. An option that only `dafl` has asks for `dafl`, and one that only `metadata` has for that.
 * 2. `procedural`: of all methods it is the one that failed on the fewest kinds of teachers (docs/results.md, gauntlet), and
 *    it needs their answers only. A student from random weights gets five times the steps.
 */
export function decideMethod(options: DistillationOptions): MethodDecision {
  if (options.method !== 'auto') return { method: options.method, reason: null };
  const isGiven = (name: string): boolean => options[name as keyof DistillationOptions] !== undefined;
  const ofDafl = ['preset', ...Object.keys(hyperParameters).filter((name) => !commonHyperParameters.has(name))];
  const asked = ofDafl.find(isGiven);
  if (asked !== undefined) return { method: 'dafl', reason: `'${asked}' is an option of dafl` };
  if (isGiven('metadata')) return { method: 'metadata', reason: "'metadata' is an option of that method" };
  return {
    method: 'procedural',
    reason: 'pictures drawn by rules serve most kinds of teachers, and need their answers only',
  };
}
