import { createRequire } from 'node:module';
import type { Command, CommandContext } from './command.ts';
import { commands } from './commands.ts';
import { exitCodes } from './exit-code.ts';
import { watchInterruption } from './interruption.ts';
import { parseArguments } from './parse-arguments.ts';
import { renderCommandHelp, renderHelp } from './render-help.ts';
import type { Terminal } from './terminal.ts';
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
  const interruption = watchInterruption(terminal);
  let command: Command | undefined;
  try {
    const code = await dispatch(parameters, { terminal, isJson, isVerbose, signal: interruption.signal }, (loaded) => {
      command = loaded;
      interruption.graceMs = loaded.graceMs ?? interruption.graceMs;
    });
    await terminal.settle();
    // Where nobody read it, nothing was told, whatever was done.
    const isCut = code === exitCodes.interrupted || interruption.isUnread;
    return (isCut ? interruption.exitCode : undefined) ?? code;
  } catch (error) {
    const { describeError } = await import('@dafl/run/describe-error');
    const { code, exitCode, message: told } = describeError(error);
    const message = command === undefined ? told : await nameTyped(told, command);
    if (isJson) terminal.out(`${JSON.stringify({ event: 'error', code, message })}\n`);
    if (code === 'INTERRUPTED') {
      terminal.err('Interrupted\n');
      return interruption.exitCode ?? exitCode;
    }
    terminal.err(`${terminal.style('red', 'error:', 'err')} ${message}\n`);
    if (isVerbose && error instanceof Error) terminal.err(`${describeStack(error)}\n`);
    else if (code === 'INTERNAL') terminal.err('This should not happen. --verbose shows where it came from\n');
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
  const { terminal } = context;
  const [name, ...rest] = parameters;
  if (name === undefined || name === '--help' || name === '-h' || (name === 'help' && rest.length === 0)) {
    terminal.out(renderHelp(terminal));
    return name === undefined ? exitCodes.usage : exitCodes.done;
  }
  if (name === '--version' || name === '-V') {
    terminal.out(`${(createRequire(import.meta.url)('../package.json') as { version: string }).version}\n`);
    return exitCodes.done;
  }
  if (name === 'help') return await dispatch([rest[0], '--help'], context, onLoaded);
  if (!Object.hasOwn(commands, name)) throw await unknownCommand(name);
  const command = await commands[name].load();
  onLoaded(command);
  const { values, operands, help } = parseArguments(command, rest);
  if (help !== undefined) {
    terminal.out(renderCommandHelp(command, terminal, help));
    return exitCodes.done;
  }
  return await command.run(values, operands, context);
}

async function unknownCommand(name: string): Promise<UsageError> {
  const { nearestName } = await import('@dafl/run/options');
  const names = Object.keys(commands);
  const nearest = nearestName(name, names);
  const advice = nearest === undefined ? '' : `. Did you mean '${nearest}'?`;
  const subject = name.startsWith('-')
    ? 'a command must come first'
    : `the command must be one of [${names.join(', ')}]`;
  return new UsageError(`Cannot run dafl as ${subject}: current value is '${name}'${advice}`);
}

/** Options as the flags that were typed. */
async function nameTyped(message: string, command: Command): Promise<string> {
  const { nameFlags } = await import('./name-flags.ts');
  return nameFlags(message, command);
}

function describeStack(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${describeStack(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
