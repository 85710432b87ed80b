import type { PixelConvention } from '@dafl/models';
import type { FlagValues } from './command.ts';
import { distillationFlags } from './commands/distill.ts';
import type { Flag } from './flag.ts';
import { UsageError } from './usage-error.ts';

const keys = ['mean', 'std', 'range'] as const;
const RANGES = ['0..1', '-1..1', '0..255'] as const;

/** What a model takes, where its file does not say so: the flags of commands that read any model. */
export const pixelFlags: readonly Flag[] = distillationFlags
  .filter(({ key }) => (keys as readonly string[]).includes(key))
  .map((flag) => ({
    ...flag,
    group: undefined,
    description: flag.description.replace('the teacher', 'the model'),
  }));

/** Reads these flags. */
export function readPixelFlags(values: FlagValues, command: string): PixelConvention {
  const refuse = (key: string, rule: string, value: unknown): never => {
    throw new UsageError(
      `Cannot run 'dafl ${command}' as '--${key}' must be ${rule}: current value is '${String(value)}'`,
    );
  };
  const numbers = (key: 'mean' | 'std', rule: string, holds: (value: number) => boolean): number[] | undefined => {
    const value = values[key];
    if (value === undefined) return undefined;
    const isList = Array.isArray(value) && value.every((entry) => typeof entry === 'number' && holds(entry));
    return isList ? value : refuse(key, rule, value);
  };
  const range = values.range === undefined ? undefined : RANGES.find((known) => known === values.range);
  if (values.range !== undefined && range === undefined) refuse('range', `one of [${RANGES.join(', ')}]`, values.range);
  return {
    range,
    mean: numbers('mean', 'numbers between commas', () => true),
    std: numbers('std', 'numbers > 0 between commas', (value) => value > 0),
  };
}
