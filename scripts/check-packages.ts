/**
 * Packs every public package and checks the tarballs as a user would get them: their files, their manifests, `publint`
 * and `attw` (are the types wrong).
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { installTool } from './install-tool.ts';
import { packWorkspaces } from './pack-workspaces.ts';
import { readManifest, type Manifest } from './workspace.ts';

const folder = mkdtempSync(join(tmpdir(), 'dafl-pack-'));
let problems = 0;

function report(name: string, problem: string): void {
  console.error(`${name}: ${problem}`);
  problems++;
}

function run(command: string, parameters: readonly string[], cwd: string): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(command, parameters, { cwd, stdio: 'pipe', encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}`.trim() };
}

try {
  for (const { name, tarball, files, sizeBytes } of packWorkspaces(folder)) {
    const before = problems;
    for (const file of files) {
      if (!/^(package\.json|README\.md|LICENSE|dist\/.*|bench\/.*\.py)$/.test(file))
        report(name, `'${file}' must not be published`);
    }
    for (const file of ['README.md', 'LICENSE']) {
      if (!files.includes(file)) report(name, `'${file}' must be published`);
    }

    const unpacked = mkdtempSync(join(folder, 'unpacked-'));
    const { status, output } = run('tar', ['-xzf', tarball, '-C', unpacked], folder);
    if (status !== 0) throw new Error(`Cannot unpack '${tarball}': ${output}`);
    const manifest: Manifest = readManifest(join(unpacked, 'package'));

    const bytes = readFileSync(tarball);
    const { messages } = await publint({
      pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) },
      strict: true,
    });
    for (const message of messages) {
      report(name, `publint: ${formatMessage(message, { ...manifest }, { color: false }) ?? message.code}`);
    }

    // A package that exports no module, such as a command, has no types to check.
    if (Object.keys(manifest.exports ?? {}).some((path) => path !== './package.json')) {
      const cli = join(installTool('attw'), '@arethetypeswrong', 'cli', 'dist', 'index.js');
      const types = run(process.execPath, [cli, tarball, '--profile', 'esm-only', '--no-color', '--no-emoji'], folder);
      if (types.status !== 0) report(name, `attw:\n${types.output}`);
    }
    if (problems === before) console.log(`${name}: ok, ${files.length} files, ${sizeBytes} bytes packed`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (problems > 0) process.exitCode = 1;
