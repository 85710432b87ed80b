import { showValue } from '@dafl/core';
import type { Reject } from './_reject.ts';

/** A JSON object, as a map: no key of it can reach a prototype. */
export type JsonObject = ReadonlyMap<string, JsonValue>;

/** What JSON holds. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

const DEEPEST = 32;
/** Longer numbers say nothing more: a float64 takes 24 characters. */
const LONGEST_NUMBER = 64;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * Parses JSON from an untrusted source. Unlike `JSON.parse` it rejects an object that has a key twice (where
 * `JSON.parse` takes the last, and other readers the first) and nesting that could exhaust the stack.
 *
 * @param what How errors call the text, such as `'its header'`.
 */
export function parseJson(text: string, what: string, reject: Reject): JsonValue {
  let position = 0;

  const fail = (): never =>
    reject(`${what} must be JSON`, position < text.length ? `${showValue(text[position])} at ${position}` : 'its end');

  function skipSpace(): void {
    while (' \t\n\r'.includes(text[position] ?? '-')) position++;
  }

  /** Takes `character`, after space, if it is next. */
  function take(character: string): boolean {
    skipSpace();
    if (text[position] !== character) return false;
    position++;
    return true;
  }

  function word(expected: string): boolean {
    if (!text.startsWith(expected, position)) return false;
    position += expected.length;
    return true;
  }

  function parseString(): string {
    const start = position++;
    // No regular expression, which would keep a way back for each of a hostile string's millions of characters.
    for (; text[position] !== '"'; position++) {
      if (position >= text.length || text.charCodeAt(position) < 0x20) fail();
      if (text[position] === '\\') position++;
    }
    position++;
    try {
      return JSON.parse(text.slice(start, position)) as string;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return reject(`${what} must be JSON`, `a string with a bad escape at ${start}`);
    }
  }

  function parseNumber(): number {
    const start = position;
    while (position - start <= LONGEST_NUMBER && /[-+.eE\d]/.test(text[position] ?? '')) position++;
    const token = text.slice(start, position);
    if (token.length <= LONGEST_NUMBER && NUMBER.test(token)) return Number(token);
    position = start;
    return fail();
  }

  function parseValue(depth: number): JsonValue {
    if (depth > DEEPEST) reject(`${what} must nest at most ${DEEPEST} deep`, `deeper at ${position}`);
    skipSpace();
    if (text[position] === '"') return parseString();
    if (take('{')) {
      const object = new Map<string, JsonValue>();
      if (take('}')) return object;
      do {
        skipSpace();
        if (text[position] !== '"') fail();
        const key = parseString();
        if (object.has(key)) reject(`${what} must have each key once`, `${showValue(key)} twice`);
        if (!take(':')) fail();
        object.set(key, parseValue(depth + 1));
      } while (take(','));
      return take('}') ? object : fail();
    }
    if (take('[')) {
      const array: JsonValue[] = [];
      if (take(']')) return array;
      do array.push(parseValue(depth + 1));
      while (take(','));
      return take(']') ? array : fail();
    }
    if (word('true')) return true;
    if (word('false')) return false;
    if (word('null')) return null;
    return parseNumber();
  }

  const value = parseValue(1);
  skipSpace();
  return position < text.length ? fail() : value;
}
