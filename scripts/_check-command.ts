import { parseOptions } from '@dafl/run/options';
import { allFlags } from '../packages/cli/src/build-parser.ts';
import { commands } from '../packages/cli/src/commands.ts';
import { parseArguments } from '../packages/cli/src/parse-arguments.ts';
import { splitWords } from './_documented-commands.ts';
import { readManifest, repositoryRoot } from './workspace.ts';

/** What npm itself does. */
const NPM = ['ci', 'install', 'publish', 'test', 'pack', 'audit'];

/** Flags that stand before a command as well as after it. */
const GLOBAL = ['--json', '--quiet', '-q', '--verbose', '--version', '-V', '--help', '-h', '--help-all'];

/**
 * Says what is wrong with a command of the documentation, without running it: unknown commands, flags and values of
 * dafl, and unknown scripts of the repository. Null: nothing, or another program's.
 *
 * @param isMention Whether only the command and its flags must be known, as in a sentence.
 */
export async function checkCommand(text: string, isMention = false): Promise<string | null> {
  // A synopsis, not a command.
  if (/<\w|\[\w|…/.test(text)) return null;
  const words = splitWords(text);
  const given = daflWords(words);
  if (given !== null) return await checkDafl(given, isMention);
  if (words[0] !== 'npm') return null;
  const { scripts = {} } = readManifest(repositoryRoot) as { readonly scripts?: Readonly<Record<string, string>> };
  if (words[1] === 'run') return words[2] in scripts ? null : `no script is called '${words[2]}'`;
  return NPM.includes(words[1]) ? null : `npm has no command '${words[1]}' that is known here`;
}

/** What is typed after `dafl`, whichever way that is started; null for another program. */
export function daflWords(words: readonly string[]): string[] | null {
  const text = words.join(' ');
  const [start] =
    /^(?:npx (?:--yes |--prefix \S+ )?(?:@dafl\/cli|dafl)|bunx @dafl\/cli|deno run \S+ npm:@dafl\/cli|npm run (?:--silent )?dafl --|npm run demo(?: --)?|dafl|docker run .*? dafl)(?= |$)/.exec(
      text,
    ) ?? [];
  if (start === undefined) return null;
  const rest = text.slice(start.length).trim().split(' ').filter(Boolean);
  return start.startsWith('npm run demo') ? ['demo', ...rest] : rest;
}

async function checkDafl(words: string[], isMention: boolean): Promise<string | null> {
  const after = [...words];
  while (GLOBAL.includes(after[0])) after.shift();
  let name = after.shift();
  if (name === undefined || name === 'help') return null;
  if (`${name} ${after[0]}` in commands) name = `${name} ${after.shift()}`;
  if (!(name in commands)) return `dafl has no command '${name}'`;
  const command = await commands[name].load();
  if (isMention) {
    const known = [...allFlags(command).map((flag) => `--${flag.name}`), ...GLOBAL];
    const unknown = after.find((word) => word.startsWith('--') && !known.includes(word.split('=')[0]));
    return unknown === undefined ? null : `'dafl ${name}' has no flag '${unknown}'`;
  }
  try {
    const { given, help } = parseArguments(
      command,
      after.filter((word) => !['--json', '--quiet', '-q', '--verbose'].includes(word)),
    );
    if (help === undefined) parseOptions(command.schema, given, `run 'dafl ${name}'`);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
