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
    '  dafl distill --teacher lenet5-mnist --student half --eval mnist',
    '',
    "'dafl <command> --help' lists the flags of a command.",
    '',
  ];
  return configureHelp(parser, terminal).helpInformation() + more.join('\n');
}

/** The help of one command. */
export function renderCommandHelp(command: Command, terminal: Terminal): string {
  const help = configureHelp(buildParser(command).usage(usageOf(command)), terminal).helpInformation();
  const examples = ['', terminal.style('bold', 'Examples:'), ...command.examples.map((line) => `  ${line}`), ''];
  return help + examples.join('\n');
}

function usageOf(command: Command): string {
  return [...(command.operands ?? []), '[flags]'].join(' ');
}
