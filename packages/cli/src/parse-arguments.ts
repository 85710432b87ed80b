import { CommanderError } from 'commander';
import { allFlags, buildParser } from './build-parser.ts';
import type { Command, FlagValues } from './command.ts';
import { UsageError } from './usage-error.ts';

/** What was typed after a command. */
export interface ParsedArguments {
  /** By the flag's key; only those that were given. */
  readonly values: FlagValues;
  readonly operands: readonly string[];
  /** Whether help was asked for; all else is to be ignored then. */
  readonly isHelp: boolean;
}

/**
 * Reads what was typed after a command.
 *
 * @throws {UsageError} If a flag is unknown or lacks its value, or there are too few or too many operands.
 */
export function parseArguments(command: Command, parameters: readonly string[]): ParsedArguments {
  const parser = buildParser(command);
  try {
    parser.parse([...parameters], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed') return { values: {}, operands: [], isHelp: true };
    throw toUsageError(command, error);
  }
  const typed = parser.opts<Record<string, string | boolean>>();
  const values: Record<string, unknown> = {};
  for (const option of parser.options) {
    const text = typed[option.attributeName()];
    const flag = allFlags(command).find(({ name }) => `--${name}` === option.long);
    if (text === undefined || flag === undefined) continue;
    values[flag.key] = typeof text === 'string' && flag.parse !== undefined ? flag.parse(text) : text;
  }
  const operands = parser.args;
  const takesAny = command.operands?.at(-1)?.includes('...') === true;
  const most = takesAny ? Infinity : (command.operands?.length ?? 0);
  if (operands.length > most) {
    const rule =
      most === 0
        ? 'nothing must stand without a flag'
        : `at most ${most} ${most === 1 ? 'value' : 'values'} must stand without a flag`;
    throw new UsageError(`Cannot run 'dafl ${command.name}' as ${rule}: current value is '${operands[most]}'`);
  }
  return { values, operands, isHelp: false };
}

function toUsageError(command: Command, error: CommanderError): UsageError {
  const reject = (rule: string): UsageError => new UsageError(`Cannot run 'dafl ${command.name}' as ${rule}`);
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? '';
  switch (error.code) {
    case 'commander.unknownOption': {
      const suggestion = /\(Did you mean (?:one of )?([^,?]+)/.exec(error.message)?.[1];
      const advice = suggestion === undefined ? '' : `. Did you mean '${suggestion}'?`;
      return reject(`each flag must be known: current value is '${quoted}'${advice}`);
    }
    case 'commander.optionMissingArgument':
      return reject(`'${quoted.split(' ')[0]}' must have a value: current value is none`);
    case 'commander.missingArgument':
      return reject(`'${quoted}' must be given: current value is none`);
    default:
      return reject(error.message.replace(/^error: /, ''));
  }
}
