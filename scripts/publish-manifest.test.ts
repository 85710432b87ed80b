import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { originalName, publishedManifest, replaceManifest, restoreManifest } from './publish-manifest.ts';

const source = `{
    "name": "@dafl/example",
  "bin": { "example": "./src/main.ts" },
  "exports": { ".": "./src/index.ts" },
  "devDependencies": { "@dafl/conformance": "^1.0.0" },
  "publishConfig": {
    "access": "public",
    "bin": { "example": "./dist/main.js" },
    "exports": { ".": { "types": "./dist/index.d.ts", "default": "./dist/index.js" } }
  }
}`;

describe('publishedManifest', () => {
  test('merges publishConfig and leaves npm its own fields', () => {
    expect(JSON.parse(publishedManifest(source))).toEqual({
      name: '@dafl/example',
      bin: { example: './dist/main.js' },
      exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
      publishConfig: { access: 'public' },
    });
  });

  test('rejects an export that would not be published', () => {
    const changed = source.replace('{ ".": "./src/index.ts" }', '{ ".": "./src/index.ts", "./x": "./src/x.ts" }');
    expect(() => publishedManifest(changed)).toThrow(
      "Cannot publish '@dafl/example' as 'publishConfig.exports' must name what 'exports' names, [., ./x]: " +
        'current value is [.]',
    );
  });

  test('rejects an export that leads to the sources', () => {
    const changed = source.replace('./dist/index.js', './src/index.ts');
    expect(() => publishedManifest(changed)).toThrow(
      "Cannot publish '@dafl/example' as its exports must lead to './dist': current value is './src/index.ts'",
    );
  });
});

describe('replaceManifest and restoreManifest', () => {
  let folder: string;
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dafl-manifest-'));
    mkdirSync(join(folder, 'dist'));
    writeFileSync(join(folder, 'package.json'), source);
    for (const name of ['index.js', 'index.d.ts', 'main.js']) writeFileSync(join(folder, 'dist', name), '');
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('restores the original byte for byte, and twice', () => {
    replaceManifest(folder);
    expect(read('package.json')).toBe(publishedManifest(source));
    expect(existsSync(join(folder, 'LICENSE'))).toBe(true);
    expect(restoreManifest(folder)).toBe(true);
    expect(restoreManifest(folder)).toBe(false);
    expect(read('package.json')).toBe(source);
    expect(existsSync(join(folder, originalName))).toBe(false);
    expect(existsSync(join(folder, 'LICENSE'))).toBe(false);
  });

  test('restores what a run that died left behind', () => {
    replaceManifest(folder);
    writeFileSync(join(folder, 'package.json'), '{ "name": "half wri');
    expect(restoreManifest(folder)).toBe(true);
    expect(read('package.json')).toBe(source);
  });

  test('leaves package.json alone where the build lacks a file', () => {
    rmSync(join(folder, 'dist', 'main.js'));
    expect(() => replaceManifest(folder)).toThrow("as './dist/main.js' must exist after the build");
    expect(read('package.json')).toBe(source);
  });
});
