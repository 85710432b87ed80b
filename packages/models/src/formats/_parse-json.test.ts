import { DaflError } from '@dafl/core';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type JsonValue, parseJson } from './_parse-json.ts';
import { createReject } from './_reject.ts';

const parse = (text: string): JsonValue => parseJson(text, 'it', createReject('x', 'JSON'));

/** The value as `JSON.parse` would give it. */
function toPlain(value: JsonValue): unknown {
  if (Array.isArray(value)) return value.map(toPlain);
  if (!(value instanceof Map)) return value;
  const object = Object.create(null) as Record<string, unknown>;
  for (const [key, field] of value as ReadonlyMap<string, JsonValue>) object[key] = toPlain(field);
  return object;
}

/** The JSON of what `parser` makes of a text, or the message of its error. */
function outcome(parser: (text: string) => unknown, text: string): string {
  try {
    return JSON.stringify(parser(text));
  } catch (error) {
    return error instanceof DaflError ? error.message : 'SyntaxError';
  }
}

describe('parseJson', () => {
  test('agrees with JSON.parse on all that it writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.integer({ min: 0, max: 3 }), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(JSON.stringify(toPlain(parse(text)))).toBe(JSON.stringify(JSON.parse(text)));
      }),
      { numRuns: 500 },
    );
  });

  test('agrees with JSON.parse on what is JSON', () => {
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"b"',
      '1',
      '-0',
      '01',
      '1.',
      '1e5',
      'true',
      'null',
      ' ',
      '"\\u00e9"',
      '"\\x"',
      '\\',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 9 }), (parts) => {
        const text = parts.join('');
        const mine = outcome((json) => toPlain(parse(json)), text);
        const reference = outcome(JSON.parse, text);
        // The one difference: an object that has a key twice.
        const isRejected = mine.startsWith("Cannot read 'x' as JSON as it must be JSON: ");
        expect(mine.endsWith(' twice') || (isRejected ? 'SyntaxError' : mine) === reference).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('keeps __proto__ as a key', () => {
    expect(parse('{"__proto__":{"a":1}}')).toEqual(new Map([['__proto__', new Map([['a', 1]])]]));
    expect(({} as Record<string, unknown>)['a']).toBeUndefined();
  });

  test.each([
    ['', 'it must be JSON: current value is its end'],
    ['{"a":1', 'it must be JSON: current value is its end'],
    ['{"a":1}}', "it must be JSON: current value is '}' at 7"],
    ['{a:1}', "it must be JSON: current value is 'a' at 1"],
    ['[1,]', "it must be JSON: current value is ']' at 3"],
    ['[01]', "it must be JSON: current value is '0' at 1"],
    [`[${'1'.repeat(65)}]`, "it must be JSON: current value is '1' at 1"],
    ['NaN', "it must be JSON: current value is 'N' at 0"],
    ['"\\x"', 'it must be JSON: current value is a string with a bad escape at 0'],
    ['"a\nb"', "it must be JSON: current value is '\\u000a' at 2"],
    ['"a', 'it must be JSON: current value is its end'],
    ['"a\\', 'it must be JSON: current value is its end'],
    ['{"a":1,"a":2}', "it must have each key once: current value is 'a' twice"],
    ['[{"b":{"a":1,"\\u0061":2}}]', "it must have each key once: current value is 'a' twice"],
    ['['.repeat(100_000), 'it must nest at most 32 deep: current value is deeper at 32'],
  ])('rejects %.20s', (text, message) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ code: 'MODEL', message: `Cannot read 'x' as JSON as ${message}` }),
    );
  });

  test('takes a string of millions of characters', () => {
    const text = JSON.stringify('\\"'.repeat(2 ** 20));
    expect(parse(text)).toBe(JSON.parse(text));
  });
});
