/**
 * Checks the house rules that no linter knows:
 *
 * - Imports run one way: cli -> server, experiments -> run -> models, methods, data -> core <- backends. Tests, and packages that are
 *   private to the repository, may import any package.
 * - A published package imports only what its package.json names, and another package by its name, never by a path.
 * - A private package that is bundled into a published one keeps the rules of those. It stands among that one's devDependencies,
 *   and what it depends on among the dependencies.
 * - Relative imports carry `.ts` (Node strips types, it does not guess extensions).
 * - Core and the reference backend import no module of Node's.
 * - What a package throws is a `DaflError`.
 * - No file is named `utils` or `helpers`.
 */
import { globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, join, relative, resolve, sep } from 'node:path';
import { listWorkspaces, repositoryRoot, type Manifest } from './workspace.ts';

/** The packages of this repository that each package's sources may import. */
const allowedImports: Readonly<Record<string, readonly string[]>> = {
  '@dafl/core': [],
  '@dafl/backend-cpu': ['@dafl/core'],
  '@dafl/backend-wasm': ['@dafl/core'],
  '@dafl/data': ['@dafl/core'],
  '@dafl/methods': ['@dafl/core'],
  '@dafl/models': ['@dafl/core'],
  '@dafl/backend-node': ['@dafl/core'],
  '@dafl/backend-webgpu': ['@dafl/core'],
  '@dafl/run': [
    '@dafl/backend-cpu',
    '@dafl/backend-node',
    '@dafl/backend-wasm',
    '@dafl/backend-webgpu',
    '@dafl/core',
    '@dafl/data',
    '@dafl/methods',
    '@dafl/models',
  ],
  '@dafl/experiments': ['@dafl/core', '@dafl/data', '@dafl/methods', '@dafl/models', '@dafl/run'],
  '@dafl/server': ['@dafl/core', '@dafl/models', '@dafl/run'],
  '@dafl/cli': ['@dafl/backend-node', '@dafl/core', '@dafl/experiments', '@dafl/models', '@dafl/run', '@dafl/server'],
};

/** Private packages that the build of a published one takes in: nobody could install them. */
const bundledPackages: readonly string[] = ['@dafl/experiments'];

/** Packages that run in every runtime, and so import no module of Node's. */
const runtimeNeutral: readonly string[] = ['@dafl/core', '@dafl/backend-cpu', '@dafl/data', '@dafl/methods'];

/** Lists the modules that a TypeScript source imports, statically or by `import('...')`, types included. */
export function importedModules(source: string): string[] {
  const code = withoutComments(source);
  const statics = code.matchAll(/^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm);
  const bare = code.matchAll(/^\s*import\s*['"]([^'"]+)['"]/gm);
  const dynamic = code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g);
  return [...statics, ...bare, ...dynamic].map((match) => match[1]);
}

function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
}

/**
 * Returns what one source breaks, a line each.
 *
 * @param file Path of the source relative to the package, with `/`, such as `src/index.ts`.
 * @param source Its text.
 * @param manifest The package's package.json.
 */
export function brokenRules(file: string, source: string, manifest: Manifest): string[] {
  const problems: string[] = [];
  const isInternal = manifest.private === true && !bundledPackages.includes(manifest.name);
  const isTest = isInternal || /\.(test|bench)\.ts$|(^|\/)_testing\//.test(file);
  if (/^(utils?|helpers?)\b/.test(basename(file))) problems.push('must be named after its main export');
  // Those who call dafl tell its errors from those of their own code by the class.
  if (!isTest && !/(^|\/)_test[.-]/.test(file)) {
    for (const [, name] of withoutComments(source).matchAll(
      /\bnew ((?:Aggregate|Range|Reference|Syntax|Type)?Error)\(/g,
    ))
      problems.push(`must throw a DaflError: current class is ${name}`);
  }
  for (const module of importedModules(source)) {
    if (module.startsWith('.')) {
      const inside = !relative('.', resolve('.', file, '..', module)).startsWith('..');
      if (!inside && !isTest) problems.push(`must import other packages by name: current import is '${module}'`);
      if (!/\.(ts|json)$/.test(module))
        problems.push(`must import with the extension '.ts': current import is '${module}'`);
      continue;
    }
    if (isTest) continue;
    if (isBuiltin(module)) {
      if (!module.startsWith('node:')) problems.push(`must import 'node:${module}': current import is '${module}'`);
      if (runtimeNeutral.includes(manifest.name)) {
        problems.push(`must run outside Node: current import is '${module}'`);
      }
      continue;
    }
    const packageName = module.split('/', module.startsWith('@') ? 2 : 1).join('/');
    if (packageName.startsWith('@dafl/')) {
      const allowed = allowedImports[manifest.name];
      if (packageName !== manifest.name && allowed !== undefined && !allowed.includes(packageName)) {
        problems.push(`must import only [${allowed.join(', ')}] of this repository: current import is '${module}'`);
      }
    }
    const declared = { ...manifest.dependencies, ...manifest.peerDependencies };
    const isBundled = bundledPackages.includes(packageName) && packageName in (manifest.devDependencies ?? {});
    if (packageName !== manifest.name && !(packageName in declared) && !isBundled) {
      problems.push(`must name '${packageName}' among the dependencies of ${manifest.name}`);
    }
  }
  return problems;
}

/**
 * Returns what the package.json of a published package breaks, a line each.
 *
 * @param manifests Those of all packages.
 */
export function brokenManifestRules(manifest: Manifest, manifests: readonly Manifest[]): string[] {
  if (manifest.private === true) return [];
  const { dependencies = {}, devDependencies = {} } = manifest;
  return manifests.flatMap((other) => {
    if (other.private !== true) return [];
    if (other.name in dependencies) {
      return [
        `must not depend on '${other.name}', which nobody can install: bundled, it is one of the devDependencies`,
      ];
    }
    if (!bundledPackages.includes(other.name) || !(other.name in devDependencies)) return [];
    // What is not a dependency would be bundled as well, and so be there twice.
    const missing = Object.keys(other.dependencies ?? {}).filter((name) => !(name in dependencies));
    return missing.map(
      (name) => `must name '${name}' among the dependencies, as '${other.name}', which it bundles, does`,
    );
  });
}

if (import.meta.main) {
  let count = 0;
  const workspaces = listWorkspaces();
  const manifests = workspaces.map(({ manifest }) => manifest);
  for (const { folder, manifest } of workspaces) {
    for (const problem of brokenManifestRules(manifest, manifests)) {
      console.error(`${relative(repositoryRoot, join(folder, 'package.json'))} ${problem}`);
      count++;
    }
    for (const path of globSync('src/**/*.ts', { cwd: folder })) {
      const file = path.split(sep).join('/');
      for (const problem of brokenRules(file, readFileSync(join(folder, path), 'utf8'), manifest)) {
        console.error(`${relative(repositoryRoot, join(folder, file))} ${problem}`);
        count++;
      }
    }
  }
  if (count > 0) process.exitCode = 1;
}
