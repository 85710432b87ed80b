import { expect, test } from 'vitest';
import { describeRuntime } from './machine.ts';

test.each([
  [{ node: '24.1.0' }, { name: 'Node', version: '24.1.0' }],
  [
    { node: '24.3.0', bun: '1.3.2' },
    { name: 'Bun', version: '1.3.2' },
  ],
  [
    { node: '24.5.0', deno: '2.5.0' },
    { name: 'Deno', version: '2.5.0' },
  ],
])('%j', (versions, runtime) => {
  expect(describeRuntime(versions)).toEqual(runtime);
});
