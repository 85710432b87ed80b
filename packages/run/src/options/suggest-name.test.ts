import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { suggestName } from './suggest-name.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'dafl-suggest-'));
  writeFileSync(join(home, 'teacher.safetensors'), '');
  mkdirSync(join(home, 'photos'));
});
afterEach(() => rmSync(home, { recursive: true }));

it('names what lies in the folder, or what else may be given', async () => {
  expect(await suggestName(join(home, 'teacher.safetensor'), [])).toBe(
    `. Did you mean '${join(home, 'teacher.safetensors')}'?`,
  );
  expect(await suggestName(join(home, 'phtos'), ['mnist'])).toBe(`. Did you mean '${join(home, 'photos')}'?`);
  expect(await suggestName('hlaf', ['lenet5', 'half'])).toBe(". Did you mean 'half'?");
  expect(await suggestName('resnet', ['lenet5', 'resnet18'])).toBe(". Did you mean 'resnet18'?");
  expect(await suggestName(join(home, 'nowhere', 'x.onnx'), ['mnist'])).toBe('');
  expect(await suggestName(join(home, 'something-else'), ['mnist'])).toBe('');
  symlinkSync(join(home, 'gone'), join(home, 'digit.png'));
  expect(await suggestName(join(home, 'digit.png'), [])).toBe('');
});
