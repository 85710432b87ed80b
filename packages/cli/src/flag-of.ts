import { distillationOptionsSchema } from '@dafl/run/options';
import { flagsFromSchema } from './flag.ts';

const flags = new Map(flagsFromSchema(distillationOptionsSchema).map(({ key, name }) => [key, `--${name}`]));

/** The flag that sets an option of a distillation; its own name where none does. */
export function flagOf(option: string): string {
  return flags.get(option) ?? option;
}
