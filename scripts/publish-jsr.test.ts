import { expect, test } from 'vitest';
import { jsrManifest, jsrPackages } from './publish-jsr.ts';
import { listWorkspaces } from './workspace.ts';

test('jsrManifest follows from package.json', () => {
  const manifest = {
    name: '@dafl/models',
    version: '1.2.3',
    exports: { '.': './src/index.ts', './x': './src/x.ts', './package.json': './package.json' },
    dependencies: { '@dafl/core': '^1.2.3', fflate: '^0.8.3' },
  };
  expect(jsrManifest(manifest)).toMatchObject({
    name: '@dafl/models',
    version: '1.2.3',
    exports: { '.': './src/index.ts', './x': './src/x.ts' },
    imports: { fflate: 'npm:fflate@^0.8.3' },
  });
});

test('what is published to JSR depends on nothing of the repository that is not', () => {
  for (const { manifest } of listWorkspaces()) {
    if (!jsrPackages.includes(manifest.name)) continue;
    const needed = Object.keys(manifest.dependencies ?? {}).filter((name) => name.startsWith('@dafl/'));
    expect(jsrPackages).toEqual(expect.arrayContaining(needed));
  }
});
