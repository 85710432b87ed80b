import { expect, test } from 'vitest';
import { withVersion } from './sync-jsr-versions.ts';

test('withVersion changes the version and nothing else', () => {
  const text = '{\n  "name": "@dafl/core",\n  "version": "0.1.0",\n  "exports": "./src/index.ts"\n}\n';
  expect(withVersion(text, '0.2.0-next.1')).toBe(text.replace('0.1.0', '0.2.0-next.1'));
  expect(withVersion(text, '0.1.0')).toBe(text);
});
