import { describeOptions, parseOptions } from '@dafl/run/options';
import type { z } from 'zod';
import type { Command, CommandContext, Operand } from './command.ts';
import { flagsFromSchema } from './flag.ts';

/** What a command is made of. */
export interface CommandDefinition<Arguments extends z.ZodObject> {
  readonly name: string;
  /** One sentence, shown above the flags. */
  readonly description: string;
  /** All that may be given: types, checks, defaults, flags and help come from here. */
  readonly arguments: Arguments;
  /** Arguments that are given without a flag, in order; those that have one as well may be given by it. */
  readonly operands?: readonly (keyof z.output<Arguments> & string)[];
  /** Heading of an argument in help; default: what its schema says. */
  readonly groupOf?: (key: string) => string;
  /** Arguments that the short help shows; default: all that are not advanced. */
  readonly essential?: readonly (keyof z.output<Arguments> & string)[];
  /** Milliseconds that it may take to end when it is interrupted, where it needs more than a second or two. */
  readonly graceMs?: number;
  /** Lines shown beneath the flags. */
  readonly examples: readonly string[];
  /**
   * Does the work. What it needs beyond help it loads itself, so that help needs no backend.
   *
   * @param values The arguments with their defaults.
   * @param given Those that were typed.
   * @returns The exit code.
   */
  run(values: z.output<Arguments>, context: CommandContext, given: Partial<z.output<Arguments>>): Promise<number>;
}

/** Makes a command of the schema of its arguments. */
export function defineCommand<Arguments extends z.ZodObject>(definition: CommandDefinition<Arguments>): Command {
  const { name, description, arguments: schema, groupOf, essential, graceMs, examples } = definition;
  const options = describeOptions(schema);
  const operands = (definition.operands ?? []).map((key): Operand => {
    const { description: meaning = '', operand = key, isRequired = false, type } = options[key];
    const isSeveral = type === 'array';
    const shown = isSeveral ? `${operand}...` : operand;
    return { key, isRequired, isSeveral, description: meaning, name: isRequired ? `<${shown}>` : `[${shown}]` };
  });
  const flags = flagsFromSchema(schema, { groupOf, essential }).map((flag) => {
    const operand = operands.find(({ key }) => key === flag.key);
    if (operand === undefined) return flag;
    const same = `The same as <${operand.name.slice(1, -1)}>`;
    return { ...flag, description: same, summary: undefined, isRequired: false, isAdvanced: true };
  });
  return {
    name,
    description,
    schema,
    operands,
    flags,
    graceMs,
    examples,
    async run(given, context) {
      const values = parseOptions(schema, given, `run 'dafl ${name}'`);
      const typed = Object.fromEntries(Object.entries(values).filter(([key]) => given[key] !== undefined));
      return await definition.run(values, context, typed as Partial<z.output<Arguments>>);
    },
  };
}
