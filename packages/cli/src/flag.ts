import { type OptionSchema, describeOptions, describeRule, flagName } from '@dafl/run/options';
import { parseDuration } from './parse-duration.ts';

/** One flag: what is typed, what it means, and how its text becomes a value. */
export interface Flag {
  /** Without the dashes: `'time-budget'`. */
  readonly name: string;
  /** One letter that stands for it: `'q'`. */
  readonly short?: string;
  /** The value's name in help; absent for a flag that takes none. */
  readonly placeholder?: string;
  /** Whether the flag may stand without its value, which is `true` then. */
  readonly isValueOptional?: boolean;
  readonly description: string;
  /** The same in a few words, for the short help; default: the description. */
  readonly summary?: string;
  /** Whether the command can't run without it. */
  readonly isRequired?: boolean;
  /** Whether few need it: only `--help-all` shows it. */
  readonly isAdvanced?: boolean;
  /** Shown in help. */
  readonly default?: string | number | boolean;
  /** Heading that it stands beneath in help. */
  readonly group?: string;
  /** What its value must be, where it is typed in another form than the option's. */
  readonly rule?: string;
  /** The option's own rule, that this one stands for. */
  readonly optionRule?: string;
  /** The option that it sets. */
  readonly key: string;
  /** Turns the text into a JSON value. What is wrong stays as it is, for the schema to name. */
  readonly parse?: (text: string) => unknown;
}

/** The flags of an option schema: the one source of names, help and parsing. */
export function flagsFromSchema(
  schema: Parameters<typeof describeOptions>[0],
  options: {
    /** Heading of an option in help; default: what its schema says. */
    readonly groupOf?: (key: string) => string;
    /** Keys of those that the short help shows; default: all that are not advanced. */
    readonly essential?: readonly string[];
  } = {},
): Flag[] {
  const { groupOf, essential } = options;
  const flags = Object.entries(describeOptions(schema)).filter(([, { flag }]) => flag !== false);
  return flags.map(([key, option]) => ({
    key,
    name: flagName(key, option),
    placeholder: option.type === 'boolean' ? undefined : (option.placeholder ?? placeholderOf(option)),
    description: option.description ?? '',
    summary: option.summary,
    default: option.default as Flag['default'],
    rule: option.flagRule,
    optionRule: option.flagRule === undefined ? undefined : describeRule(option),
    isRequired: option.isRequired,
    isAdvanced: option.isAdvanced === true || essential?.includes(key) === false,
    isValueOptional: option.isValueOptional,
    group: groupOf === undefined ? option.group : groupOf(key),
    parse: option.placeholder === 'duration' ? parseDuration : (text: string) => parseValue(text, option),
  }));
}

function placeholderOf(option: OptionSchema): string {
  if (option.enum !== undefined) return option.enum.join('|');
  if (option.prefixItems !== undefined) return 'list';
  if (option.type === 'array') return 'list';
  return option.type === 'integer' || option.type === 'number' ? 'number' : 'text';
}

function parseValue(text: string, option: OptionSchema): unknown {
  if (option.items?.type === 'string') {
    const names = text.split(',').map((item) => item.trim());
    const { enum: known } = option.items;
    return known === undefined || names.every((name) => known.includes(name)) ? names : text;
  }
  if (option.prefixItems !== undefined || option.type === 'array') {
    const numbers = text.split(',').map((item) => parseNumber(item));
    return numbers.every((item) => typeof item === 'number') ? numbers : text;
  }
  const kinds = [option, ...(option.anyOf ?? [])].map(({ type }) => type);
  return kinds.includes('integer') || kinds.includes('number') ? parseNumber(text) : text;
}

/** The number that a text is, or the text. */
function parseNumber(text: string): unknown {
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}
