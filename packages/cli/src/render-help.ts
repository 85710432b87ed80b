import { Command as Parser } from 'commander';
import { allFlags, buildOption, buildParser, configureHelp } from './build-parser.ts';
import type { Command } from './command.ts';
import { commands } from './commands.ts';
import { commonFlags } from './common-flags.ts';
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
    parser.addCommand(new Parser(name).description(summary).usage(' '));
  }
  for (const flag of commonFlags) parser.addOption(buildOption({ ...flag, group: 'Everywhere:' }));
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
  const isShort = extent === 'short';
  const needed = command.flags.filter(({ isAdvanced }) => isAdvanced !== true);
  const flags = isShort
    ? needed.map((flag) => ({ ...flag, description: flag.summary ?? flag.description, group: undefined }))
    : allFlags(command);
  const parser = buildParser(command, flags).usage(usageOf(command));
  if (isShort) parser.helpOption(false);
  const examples = ['', terminal.style('bold', 'Examples:'), ...command.examples.map((line) => `  ${line}`), ''];
  const common = commonFlags.filter(({ key }) => key !== 'helpAll').map(({ name }) => `--${name}`);
  const more = isShort
    ? [
        `${terminal.style('bold', 'Everywhere:')} ${common.join(', ')}`,
        ...(needed.length < command.flags.length
          ? [`'dafl ${command.name} --help-all' shows all ${command.flags.length} flags.`]
          : []),
        '',
      ]
    : [];
  return configureHelp(parser, terminal).helpInformation() + [...examples, ...more].join('\n');
}

function usageOf(command: Command): string {
  return [...command.operands.map(({ name }) => name), '[flags]'].join(' ');
}
