/**
 * Publishes the packages that run everywhere to JSR, as sources: `node scripts/publish-jsr.ts [--dry-run]`.
 *
 * Their manifests follow from package.json. They are published from a copy, a Deno workspace of its own, so that the
 * repository is one of npm only.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { installTool } from './install-tool.ts';
import { listWorkspaces, type Manifest, repositoryRoot } from './workspace.ts';

/** What can be published there: no native code, no command, no process of its own. */
export const jsrPackages: readonly string[] = [
  '@dafl/backend-cpu',
  '@dafl/backend-wasm',
  '@dafl/backend-webgpu',
  '@dafl/core',
  '@dafl/data',
  '@dafl/methods',
  '@dafl/models',
];

/**
 * The deno.json of a package. Packages of this repository are resolved by the workspace, others by npm.
 *
 * @param manifest Its package.json.
 */
export function jsrManifest(manifest: Manifest): object {
  const { name, version, exports = {}, dependencies = {} } = manifest;
  return {
    name,
    version,
    license: 'MIT',
    exports: Object.fromEntries(
      Object.entries(exports).filter(([, file]) => typeof file === 'string' && file.endsWith('.ts')),
    ),
    imports: Object.fromEntries(
      Object.entries(dependencies)
        .filter(([dependency]) => !dependency.startsWith('@dafl/'))
        .map(([dependency, range]) => [dependency, `npm:${dependency}@${range}`]),
    ),
    publish: {
      include: ['src', 'README.md', 'LICENSE', 'deno.json'],
      exclude: ['**/*.test.ts', '**/*.bench.ts', '**/_testing', '**/fixtures', '**/__snapshots__'],
    },
  };
}

if (import.meta.main) {
  const isRehearsal = process.argv.includes('--dry-run');
  const folder = mkdtempSync(join(tmpdir(), 'dafl-jsr-'));
  try {
    const published = listWorkspaces().filter(({ manifest }) => jsrPackages.includes(manifest.name));
    for (const { folder: source, manifest } of published) {
      const target = join(folder, basename(manifest.name));
      cpSync(join(source, 'src'), join(target, 'src'), { recursive: true });
      cpSync(join(source, 'README.md'), join(target, 'README.md'));
      cpSync(join(repositoryRoot, 'LICENSE'), join(target, 'LICENSE'));
      writeFileSync(join(target, 'deno.json'), JSON.stringify(jsrManifest(manifest), null, 2));
    }
    const members = published.map(({ manifest }) => `./${basename(manifest.name)}`);
    writeFileSync(join(folder, 'deno.json'), JSON.stringify({ workspace: members, nodeModulesDir: 'manual' }, null, 2));
    symlinkSync(join(repositoryRoot, 'node_modules'), join(folder, 'node_modules'), 'junction');
    const parameters = ['publish', '--quiet', ...(isRehearsal ? ['--dry-run', '--allow-dirty'] : [])];
    const { status } = spawnSync(join(installTool('deno'), '.bin', 'deno'), parameters, {
      cwd: folder,
      stdio: 'inherit',
      env: { ...process.env, DENO_NO_UPDATE_CHECK: '1' },
    });
    if (status !== 0) process.exitCode = 1;
    else
      console.log(
        `${isRehearsal ? 'Fit for JSR' : 'On JSR'}: ${published.map(({ manifest }) => manifest.name).join(', ')}`,
      );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
