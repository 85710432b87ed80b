import type { Padding2d, Size2d } from '../backend.ts';
import { showValue } from '../show-value.ts';

/** Ends the reading of a graph: `rule` says what must hold, `value` what is there. */
export type Reject = (rule: string, value: string) => never;

/** Checks one field's value and gives a copy. `place` is how errors call it. */
export type FieldReader<T> = (value: unknown, place: string, reject: Reject) => T;

/** A reader for each field of `T`; those that may be absent are marked. */
export type FieldReaders<T> = {
  readonly [Field in keyof T]-?: object extends Pick<T, Field>
    ? { readonly optional: FieldReader<NonNullable<T[Field]>> }
    : FieldReader<T[Field]>;
};

/** Larger numbers are no sizes, and sums and products of a few stay far from what a float64 counts exactly. */
const LARGEST_SIZE = 2 ** 31;
/** Kernels take at most rank 6, the batch included. */
const HIGHEST_RANK = 5;

/** An integer from `least` to `most`. */
export function integer(least: number, most: number = LARGEST_SIZE): FieldReader<number> {
  return (value, place, reject) =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most && !Object.is(value, -0)
      ? (value as number)
      : reject(`${place} must be an integer >= ${least} and <= ${most}`, showValue(value));
}

/** A finite number of which `holds` is true; `rule` says so in words. */
export function number(rule: string = 'a number', holds: (value: number) => boolean = () => true): FieldReader<number> {
  return (value, place, reject) =>
    typeof value === 'number' && Number.isFinite(value) && holds(value)
      ? value
      : reject(`${place} must be ${rule}`, showValue(value));
}

/** True or false. */
export const boolean: FieldReader<boolean> = (value, place, reject) =>
  typeof value === 'boolean' ? value : reject(`${place} must be true or false`, showValue(value));

/** One of some words. */
export function oneOf<const T extends string>(...allowed: readonly T[]): FieldReader<T> {
  return (value, place, reject) =>
    allowed.find((choice) => choice === value) ??
    reject(`${place} must be one of [${allowed.join(', ')}]`, showValue(value));
}

/** Text of a form; `rule` says it in words. */
export function matching(pattern: RegExp, rule: string): FieldReader<string> {
  return (value, place, reject) =>
    typeof value === 'string' && pattern.test(value) ? value : reject(`${place} must be ${rule}`, showValue(value));
}

/** `least` to `most` items. */
export function list<T>(item: FieldReader<T>, least: number, most: number = LARGEST_SIZE): FieldReader<T[]> {
  return (value, place, reject) => {
    if (!Array.isArray(value) || value.length < least || value.length > most) {
      const length = least === most ? String(least) : most === Infinity ? `at least ${least}` : `${least} to ${most}`;
      const current = Array.isArray(value) && value.length > most ? `one of ${value.length}` : showValue(value);
      return reject(`${place} must be a list of ${length}`, current);
    }
    return value.map((entry: unknown, index) => item(entry, `${place}[${index}]`, reject));
  };
}

/** Sizes of an example's axes, without the batch. */
export const exampleShape: FieldReader<number[]> = list(integer(1), 1, HIGHEST_RANK);

/** `[vertical, horizontal]`, both >= 1. */
export const size2d: FieldReader<Size2d> = (value, place, reject) =>
  list(integer(1), 2, 2)(value, place, reject) as [number, number];

/** Rows and columns around a map. */
export const padding2d: FieldReader<Padding2d> = (value, place, reject) =>
  readFields({ top: integer(0), bottom: integer(0), left: integer(0), right: integer(0) }, value, place, reject);

/** The own fields of an object. */
export function asObject(value: unknown, place: string, reject: Reject): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : reject(`${place} must be an object`, showValue(value));
}

/** Copies an object field by field, in the readers' order; no field may be missing or over. Undefined is absent. */
export function readFields<T>(readers: FieldReaders<T>, value: unknown, place: string, reject: Reject): T {
  const fields = asObject(value, place, reject);
  const known = Object.keys(readers) as (keyof T & string)[];
  for (const [field, given] of Object.entries(fields)) {
    if (given !== undefined && !Object.hasOwn(readers, field)) {
      reject(`${place} must have only the fields [${known.join(', ')}]`, showValue(field));
    }
  }
  const result: Partial<Record<keyof T, unknown>> = {};
  for (const field of known) {
    const entry: FieldReader<unknown> | { readonly optional: FieldReader<unknown> } = readers[field];
    const given = Object.hasOwn(fields, field) ? fields[field] : undefined;
    const reader = typeof entry === 'function' ? entry : entry.optional;
    if (given !== undefined) result[field] = reader(given, place === 'graph' ? field : `${field} of ${place}`, reject);
    else if (typeof entry === 'function')
      reject(`${place} must have the field '${field}'`, showValue(Object.keys(fields)));
  }
  return result as T;
}
