import { ShellCompDirective as directives } from '@bomb.sh/tab';
import { listTeachers } from '@dafl/models';
import { describeOptions, widthShares } from '@dafl/run/options';
import { allFlags } from './build-parser.ts';
import type { Command } from './command.ts';
import { commands } from './commands.ts';
import { commonFlags } from './common-flags.ts';
import type { Flag } from './flag.ts';

/** What may stand in place of a word. */
interface Completions {
  /** Values, each with what it means. */
  readonly values: readonly (readonly [value: string, meaning: string])[];
  /** What the shell adds. */
  readonly otherwise: 'files' | 'folders' | 'nothing';
}

const otherwiseDirectives = {
  files: directives.ShellCompDirectiveDefault,
  folders: directives.ShellCompDirectiveFilterDirs,
  nothing: directives.ShellCompDirectiveNoFileComp,
} as const;

/**
 * Answers the shell scripts of `dafl completion`: a line for each value that the last word may become, and a last one that
 * says what the shell is to add. The words are answered here and not by tab, which never lets the shell add files.
 *
 * @param words What was typed after `dafl`; the last one is to be completed and may be empty.
 */
export async function completeWords(words: readonly string[]): Promise<string> {
  const { values, otherwise } = await complete(words);
  const word = words.at(-1) ?? '';
  const lines = values.filter(([value]) => value.startsWith(word)).map(([value, meaning]) => `${value}\t${meaning}`);
  return [...lines, `:${otherwiseDirectives[otherwise]}`, ''].join('\n');
}

async function complete(words: readonly string[]): Promise<Completions> {
  const word = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const position = before.findIndex((text) => !text.startsWith('-'));
  if (position === -1) return word.startsWith('-') ? listFlags(commonFlags) : listCommands();
  const [first, second] = before.slice(position);
  const name = Object.hasOwn(commands, `${first} ${second}`) ? `${first} ${second}` : first;
  if (!Object.hasOwn(commands, name)) return { values: [], otherwise: 'files' };
  const command = await commands[name].load();
  const flags = allFlags(command);
  const previous = flags.find((flag) => `--${flag.name}` === before.at(-1));
  if (previous?.placeholder !== undefined && previous.isValueOptional !== true) return valuesOf(command, previous);
  if (word.startsWith('-')) return listFlags(flags);
  const operands = countOperands(before.slice(position + name.split(' ').length), flags);
  return await valuesOfOperand(command, operands, name);
}

function listCommands(): Completions {
  const names = Object.entries(commands).filter(([name]) => !name.includes(' '));
  return { values: names.map(([name, { summary }]) => [name, summary]), otherwise: 'nothing' };
}

function listFlags(flags: readonly Flag[]): Completions {
  return {
    values: [
      ...flags.map((flag) => [`--${flag.name}`, flag.summary ?? flag.description] as const),
      ['--help', 'Show the help'],
    ],
    otherwise: 'nothing',
  };
}

/** What a flag takes: one of its names, or a file. */
function valuesOf(command: Command, { key, placeholder = '' }: Flag): Completions {
  const option = describeOptions(command.schema)[key];
  const names = (option?.enum ?? option?.items?.enum ?? []).map((value) => [String(value), ''] as const);
  if (names.length > 0) return { values: names, otherwise: 'nothing' };
  const known = placeholder.split('|').filter((name) => ['mnist', 'none'].includes(name));
  const otherwise = /file|path/.test(placeholder) ? 'files' : /folder/.test(placeholder) ? 'folders' : 'nothing';
  const shares = key === 'student' ? [...widthShares.keys(), 'low-rank'] : [];
  return {
    values: [...known, ...shares].map((name) => [name, '']),
    otherwise: key === 'student' ? 'files' : otherwise,
  };
}

function countOperands(words: readonly string[], flags: readonly Flag[]): number {
  let count = 0;
  for (let index = 0; index < words.length; index++) {
    if (!words[index].startsWith('-')) count++;
    else if (flags.some((flag) => `--${flag.name}` === words[index] && flag.placeholder !== undefined)) index++;
  }
  return count;
}

async function valuesOfOperand(command: Command, position: number, name: string): Promise<Completions> {
  const operand = command.operands[position] ?? command.operands.filter(({ isSeveral }) => isSeveral)[0];
  if (operand === undefined) return { values: [], otherwise: 'nothing' };
  const names = (describeOptions(command.schema)[operand.key].enum ?? []).map((value) => [String(value), ''] as const);
  if (names.length > 0) return { values: names, otherwise: 'nothing' };
  const words = Object.keys(commands).filter((known) => known.startsWith(`${name} `));
  const isModel = operand.key === 'teacher' || operand.key === 'model';
  return {
    values: [
      ...(isModel ? listTeachers() : []).map((teacher) => [teacher, 'built in'] as const),
      ...(position === 0 ? words : []).map((known) => [known.slice(name.length + 1), commands[known].summary] as const),
    ],
    otherwise: 'files',
  };
}
