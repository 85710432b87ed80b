/**
 * Rewrites a package's package.json for publishing, and restores it.
 *
 * In the repository `exports` and `bin` point at `src/*.ts`; a published package must point at `dist`. pnpm and yarn
 * apply `publishConfig.exports` when they pack, npm does not, so that each package's lifecycle scripts call this file:
 *
 * - `prepack` builds the package, keeps package.json aside, writes one with the fields of `publishConfig` merged in and
 *   copies the LICENSE.
 * - `postpack` restores the original, byte for byte. `npm publish` reads package.json once more after `postpack` (for
 *   the registry's metadata), so that there `postpublish` restores it.
 * - `restore` restores every package after a run that died. `prepack` begins with that as well.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listWorkspaces, repositoryRoot } from './workspace.ts';

/** Where the original package.json is kept while the published one stands in its place. */
export const originalName = '.package.json.original';

/** Fields of `publishConfig` that replace those of package.json. Others (`access`, `tag`, ...) are npm's own. */
const mergedFields = ['bin', 'browser', 'exports', 'imports', 'main', 'module', 'types', 'typesVersions'];

/**
 * Returns the text of the package.json to publish.
 *
 * @param source Text of the repository's package.json.
 * @throws {Error} If the published exports or commands differ in name from those of the repository, or lead to `src`.
 */
export function publishedManifest(source: string): string {
  const manifest = JSON.parse(source) as Record<string, unknown>;
  const publishConfig: Record<string, unknown> = { ...(manifest['publishConfig'] as object | undefined) };
  const published: Record<string, unknown> = { ...manifest, publishConfig };
  // Users install none of them, and some are private to the repository.
  delete published['devDependencies'];
  for (const field of mergedFields) {
    if (publishConfig[field] === undefined) continue;
    published[field] = publishConfig[field];
    delete publishConfig[field];
  }
  for (const field of ['exports', 'bin']) {
    const before = Object.keys((manifest[field] as object | undefined) ?? {}).sort();
    const after = Object.keys((published[field] as object | undefined) ?? {}).sort();
    if (before.join() !== after.join()) {
      throw new Error(
        `Cannot publish '${String(manifest['name'])}' as 'publishConfig.${field}' must name what '${field}' names, ` +
          `[${before.join(', ')}]: current value is [${after.join(', ')}]`,
      );
    }
  }
  const intoSource = publishedFiles(published).find((path) => path.startsWith('./src/'));
  if (intoSource !== undefined) {
    throw new Error(
      `Cannot publish '${String(manifest['name'])}' as its exports must lead to './dist': current value is '${intoSource}'`,
    );
  }
  return `${JSON.stringify(published, null, 2)}\n`;
}

/** Lists the files that `exports` and `bin` of a manifest lead to, patterns left out. */
export function publishedFiles(manifest: Record<string, unknown>): string[] {
  const found: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value === 'string') found.push(value);
    else if (value !== null && typeof value === 'object') Object.values(value).forEach(visit);
  };
  visit(manifest['exports']);
  visit(manifest['bin']);
  return [...new Set(found)].filter((path) => !path.includes('*'));
}

/** Restores the original package.json of `folder` where one is kept aside. Returns whether one was. */
export function restoreManifest(folder: string): boolean {
  const original = join(folder, originalName);
  if (!existsSync(original)) return false;
  renameSync(original, join(folder, 'package.json'));
  rmSync(join(folder, 'LICENSE'), { force: true });
  return true;
}

/** Puts the published package.json in the place of the original one, which is kept aside. */
export function replaceManifest(folder: string): void {
  const path = join(folder, 'package.json');
  const text = publishedManifest(readFileSync(path, 'utf8'));
  const manifest = JSON.parse(text) as Record<string, unknown>;
  for (const file of publishedFiles(manifest)) {
    if (!existsSync(join(folder, file))) {
      throw new Error(`Cannot publish '${String(manifest['name'])}' as '${file}' must exist after the build`);
    }
  }
  copyFileSync(join(repositoryRoot, 'LICENSE'), join(folder, 'LICENSE'));
  // The copy is complete before it bears its name: a run that dies here leaves package.json as it was.
  copyFileSync(path, join(folder, `${originalName}.tmp`));
  renameSync(join(folder, `${originalName}.tmp`), join(folder, originalName));
  writeFileSync(path, text);
}

function build(folder: string): void {
  const bundler = join(repositoryRoot, 'node_modules', 'tsdown', 'dist', 'run.mjs');
  // Written to stderr: `npm pack --json` owns stdout.
  const { status } = spawnSync(process.execPath, [bundler, '--logLevel', 'warn'], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) throw new Error(`Cannot publish '${folder}' as its build must succeed: exit code is ${status}`);
}

if (import.meta.main) {
  const folder = process.cwd();
  switch (process.argv[2]) {
    case 'prepack':
      restoreManifest(folder);
      build(folder);
      replaceManifest(folder);
      break;
    case 'postpack':
      if (process.env['npm_command'] !== 'publish') restoreManifest(folder);
      break;
    case 'postpublish':
      restoreManifest(folder);
      break;
    case 'restore':
      for (const workspace of listWorkspaces()) restoreManifest(workspace.folder);
      break;
    default:
      console.error('Usage: node scripts/publish-manifest.ts prepack|postpack|postpublish|restore');
      process.exitCode = 2;
  }
}
