import { expect, test } from 'vitest';
import { brokenRules, importedModules } from './check-house-rules.ts';

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
