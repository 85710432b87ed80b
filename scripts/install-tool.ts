/**
 * What few commands need and `npm ci` does not bring: second runtimes, compilers, a registry. Each stands in a folder of
 * `tools/` with a lock file of its own and is installed where it is first used: `node scripts/install-tool.ts NAME...`
 * does it beforehand.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { repositoryRoot } from './workspace.ts';

/** The folders of `tools/`. */
const toolNames = [
  'assemblyscript',
  'attw',
  'bun',
  'deno',
  'node-22',
  'node-26',
  'site',
  'verdaccio',
  'webgpu',
] as const;

/** Name of a folder of `tools/`. */
export type ToolName = (typeof toolNames)[number];

/** Workspaces that find a tool as if they had installed it, where it is installed. */
const linkedInto: Partial<Readonly<Record<ToolName, string>>> = { webgpu: 'packages/backends/webgpu' };

/**
 * Installs a tool as its lock file says, unless it is installed.
 *
 * @returns Absolute path of its `node_modules`.
 * @throws {Error} If npm fails.
 */
export function installTool(name: ToolName): string {
  const folder = join(repositoryRoot, 'tools', name);
  const modules = join(folder, 'node_modules');
  const stamp = join(modules, '.installed');
  const wanted = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
    // Without the variables of the npm script that this may be part of.
    const environment = Object.entries(process.env).filter(([key]) => !/^npm_/i.test(key));
    const { status, stdout, stderr, error } = spawnSync(
      'npm',
      ['ci', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'],
      // npm is a command file on Windows, which only a shell runs.
      { cwd: folder, encoding: 'utf8', env: Object.fromEntries(environment), shell: process.platform === 'win32' },
    );
    if (status !== 0) {
      const reason = error?.message ?? `exit code is ${status}\n${stdout}${stderr}`;
      throw new Error(`Cannot install '${name}' as 'npm ci' must succeed in tools/${name}: current ${reason}`);
    }
    writeFileSync(stamp, wanted);
  }
  const workspace = linkedInto[name];
  if (workspace !== undefined) link(join(modules, name), join(repositoryRoot, workspace, 'node_modules', name));
  return modules;
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { recursive: true, force: true });
  symlinkSync(process.platform === 'win32' ? target : relative(dirname(path), target), path, 'junction');
}

if (import.meta.main) {
  const names = process.argv.slice(2);
  const unknown = names.find((name) => !(toolNames as readonly string[]).includes(name));
  if (names.length === 0 || unknown !== undefined) {
    console.error(`Usage: node scripts/install-tool.ts ${toolNames.join('|')}...`);
    process.exitCode = 2;
  } else {
    for (const name of names) console.log(relative(repositoryRoot, installTool(name as ToolName)));
  }
}
