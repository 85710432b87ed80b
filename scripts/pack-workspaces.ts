import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { restoreManifest } from './publish-manifest.ts';
import { listWorkspaces, repositoryRoot } from './workspace.ts';

/** A package as `npm pack` made it. */
export interface Packed {
  readonly name: string;
  readonly version: string;
  /** Absolute path of the tarball. */
  readonly tarball: string;
  /** The paths inside it. */
  readonly files: readonly string[];
  readonly sizeBytes: number;
}

/**
 * Packs every public package into `destination`, its build included.
 *
 * @throws {Error} If `npm pack` fails.
 */
export function packWorkspaces(destination: string): Packed[] {
  mkdirSync(destination, { recursive: true });
  const names = listWorkspaces().flatMap(({ manifest }) => (manifest.private ? [] : ['--workspace', manifest.name]));
  const { status, stdout } = spawnSync(
    'npm',
    ['pack', ...names, '--pack-destination', destination, '--json', '--foreground-scripts=false'],
    {
      cwd: repositoryRoot,
      stdio: ['ignore', 'pipe', 'inherit'],
      // A command file there, which only a shell runs.
      shell: process.platform === 'win32',
      encoding: 'utf8',
      // npm marks what its own children run under; the packing is a command of its own.
      env: { ...process.env, npm_command: undefined },
    },
  );
  // Where npm fails between prepack and postpack, it leaves the published manifest behind.
  for (const { folder } of listWorkspaces()) restoreManifest(folder);
  if (status !== 0)
    throw new Error(`Cannot pack the packages as 'npm pack' must succeed: exit code is ${status}\n${stdout}`);
  const reports = JSON.parse(stdout) as NpmPackReport[] | Record<string, NpmPackReport>;
  return Object.values(reports).map((report) => ({
    name: report.name,
    version: report.version,
    tarball: join(destination, report.filename),
    files: report.files.map((file) => file.path),
    sizeBytes: report.size,
  }));
}

interface NpmPackReport {
  readonly name: string;
  readonly version: string;
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}
