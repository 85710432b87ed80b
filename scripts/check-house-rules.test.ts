import { expect, test } from 'vitest';
import { brokenManifestRules, brokenRules, importedModules } from './check-house-rules.ts';

const core = { name: '@dafl/core', version: '1.0.0' };
const models = { name: '@dafl/models', version: '1.0.0', dependencies: { '@dafl/core': '^1.0.0' } };

test('importedModules finds every form of import', () => {
  const source = `
    // import a from 'commented'
    /** import b from 'documented' */
    import c from 'c';
    import type { D } from './d.ts';
    import {
      e,
    } from '@scope/e/deep';
    export { f } from './f.ts';
    export * from 'g';
    import 'h';
    const i = await import('i');
  `;
  expect(importedModules(source).sort()).toEqual(['./d.ts', './f.ts', '@scope/e/deep', 'c', 'g', 'h', 'i']);
});

test.each([
  ["import { x } from './x.ts';", []],
  ["import { x } from './x.js';", ["must import with the extension '.ts': current import is './x.js'"]],
  [
    "import { x } from '../../models/src/x.ts';",
    ["must import other packages by name: current import is '../../models/src/x.ts'"],
  ],
  ["import fs from 'node:fs';", ["must run outside Node: current import is 'node:fs'"]],
  [
    "import { x } from '@dafl/models';",
    [
      "must import only [] of this repository: current import is '@dafl/models'",
      "must name '@dafl/models' among the dependencies of @dafl/core",
    ],
  ],
  ["import { x } from 'left-pad';", ["must name 'left-pad' among the dependencies of @dafl/core"]],
])('brokenRules of core: %s', (source, problems) => {
  expect(brokenRules('src/index.ts', source, core)).toEqual(problems);
});

test('brokenRules lets tests reach other packages', () => {
  expect(brokenRules('src/index.test.ts', "import { x } from '@dafl/backend-cpu';", core)).toEqual([]);
  expect(brokenRules('src/_testing/tiny.ts', "import { x } from '@dafl/methods';", core)).toEqual([]);
});

test('brokenRules follows the direction of imports', () => {
  expect(brokenRules('src/index.ts', "import { x } from '@dafl/core';", models)).toEqual([]);
  expect(brokenRules('src/index.ts', "import fs from 'fs';", models)).toEqual([
    "must import 'node:fs': current import is 'fs'",
  ]);
});

test('brokenRules wants every error of a package to be a DaflError, tests aside', () => {
  const source = "// new Error('x')\nreject(new DaflError('DATA', 'x')); throw new RangeError('x');";
  expect(brokenRules('src/x.ts', source, core)).toEqual(['must throw a DaflError: current class is RangeError']);
  for (const file of ['src/x.test.ts', 'src/_test-app.ts', 'src/_testing/x.ts'])
    expect(brokenRules(file, source, core)).toEqual([]);
});

test('brokenRules rejects names that say nothing', () => {
  expect(brokenRules('src/utils.ts', '', core)).toEqual(['must be named after its main export']);
});

const experiments = {
  name: '@dafl/experiments',
  version: '1.0.0',
  private: true,
  dependencies: { '@dafl/run': '^1.0.0', '@dafl/data': '^1.0.0' },
};

test('brokenRules holds a private package that is bundled to the rules of published ones', () => {
  expect(brokenRules('src/x.ts', "import { x } from '@dafl/run';", experiments)).toEqual([]);
  expect(brokenRules('src/x.ts', "throw new Error('x');", experiments)).toHaveLength(1);
  expect(brokenRules('src/x.ts', "import { x } from '@dafl/cli';", experiments)).toHaveLength(2);
  expect(brokenRules('src/x.ts', "throw new Error('x');", { ...experiments, name: '@dafl/conformance' })).toEqual([]);
});

test('brokenRules lets a published package import what it bundles', () => {
  const cli = { name: '@dafl/cli', version: '1.0.0', devDependencies: { '@dafl/experiments': '^1.0.0' } };
  const source = "await import('@dafl/experiments');";
  expect(brokenRules('src/x.ts', source, cli)).toEqual([]);
  expect(brokenRules('src/x.ts', source, { ...cli, devDependencies: {} })).toEqual([
    "must name '@dafl/experiments' among the dependencies of @dafl/cli",
  ]);
});

test('brokenManifestRules wants what a bundled package depends on, and no private package, among the dependencies', () => {
  const cli = {
    name: '@dafl/cli',
    version: '1.0.0',
    dependencies: { '@dafl/run': '^1.0.0' },
    devDependencies: { '@dafl/experiments': '^1.0.0' },
  };
  expect(brokenManifestRules(cli, [cli, experiments])).toEqual([
    "must name '@dafl/data' among the dependencies, as '@dafl/experiments', which it bundles, does",
  ]);
  const complete = { ...cli, dependencies: experiments.dependencies };
  expect(brokenManifestRules(complete, [complete, experiments])).toEqual([]);
  const depending = { ...cli, dependencies: { '@dafl/experiments': '^1.0.0' } };
  expect(brokenManifestRules(depending, [depending, experiments])).toEqual([
    "must not depend on '@dafl/experiments', which nobody can install: bundled, it is one of the devDependencies",
  ]);
});
