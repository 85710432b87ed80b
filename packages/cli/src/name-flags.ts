import { allFlags } from './build-parser.ts';
import type { Command } from './command.ts';

/** Where a message names an option: after "as", "and" or "where", and before what it must be. */
const NAMED = /\b(as|and|where) '([A-Za-z]\w*)'(?= (?:must|and|is|names)\b)/g;

/**
 * Rewrites a message that names options so that it names the flags that were typed: `'timeBudgetMs'` is `'--time-budget'`.
 *
 * @param typed All that was typed: what has a place is named by its flag where that was used.
 */
export function nameFlags(message: string, command: Command, typed: readonly string[] = []): string {
  const flags = new Map(allFlags(command).map((flag) => [flag.key, flag]));
  let named = message;
  for (const [, , key] of message.matchAll(NAMED)) {
    const { rule, optionRule } = flags.get(key) ?? {};
    if (rule !== undefined && optionRule !== undefined)
      named = named.replace(`must be ${optionRule}:`, `must be ${rule}:`);
  }
  const operands = new Map(command.operands.map(({ key, name }) => [key, name]));
  return named.replaceAll(NAMED, (whole, before: string, key: string) => {
    const operand = operands.get(key);
    const isByFlag = typed.some((text) => text.split('=')[0] === `--${flags.get(key)?.name}`);
    if (operand !== undefined && !isByFlag) return `${before} '<${operand.replaceAll(/[^\w-]/g, '')}>'`;
    const flag = flags.get(key);
    return flag === undefined ? whole : `${before} '--${flag.name}'`;
  });
}
