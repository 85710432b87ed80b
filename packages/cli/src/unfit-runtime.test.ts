import { expect, test } from 'vitest';
import { unfitRuntime } from './unfit-runtime.ts';

test.each(['22.13.0', '22.20.1', '24.0.0', '100.1.0'])('Node %s will do', (node) => {
  expect(unfitRuntime({ node })).toBeUndefined();
});

test.each(['22.12.9', '20.19.4', '18.0.0', '9.0.0'])('Node %s is told what is needed', (node) => {
  expect(unfitRuntime({ node })).toBe(`Cannot run dafl as Node must be 22.13 or newer: current version is ${node}`);
});

test('Deno and Bun tell the version of a Node that they are not', () => {
  expect(unfitRuntime({ node: '20.11.1', deno: '2.0.0' })).toBeUndefined();
  expect(unfitRuntime({ node: '20.11.1', bun: '1.1.0' })).toBeUndefined();
});
