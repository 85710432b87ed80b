/**
 * Installs the packed packages into an empty folder outside the repository, as a user does, and runs them there under
 * Node, Deno and Bun.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { packWorkspaces } from './pack-workspaces.ts';
import { readManifest, repositoryRoot } from './workspace.ts';

const folder = mkdtempSync(join(tmpdir(), 'dafl-package-'));
const home = join(folder, 'project');
let failures = 0;

/** A short distillation on the wasm backend, as a program outside of the repository writes it. */
const distillation = `
import { createWasmBackend } from '@dafl/backend-wasm';
import { createRandomStream, dafl, distill, initializeWeights, presets, shrink } from '@dafl/core';
import { lenet5, readModel, writeModel } from '@dafl/models';

const backend = await createWasmBackend({ threads: 2 });
const teacher = readModel(writeModel(initializeWeights(lenet5({ width: 0.5 }), createRandomStream(0, 'teacher'))));
const { fast } = presets;
const method = dafl({ ...fast.dafl, batchSize: 32, replay: { batches: 4, studentSteps: 2 } });
const run = { backend, teacher, student: shrink(teacher.graph, 0.5), method, training: fast.training, steps: 5, seed: 0 };
for await (const event of distill(run)) {
  if (event.event !== 'result') continue;
  readModel(writeModel(event.student));
  console.log(backend.description.includes('2 threads') ? 'distilled with 2 threads' : backend.description);
}
await backend.close();
`;

function runtime(name: string): string {
  return join(repositoryRoot, 'node_modules', '.bin', name);
}

/** Finds the machine's own Node, beside the repository's, where dafl supports it. */
function findMachineNode(): { readonly path: string; readonly version: string } | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (folder.includes('node_modules')) continue;
    const path = join(folder, 'node');
    const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
    if (status !== 0) continue;
    const version = stdout.trim();
    const [major = 0, minor = 0] = version.slice(1).split('.').map(Number);
    if (version === process.version) return undefined;
    if (major > 22 || (major === 22 && minor >= 13)) return { path, version };
    console.log(`skip Node ${version} of this machine: dafl needs 22.13 or newer`);
    return undefined;
  }
  return undefined;
}

/** Runs a command in the user's folder and reports it. npm's variables of the calling script do not reach it. */
function step(name: string, command: string, parameters: readonly string[]): string {
  const inherited = Object.entries(process.env).filter(([key]) => !/^npm_/i.test(key));
  const { status, stdout, stderr, error } = spawnSync(command, parameters, {
    cwd: home,
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    timeout: 300_000,
    env: {
      ...Object.fromEntries(inherited),
      // The user's folder knows none of the repository's commands, only the Node that runs this script.
      PATH: [
        dirname(process.execPath),
        ...(process.env['PATH'] ?? '').split(delimiter).filter((path) => !path.includes('node_modules')),
      ].join(delimiter),
      DENO_NO_UPDATE_CHECK: '1',
      NO_COLOR: '1',
    },
  });
  const passed = status === 0;
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${name}`);
  if (!passed) {
    failures++;
    console.error(`${stdout}${stderr}${error?.message ?? ''}`.trim());
  }
  return stdout;
}

try {
  const packed = packWorkspaces(join(folder, 'tarballs'));
  mkdirSync(home);
  writeFileSync(
    join(home, 'package.json'),
    '{ "name": "user", "version": "1.0.0", "private": true, "type": "module" }\n',
  );

  step('npm install of the tarballs', 'npm', [
    'install',
    '--no-audit',
    '--no-fund',
    '--no-update-notifier',
    ...packed.map(({ tarball }) => tarball),
  ]);

  const modules = packed
    .map(({ name }) => readManifest(join(home, 'node_modules', name)))
    .flatMap((manifest) =>
      Object.keys(manifest.exports ?? {})
        .filter((path) => path !== './package.json' && !path.includes('*'))
        .map((path) => manifest.name + path.slice(1)),
    );
  const program = modules
    .map(
      (name) => `console.log('${name}', Object.keys(await import('${name}')).length > 0 ? 'has exports' : 'is empty');`,
    )
    .join('\n');
  writeFileSync(join(home, 'program.js'), `${program}\n${distillation}\n`);
  const expected = [...modules.map((name) => `${name} has exports`), 'distilled with 2 threads'].join('\n');

  const machineNode = findMachineNode();
  for (const [name, command, parameters] of [
    [`Node ${process.version}`, process.execPath, ['program.js']],
    ...(machineNode === undefined ? [] : [[`Node ${machineNode.version}`, machineNode.path, ['program.js']] as const]),
    [
      'Deno',
      runtime('deno'),
      ['run', '--allow-read', '--allow-env', '--allow-sys', '--node-modules-dir=manual', 'program.js'],
    ],
    ['Bun', runtime('bun'), ['program.js']],
  ] as const) {
    const output = step(`${modules.length} modules and a distillation under ${name}`, command, parameters);
    if (output.trim() !== expected) {
      failures++;
      console.error(`Every module must have exports under ${name}: output is\n${output.trim()}`);
    }
  }

  step('npx dafl --version', 'npx', ['--no-install', 'dafl', '--version']);
  const help = step('npx dafl --help', 'npx', ['--no-install', 'dafl', '--help']);
  if (!help.includes('distill')) {
    failures++;
    console.error(`'npx dafl --help' must list the command 'distill': output is\n${help.trim()}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (failures > 0) process.exitCode = 1;
