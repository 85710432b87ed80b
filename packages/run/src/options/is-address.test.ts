import { expect, it } from 'vitest';
import { isAddress } from './is-address.ts';

it('tells an address from a file and a built-in name', () => {
  expect(['http://host/v2/models/NAME', 'https://host', 'https://'].map(isAddress)).toEqual([true, true, true]);
  // Files may be called so.
  const files = ['lenet5-mnist', 'teacher.onnx', 'http:teacher.onnx', 'https', './http://x', 'ftp://host/x'];
  expect(files.filter(isAddress)).toEqual([]);
});
