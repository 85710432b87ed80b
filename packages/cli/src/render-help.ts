import { Command as Parser } from 'commander';
import { buildParser, configureHelp } from './build-parser.ts';
import type { Command } from './command.ts';
import { commands } from './commands.ts';
import type { Terminal } from './terminal.ts';

/** The help of `dafl` itself. Loads no command. */
export function renderHelp(terminal: Terminal): string {
  const parser = new Parser('dafl')
    .usage('<command> [flags]')
    .description('Compress a trained image classifier without its training data.')
    .helpOption('-h, --help', 'Show this help')
    .helpCommand(false)
    .option('-V, --version', 'Show the version');
  for (const [name, { summary }] of Object.entries(commands)) {
    parser.command(name).description(summary).usage(' ');
  }
  const more = [
    '',
    terminal.style('bold', 'Start here:'),
    '  dafl demo',
    '  dafl distill lenet5-mnist --student half --eval mnist',
    '',
    "'dafl <command> --help' lists the flags of a command.",
    '',
  ];
  return configureHelp(parser, terminal).helpInformation() + more.join('\n');
}

/** The help of one command: what most need, or all of it. */
export function renderCommandHelp(command: Command, terminal: Terminal, extent: 'short' | 'all'): string {
  const needed = command.flags.filter(({ isAdvanced }) => isAdvanced !== true);
  const hidden = command.flags.length - needed.length;
  const isShort = extent === 'short' && hidden > 0;
  const flags = isShort
    ? needed.map((flag) => ({ ...flag, description: flag.summary ?? flag.description, group: undefined }))
    : command.flags;
  const parser = buildParser({ ...command, flags }).usage(usageOf(command));
  const examples = ['', terminal.style('bold', 'Examples:'), ...command.examples.map((line) => `  ${line}`), ''];
  const more = isShort ? `\n'dafl ${command.name} --help-all' shows all ${command.flags.length} flags.\n` : '';
  return configureHelp(parser, terminal).helpInformation() + examples.join('\n') + more;
}

function usageOf(command: Command): string {
  return [...(command.operands ?? []).map(({ name }) => name), '[flags]'].join(' ');
}
