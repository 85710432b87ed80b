import { createRequire } from 'node:module';
import type { Command, CommandContext } from './command.ts';
import { commands } from './commands.ts';
import { commonFlags, shortFlags } from './common-flags.ts';
import { exitCodes } from './exit-code.ts';
import { watchInterruption } from './interruption.ts';
import { renderCommandHelp, renderHelp } from './render-help.ts';
import { quietTerminal, type Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/**
 * Runs the `dafl` command.
 *
 * @param parameters What was typed after `dafl`.
 * @returns The exit code. Errors are told on the terminal, not thrown.
 */
export async function runCli(parameters: readonly string[], terminal: Terminal): Promise<number> {
  // Until the flags are parsed, as they were typed: a mistake in them is told in the same way.
  const typed = parameters.slice(0, parameters.includes('--') ? parameters.indexOf('--') : undefined);
  const isJson = typed.includes('--json');
  const isVerbose = typed.includes('--verbose');
  const isQuiet = typed.includes('--quiet') || typed.includes('-q');
  const interruption = watchInterruption(terminal);
  let command: Command | undefined;
  try {
    const context = {
      terminal: isQuiet ? quietTerminal(terminal) : terminal,
      isJson,
      isVerbose,
      isQuiet,
      showsImages: !isJson && !isQuiet && !typed.includes('--no-images'),
      signal: interruption.signal,
    };
    const code = await dispatch(parameters, context, (loaded) => {
      command = loaded;
      interruption.graceMs = loaded.graceMs ?? interruption.graceMs;
    });
    await terminal.settle();
    if (terminal.refusal !== undefined) throw terminal.refusal;
    // Where nobody read it, nothing was told, whatever was done.
    const isCut = code === exitCodes.interrupted || interruption.isUnread;
    return (isCut ? interruption.exitCode : undefined) ?? code;
  } catch (thrown) {
    const { describeError } = await import('@dafl/run/describe-error');
    const error = terminal.refusal === undefined ? thrown : await describeRefusal(terminal.refusal);
    const { code, exitCode, message: told } = describeError(error);
    const message = command === undefined ? told : await nameTyped(told, command, typed);
    if (isJson) terminal.out(`${JSON.stringify({ event: 'error', code, message })}\n`);
    if (code === 'INTERRUPTED') {
      terminal.alert('Interrupted\n');
      return interruption.exitCode ?? exitCode;
    }
    terminal.alert(`${terminal.style('red', 'error:', 'err')} ${message}\n`);
    if (isVerbose && error instanceof Error) terminal.alert(`${describeStack(error)}\n`);
    else if (code === 'INTERNAL') terminal.alert('This should not happen. --verbose shows where it came from\n');
    return exitCode;
  } finally {
    interruption.stop();
  }
}

async function dispatch(
  parameters: readonly string[],
  context: CommandContext,
  onLoaded: (command: Command) => void,
): Promise<number> {
  const { terminal, isJson } = context;
  const { before, name, after } = splitAtCommand(parameters);
  if (before.includes('--version') || before.includes('-V')) {
    const { version } = createRequire(import.meta.url)('../package.json') as { version: string };
    terminal.out(`${isJson ? JSON.stringify({ event: 'version', version }) : version}\n`);
    return exitCodes.done;
  }
  // What the shell asks when Tab is pressed.
  if (name === 'complete' && after[0] === '--') {
    terminal.out(await (await import('./complete-words.ts')).completeWords(after.slice(1)));
    return exitCodes.done;
  }
  if (name === 'help') return await dispatch([...before, ...after, '--help'], context, onLoaded);
  if (name === undefined && before.length === 0 && terminal.hasKeyboard && terminal.isInteractive)
    return await (await import('./start-interactively.ts')).startInteractively(context);
  if (name === undefined) {
    const list = Object.entries(commands).map(([command, { summary }]) => ({ name: command, summary }));
    terminal.out(isJson ? `${JSON.stringify({ event: 'commands', commands: list })}\n` : renderHelp(terminal));
    return before.some((flag) => helpFlags.includes(flag)) ? exitCodes.done : exitCodes.usage;
  }
  if (!Object.hasOwn(commands, name)) throw await unknownCommand(name);
  const command = await commands[name].load();
  onLoaded(command);
  // The list of commands is shown without it, and 20 ms sooner.
  const { parseArguments } = await import('./parse-arguments.ts');
  const { given, help } = parseArguments(command, [...before, ...after]);
  if (help !== undefined) {
    terminal.out(isJson ? await renderJsonHelp(command) : renderCommandHelp(command, terminal, help));
    return exitCodes.done;
  }
  return await command.run(given, context);
}

const helpFlags = ['--help', '-h', '--help-all'];

/** The command, and what stands before and after it: flags that each command has may stand before. */
function splitAtCommand(parameters: readonly string[]): {
  readonly before: readonly string[];
  readonly name: string | undefined;
  readonly after: readonly string[];
} {
  const position = parameters.findIndex((text) => !text.startsWith('-'));
  const before = position === -1 ? parameters : parameters.slice(0, position);
  const known = [...commonFlags.map(({ name }) => `--${name}`), ...shortFlags, '--help', '-h', '--version', '-V'];
  const unknown = before.find((flag) => !known.includes(flag));
  if (unknown !== undefined) {
    throw new UsageError(
      `Cannot run dafl as a flag before the command must be one of [${known.join(', ')}]: current value is '${unknown}'. Flags of a command stand after it`,
    );
  }
  if (position === -1) return { before, name: undefined, after: [] };
  const [name, second, ...others] = parameters.slice(position);
  // Of two words: dafl runs compare.
  if (second !== undefined && Object.hasOwn(commands, `${name} ${second}`))
    return { before, name: `${name} ${second}`, after: others };
  return { before, name, after: parameters.slice(position + 1) };
}

/** What is no command here, and where it is. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  resume: '. Type dafl distill --resume <folder>',
  report:
    '. distill and train write the report by themselves: report.html in the folder of the run, or beside the model',
};

async function unknownCommand(name: string): Promise<UsageError> {
  const { nearestName } = await import('@dafl/run/options');
  const names = Object.keys(commands);
  const nearest = nearestName(name, names);
  const advice = ELSEWHERE[name] ?? (nearest === undefined ? '' : `. Did you mean '${nearest}'?`);
  return new UsageError(
    `Cannot run dafl as the command must be one of [${names.join(', ')}]: current value is '${name}'${advice}`,
  );
}

/** What a program needs to know of a command. */
async function renderJsonHelp({ name, description, schema, operands }: Command): Promise<string> {
  const { describeSchema } = await import('./describe-schema.ts');
  const help = { event: 'help', command: name, description, operands: operands.map(({ key }) => key) };
  return `${JSON.stringify({ ...help, arguments: describeSchema(schema) })}\n`;
}

/** What is told where the output's disk is full. */
async function describeRefusal(cause: Error): Promise<Error> {
  const { DaflError } = await import('@dafl/core');
  const message = `Cannot write the output as the file that it goes to must take it: current error is ${cause.message}`;
  return new DaflError('STORAGE', message, { cause });
}

/** Options as the flags that were typed. */
async function nameTyped(message: string, command: Command, typed: readonly string[]): Promise<string> {
  const { nameFlags } = await import('./name-flags.ts');
  return nameFlags(message, command, typed);
}

function describeStack(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${describeStack(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
