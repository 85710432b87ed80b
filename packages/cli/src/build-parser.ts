import { Command as Parser, Option } from 'commander';
import type { Command } from './command.ts';
import { commonFlags } from './common-flags.ts';
import type { Flag } from './flag.ts';
import type { Terminal } from './terminal.ts';

/** The flags of a command, those that all have included. */
export function allFlags(command: Command): Flag[] {
  return [...command.flags, ...commonFlags];
}

/** Makes commander's form of a command from its table. It never prints, never exits and lets operands be missing. */
export function buildParser(command: Command, flags: readonly Flag[] = allFlags(command)): Parser {
  const parser = new Parser(`dafl ${command.name}`)
    .description(command.description)
    .addHelpOption(new Option('-h, --help', 'Show this help').helpGroup('Everywhere:'))
    .allowExcessArguments(true)
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {} });
  for (const { name, description } of command.operands) {
    parser.argument(name.replace(/^<(.*)>$/, '[$1]'), description);
  }
  for (const flag of flags) parser.addOption(buildOption(flag));
  return parser;
}

/** Commander's form of a flag. */
export function buildOption(flag: Flag): Option {
  const value =
    flag.placeholder === undefined ? '' : flag.isValueOptional ? ` [${flag.placeholder}]` : ` <${flag.placeholder}>`;
  const shown = flag.default === undefined || flag.default === false ? '' : ` (default: ${String(flag.default)})`;
  const required = flag.isRequired === true ? ' (required)' : '';
  const option = new Option(
    `${flag.short === undefined ? '' : `-${flag.short}, `}--${flag.name}${value}`,
    flag.description + required + shown,
  );
  return flag.group === undefined ? option : option.helpGroup(flag.group);
}

/** Help of the terminal's width, from 80 to 120 characters, with headings that stand out. */
export function configureHelp(parser: Parser, terminal: Terminal): Parser {
  return parser.configureHelp({
    helpWidth: Math.max(80, Math.min(120, terminal.columns)),
    minWidthToWrap: 24,
    styleTitle: (title) => terminal.style('bold', title),
  });
}
