import { CommanderError } from 'commander';
import { allFlags, buildParser } from './build-parser.ts';
import { type Command, commonFlags, type FlagValues } from './command.ts';
import { UsageError } from './usage-error.ts';

/** What was typed after a command. */
export interface ParsedArguments {
  /** By the flag's key, operands that set an option included; only what was given. */
  readonly values: FlagValues;
  /** The operands that set no option. */
  readonly operands: readonly string[];
  /** Which help was asked for, if any; all else is to be ignored then. */
  readonly help?: 'short' | 'all';
}

/**
 * Reads what was typed after a command.
 *
 * @throws {UsageError} If a flag is unknown, lacks its value or must be given and is not, or there are too few or too many
 *   operands.
 */
export function parseArguments(command: Command, parameters: readonly string[]): ParsedArguments {
  const parser = buildParser(command);
  try {
    parser.parse([...parameters], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed') return { values: {}, operands: [], help: 'short' };
    throw toUsageError(command, error);
  }
  const typed = parser.opts<Record<string, string | boolean>>();
  const given: Record<string, unknown> = {};
  for (const option of parser.options) {
    const text = typed[option.attributeName()];
    const flag = allFlags(command).find(({ name }) => `--${name}` === option.long);
    if (text === undefined || flag === undefined) continue;
    given[flag.key] = typeof text === 'string' && flag.parse !== undefined ? flag.parse(text) : text;
  }
  if (given.helpAll === true) return { values: {}, operands: [], help: 'all' };
  const { values, operands } = placeOperands(command, given, parser.args);
  const missing = command.flags.find(({ key, isRequired }) => isRequired === true && isMissing(values[key]));
  if (missing !== undefined) throw toMissing(command, `--${missing.name}`);
  const isCommon = (name: string): boolean => commonFlags.some(({ key }) => key === name);
  return { values: Object.fromEntries(Object.entries(values).filter(([key]) => !isCommon(key))), operands };
}

/** Gives each operand its text; one whose flag was given takes none. */
function placeOperands(command: Command, given: FlagValues, typed: readonly string[]): ParsedArguments {
  const values = { ...given };
  const operands: string[] = [];
  const left = [...typed];
  let most = 0;
  for (const { name, key } of command.operands ?? []) {
    if (key !== undefined && values[key] !== undefined) continue;
    const isSeveral = name.includes('...');
    most += isSeveral ? Infinity : 1;
    const texts = left.splice(0, isSeveral ? left.length : 1);
    if (name.startsWith('<') && isMissing(texts[0])) throw toMissing(command, name.replaceAll(/[<>.]/g, ''));
    if (key === undefined) operands.push(...texts);
    else if (texts.length > 0)
      values[key] = command.flags.find((flag) => flag.key === key)?.parse?.(texts[0]) ?? texts[0];
  }
  if (left.length > 0) {
    const rule =
      most === 0
        ? 'nothing must stand without a flag'
        : `at most ${most} ${most === 1 ? 'value' : 'values'} must stand without a flag`;
    throw new UsageError(`Cannot run 'dafl ${command.name}' as ${rule}: current value is '${left[0]}'`);
  }
  return { values, operands };
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === '';
}

function toMissing(command: Command, name: string): UsageError {
  return new UsageError(`Cannot run 'dafl ${command.name}' as '${name}' must be given: current value is none`);
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
    default:
      return reject(error.message.replace(/^error: /, ''));
  }
}
