import { existsSync } from 'node:fs';
import { nearestName } from '@dafl/run/options';
import { CommanderError, type Command as Parser } from 'commander';
import { allFlags, buildParser } from './build-parser.ts';
import type { Command, GivenValues } from './command.ts';
import { commonFlags } from './common-flags.ts';
import { UsageError } from './usage-error.ts';

/** What was typed after a command. */
export interface ParsedArguments {
  /** By the argument's key, operands included; only what was typed. */
  readonly given: GivenValues;
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
  const repeated = watchRepeated(parser);
  try {
    parser.parse([...parameters], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed') return { given: {}, help: 'short' };
    throw toUsageError(command, error);
  }
  if (repeated.length > 0)
    throw new UsageError(
      `Cannot run 'dafl ${command.name}' as '${repeated[0]}' must be given once, with commas between its values: it comes again`,
    );
  const typed = parser.opts<Record<string, string | boolean>>();
  const flagged: Record<string, unknown> = {};
  for (const option of parser.options) {
    const text = typed[option.attributeName()];
    const flag = allFlags(command).find(({ name }) => `--${name}` === option.long);
    // commander gives --no-images a default of its own.
    if (text === undefined || flag === undefined || (option.negate && text !== false)) continue;
    if (typeof text === 'string' && text.startsWith('--')) throw toValueless(command, `--${flag.name}`);
    flagged[flag.key] = typeof text === 'string' && flag.parse !== undefined ? flag.parse(text) : text;
  }
  if (flagged.helpAll === true) return { given: {}, help: 'all' };
  const values = placeOperands(command, flagged, parser.args);
  const missing = command.flags.find(({ key, isRequired }) => isRequired === true && isMissing(values[key]));
  if (missing !== undefined) throw toMissing(command, `--${missing.name}`);
  const isCommon = (name: string): boolean => commonFlags.some(({ key }) => key === name);
  return { given: Object.fromEntries(Object.entries(values).filter(([key]) => !isCommon(key))) };
}

/** The flags with a list that come more than once, as they are parsed. Of others the last one counts, as is usual. */
function watchRepeated(parser: Parser): string[] {
  const repeated: string[] = [];
  const seen = new Set<string>();
  for (const option of parser.options) {
    if (!/,|<list>/.test(option.flags.replace(/^-\w, /, ''))) continue;
    parser.on(`option:${option.name()}`, () => {
      if (seen.has(option.name())) repeated.push(`--${option.name()}`);
      seen.add(option.name());
    });
  }
  return repeated;
}

/** Gives each operand its text; one whose flag was given takes none. */
function placeOperands(command: Command, flagged: GivenValues, typed: readonly string[]): GivenValues {
  const values = { ...flagged };
  const left = [...typed];
  let most = 0;
  for (const { key, name, isRequired, isSeveral } of command.operands) {
    if (values[key] !== undefined) continue;
    most += isSeveral ? Infinity : 1;
    const texts = left.splice(0, isSeveral ? left.length : 1);
    if (isRequired && isMissing(texts[0])) throw toMissing(command, name.replace('...', ''));
    if (texts.length === 0) continue;
    const parse = command.flags.find((flag) => flag.key === key)?.parse;
    values[key] = isSeveral ? texts : (parse?.(texts[0]) ?? texts[0]);
  }
  if (left.length > 0) {
    const rule =
      most === 0
        ? 'nothing must stand without a flag'
        : `at most ${most} ${most === 1 ? 'value' : 'values'} must stand without a flag`;
    // What is missing is what was meant.
    const isMissingFlag = command.flags.some(({ key, isRequired }) => isRequired === true && isMissing(values[key]));
    const advice = isMissingFlag ? `. Type ${synopsisOf(command)}` : '';
    throw new UsageError(`Cannot run 'dafl ${command.name}' as ${rule}: current value is '${left[0]}'${advice}`);
  }
  return values;
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === '';
}

function toMissing(command: Command, name: string): UsageError {
  return new UsageError(
    `Cannot run 'dafl ${command.name}' as '${name}' must be given: current value is none. Type ${synopsisOf(command)}`,
  );
}

function toValueless(command: Command, flag: string): UsageError {
  return new UsageError(`Cannot run 'dafl ${command.name}' as '${flag}' must have a value: current value is none`);
}

/** The command with all that must be given: `dafl evaluate <model> --data <mnist|folder>`. */
function synopsisOf({ name, operands, flags }: Command): string {
  const needed = [
    ...operands.filter(({ isRequired }) => isRequired).map((operand) => operand.name),
    ...flags.filter(({ isRequired }) => isRequired === true).map((flag) => `--${flag.name} <${flag.placeholder}>`),
  ];
  return ['dafl', name, ...needed].join(' ');
}

function toUsageError(command: Command, error: CommanderError): UsageError {
  const reject = (rule: string): UsageError => new UsageError(`Cannot run 'dafl ${command.name}' as ${rule}`);
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? '';
  switch (error.code) {
    case 'commander.unknownOption': {
      const meant = findMeant(quoted, command);
      const advice = existsSync(quoted)
        ? `. A file of this name is given as ./${quoted}`
        : meant === undefined
          ? ''
          : `. Did you mean '--${meant}'?`;
      return reject(`each flag must be known: current value is '${quoted}'${advice}`);
    }
    case 'commander.optionMissingArgument':
      return toValueless(command, quoted.split(' ')[0]);
    default:
      return reject(error.message.replace(/^error: /, ''));
  }
}

/** What other tools, or other commands, call what a command has: the first that it has is meant. */
const CALLED: Readonly<Record<string, readonly string[]>> = {
  data: ['eval'],
  epochs: ['steps'],
  eval: ['data'],
  lr: ['learning-rate', 'student-learning-rate'],
  o: ['out'],
  output: ['out'],
  test: ['eval', 'data'],
  val: ['eval', 'data'],
};

/** The flag that is meant by one that there is not. */
function findMeant(typed: string, command: Command): string | undefined {
  const name = typed.replace(/^-+/, '').toLowerCase();
  const known = allFlags(command).map((flag) => flag.name);
  return CALLED[name]?.find((other) => known.includes(other)) ?? nearestName(name, known);
}
