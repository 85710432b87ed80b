import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commands } from './commands.ts';
import { environmentVariables } from './environment-variables.ts';
import { eventSchemaOf, eventSchemas } from './event-schemas.ts';

const packages = join(import.meta.dirname, '..', '..');

test('every command has its events documented', () => {
  expect(Object.keys(eventSchemas)).toEqual(Object.keys(commands));
});

test('what is no event of a command is refused, and so is a field that nobody documents', () => {
  const schema = eventSchemaOf('samples');
  expect(schema.safeParse({ event: 'result', file: 'a.png', step: 1, images: 2 }).success).toBe(true);
  expect(schema.safeParse({ event: 'result', file: 'a.png', step: 1, images: 2, more: 3 }).success).toBe(false);
  expect(schema.safeParse({ event: 'step' }).success).toBe(false);
});

test('every environment variable that the sources read is documented', () => {
  // For those who build or test dafl.
  const internal = ['DAFL_ADDON', 'DAFL_VULKAN_ICD', 'DAFL_WIDTH'];
  const named = new Set<string>();
  for (const file of readdirSync(packages, { recursive: true, encoding: 'utf8' })) {
    if (!/[\\/]src[\\/].*\.ts$/.test(file) || /node_modules|\.test\.ts$|_testing|[\\/]dist[\\/]/.test(file)) continue;
    const text = readFileSync(join(packages, file), 'utf8');
    for (const [name] of text.matchAll(/\bDAFL_[A-Z_]+\b/g)) named.add(name);
  }
  expect([...named].filter((name) => !internal.includes(name) && !(name in environmentVariables))).toEqual([]);
  expect(named.size).toBeGreaterThan(4);
});
