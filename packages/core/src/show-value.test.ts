import { expect, test } from 'vitest';
import { showValue } from './show-value.ts';

test.each([
  ['text', "'text'"],
  ['a'.repeat(200), `'${'a'.repeat(100)}...'`],
  ['red \u001b[31m', "'red \\u001b[31m'"],
  ['\u202egnp.exe', "'\\u202egnp.exe'"],
  ['line\nline\u2028', "'line\\u000aline\\u2028'"],
  [['a', 1, null, [2]], "['a', 1, null, a list]"],
  [new Map(), 'an object'],
  [{ a: 1 }, 'an object'],
  [undefined, 'undefined'],
  [-0.5, '-0.5'],
])('showValue(%j)', (value, shown) => {
  expect(showValue(value)).toBe(shown);
});
