import { fail } from '@dafl/core';
import { z } from 'zod';
import { nearestName } from './nearest-name.ts';

/** The parts of a JSON Schema that rules, flags and help are written from. */
export interface OptionSchema {
  readonly type?: string;
  readonly description?: string;
  /** The same in a few words, for a list of the options that most need. */
  readonly summary?: string;
  /** Whether it must be given. */
  readonly isRequired?: boolean;
  readonly default?: unknown;
  readonly enum?: readonly (string | number)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly prefixItems?: readonly OptionSchema[];
  readonly items?: OptionSchema;
  readonly anyOf?: readonly OptionSchema[];
  /** What messages call the values that are allowed, where the schema cannot say it well. */
  readonly rule?: string;
  /** The same for those who type a flag, where it takes another form. */
  readonly flagRule?: string;
  /** The flag's name, false for none, and the name of its value, where they differ from what the key says. */
  readonly flag?: string | false;
  readonly placeholder?: string;
  /** What it is called where it is given without a flag; default: its key. */
  readonly operand?: string;
  /** Heading that the flag stands beneath. */
  readonly group?: string;
  /** Whether few need the flag. */
  readonly isAdvanced?: boolean;
  /** Whether the flag may stand without its value, which is `true` then. */
  readonly isValueOptional?: boolean;
}

/** A schema of options, key by key: every option of the type is in it, with its type. */
export type OptionsSchema<Options> = z.ZodObject<
  { readonly [Name in keyof Options]-?: z.ZodType<Options[Name]> },
  z.core.$strict
>;

const schemas = new WeakMap<z.ZodType, Readonly<Record<string, OptionSchema>>>();

/** The options of an object schema by name, in order. */
export function describeOptions(schema: z.ZodType): Readonly<Record<string, OptionSchema>> {
  const known = schemas.get(schema);
  if (known !== undefined) return known;
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input' });
  const described = Object.fromEntries(
    Object.entries(properties).map(([name, option]) => [
      name,
      { ...(option as OptionSchema), isRequired: required.includes(name) },
    ]),
  );
  schemas.set(schema, described);
  return described;
}

/** What values an option takes, to be read after "must be": `an integer >= 1`. */
export function describeRule(option: OptionSchema): string {
  if (option.rule !== undefined) return option.rule;
  if (option.enum !== undefined) return listNames(option.enum);
  if (option.anyOf !== undefined) return option.anyOf.map(describeRule).join(' or ');
  if (option.prefixItems !== undefined) {
    return `${option.prefixItems.length} values, each ${describeRule(option.prefixItems[0])}`;
  }
  if (option.type === 'array') return describeList(option.items ?? {});
  if (option.type === 'string') return 'a text that is not empty';
  if (option.type === 'boolean') return 'true or false';
  const kind = option.type === 'integer' ? 'an integer' : 'a number';
  const limits = [
    option.exclusiveMinimum !== undefined ? `> ${option.exclusiveMinimum}` : null,
    option.minimum !== undefined && option.minimum > Number.MIN_SAFE_INTEGER ? `>= ${option.minimum}` : null,
    option.exclusiveMaximum !== undefined ? `< ${option.exclusiveMaximum}` : null,
    option.maximum !== undefined && option.maximum < Number.MAX_SAFE_INTEGER ? `<= ${option.maximum}` : null,
  ].filter((limit) => limit !== null);
  return limits.length === 0 ? kind : `${kind} ${limits.join(' and ')}`;
}

function listNames(values: readonly (string | number)[]): string {
  const names = values.map((value) => `'${value}'`);
  return names.length === 1 ? names[0] : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

function describeList(items: OptionSchema): string {
  if (items.enum !== undefined) return `a list of ${listNames(items.enum)}`;
  return items.type === 'string' ? 'a list of texts' : 'a list of numbers';
}

/**
 * Checks options against their schema, all at once and before anything is done with them.
 *
 * @param action What cannot be done with bad ones: `'distill'`.
 * @returns The options with their defaults.
 * @throws {DaflError} `USAGE`, naming the first option that is wrong, and the nearest known name of an unknown one.
 */
export function parseOptions<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  action: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const options = describeOptions(schema);
  const issue = parsed.error.issues[0];
  if (issue.code === 'unrecognized_keys') {
    const name = issue.keys[0];
    const nearest = nearestName(name, Object.keys(options));
    const advice = nearest === undefined ? '' : `. Did you mean '${nearest}'?`;
    fail({ cannot: action, as: 'each option must be known', value: `'${name}'${advice}` });
  }
  const name = String(issue.path[0] ?? '');
  if (name === '') {
    fail({ cannot: action, as: 'the options must be an object', value: show(value) });
  }
  const current = (value as Record<string, unknown>)[name];
  if (current === undefined) {
    fail({ cannot: action, as: `'${name}' must be given`, value: 'none' });
  }
  const rule = options[name] === undefined ? issue.message : describeRule(options[name]);
  // Of names of three letters most are near each other.
  const names = (options[name]?.enum ?? []).map(String).filter((known) => known.length > 3);
  const nearest = typeof current === 'string' ? nearestName(current, names) : undefined;
  const advice = nearest === undefined ? '' : `. Did you mean '${nearest}'?`;
  fail({ cannot: action, as: `'${name}' must be ${rule}`, value: `${show(current)}${advice}` });
}

const MOST_SHOWN = 200;

/** A value as a message shows it, however long or deep it is. */
function show(value: unknown): string {
  if (typeof value === 'string') return `'${shorten(value)}'`;
  if (isNested(value)) return 'a nested list or object';
  return shorten(JSON.stringify(value) ?? String(value));
}

function shorten(text: string): string {
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)}...`;
}

function isNested(value: unknown): boolean {
  const isComposite = (item: unknown): item is object => typeof item === 'object' && item !== null;
  return (
    isComposite(value) &&
    Object.values(value).some((item) => isComposite(item) && Object.values(item).some(isComposite))
  );
}
