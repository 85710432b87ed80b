import { afterEach, beforeEach } from 'vitest';

/**
 * Fails each test that writes to the console. A test that expects such output replaces the method by
 * `vi.spyOn(console, ...)` and asserts the calls.
 */
const methods = ['debug', 'error', 'info', 'log', 'table', 'trace', 'warn'] as const;
const originals = new Map(methods.map((method) => [method, console[method] as (...values: unknown[]) => void]));
let calls: string[] = [];

beforeEach(() => {
  calls = [];
  for (const method of methods) {
    console[method] = (...values: unknown[]): void => {
      calls.push(`console.${method}(${values.map(String).join(', ')})`);
      originals.get(method)?.(...values);
    };
  }
});

afterEach(() => {
  for (const [method, original] of originals) console[method] = original;
  if (calls.length > 0) throw new Error(`A test must not write to the console: it called\n${calls.join('\n')}`);
});
