/**
 * Copies each package's version from package.json to the deno.json beside it, where there is one: changesets knows npm's
 * manifests only. With `--check` it changes nothing and fails where the two differ.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { listWorkspaces, repositoryRoot } from './workspace.ts';

/** Returns the text of a deno.json with its version replaced, and all else as it was. */
export function withVersion(text: string, version: string): string {
  return text.replace(/("version"\s*:\s*")[^"]*(")/, `$1${version}$2`);
}

if (import.meta.main) {
  const check = process.argv.includes('--check');
  for (const { folder, manifest } of listWorkspaces()) {
    const path = join(folder, 'deno.json');
    if (!existsSync(path)) continue;
    const before = readFileSync(path, 'utf8');
    const after = withVersion(before, manifest.version);
    if (before === after) continue;
    if (check) {
      console.error(`${relative(repositoryRoot, path)} must have version ${manifest.version}: run 'npm run version'`);
      process.exitCode = 1;
    } else {
      writeFileSync(path, after);
    }
  }
}
