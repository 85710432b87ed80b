import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { packWorkspaces } from '../scripts/pack-workspaces.ts';
import { type Manifest, readManifest, repositoryRoot } from '../scripts/workspace.ts';
import type { TinyDistillation } from './distil-tiny.ts';
import { openPage } from './open-page.ts';
import { processRuntimes, type ProcessRuntimeName, runCommand, runProgram } from './runtimes.ts';
import { serveSources } from './serve-sources.ts';

/** Names of the rows, in order. */
export const packedRows = [
  ...processRuntimes,
  'npx',
  'deno without npm',
  'chromium isolated',
  'chromium',
] as const satisfies readonly string[];

/** What is tested of the packed packages at once. */
export type PackedRowName = (typeof packedRows)[number];

/** A row of the table. */
export interface PackedRow {
  readonly name: PackedRowName;
  /** What went wrong; empty where all is well. */
  readonly problems: readonly string[];
  /** What was done. */
  readonly summary: string;
  /** SHA-256 of the students of the wasm backend, by what made them: the same in all rows that have one. */
  readonly students: Readonly<Record<string, string>>;
  readonly seconds: number;
}

/** The packed packages, installed in an empty project. */
export interface InstalledPackages {
  test(name: PackedRowName): Promise<PackedRow>;
  /** What is wrong between the rows: students of the wasm backend that differ. */
  compare(rows: readonly PackedRow[]): string[];
  /** Removes the project. */
  remove(): void;
}

/** The programs of the empty project, without their types. */
const programs = [
  'runtime-tests/distil-tiny.ts',
  'runtime-tests/packed-process.ts',
  'runtime-tests/packed-without-npm.ts',
  'test-fixtures/tiny-teacher.ts',
];

/** A distillation of the tiny teacher by the command line. */
const distillation = (
  'distill --teacher teacher.safetensors --backend wasm --threads 2 --steps 4 --batch-size 8 --latent-size 4 ' +
  '--generator-widths 4,4,2 --replay-batches 4 --student-steps 2 --eval data --out run --json'
).split(' ');

/**
 * Packs the packages and installs them into an empty project outside the repository, as a user does.
 *
 * @throws {Error} If npm fails.
 */
export async function preparePackages(): Promise<InstalledPackages> {
  const folder = mkdtempSync(join(tmpdir(), 'dafl-packed-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  try {
    const packed = packWorkspaces(join(folder, 'tarballs'));
    const project = join(folder, 'project');
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }\n');
    const npm = ['install', '--no-audit', '--no-fund', '--no-update-notifier'];
    const installed = await runCommand('npm', [...npm, ...packed.map(({ tarball }) => tarball)], { cwd: project });
    if (!installed.passed) throw new Error(`Cannot install the packages as npm must succeed:\n${installed.report}`);
    const home = join(project, 'node_modules');
    const manifests = packed.map(({ name }) => readManifest(join(home, name)));
    for (const path of programs) {
      const source = stripTypeScriptTypes(readFileSync(join(repositoryRoot, path), 'utf8'));
      const target = join(project, path.replace(/\.ts$/, '.js'));
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, source.replaceAll(/( from '\.[^']*)\.ts'/g, "$1.js'"));
    }
    return { test: async (name) => await testRow(name, project, manifests), compare: compareStudents, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

async function testRow(name: PackedRowName, project: string, manifests: readonly Manifest[]): Promise<PackedRow> {
  const startedMs = performance.now();
  const { problems, ...rest } = await runRow(name, project, manifests).catch((error: unknown) => ({
    problems: [error instanceof Error ? error.message : String(error)],
    summary: '',
    students: {},
  }));
  return { name, problems, ...rest, seconds: Number(((performance.now() - startedMs) / 1000).toFixed(1)) };
}

type RowResult = Pick<PackedRow, 'problems' | 'summary' | 'students'>;

async function runRow(name: PackedRowName, project: string, manifests: readonly Manifest[]): Promise<RowResult> {
  switch (name) {
    case 'npx':
      return await testNpx(project);
    case 'deno without npm':
      return await testWithoutNpm(project);
    case 'chromium':
    case 'chromium isolated':
      return await testPage(project, name === 'chromium isolated');
    default:
      return await testProcess(name, project, manifests);
  }
}

/** What `packed-process.ts` prints. */
interface ProcessOutcome {
  /** Modules without exports. */
  readonly empty: readonly string[];
  readonly cpu: TinyDistillation;
  readonly wasm: TinyDistillation;
  readonly wasmPlainSimd: TinyDistillation;
}

/** Every module has exports; a distillation by the libraries and one by the command line. */
async function testProcess(
  runtime: ProcessRuntimeName,
  project: string,
  manifests: readonly Manifest[],
): Promise<RowResult> {
  const home = join(project, runtime);
  const modules = manifests.flatMap((manifest) =>
    Object.keys(manifest.exports ?? {})
      .filter((path) => path !== './package.json' && !path.includes('*'))
      .map((path) => manifest.name + path.slice(1)),
  );
  const denoFlags = ['--allow-read', '--allow-write', '--allow-env', '--allow-sys', '--node-modules-dir=manual'];
  const library = await runProgram(runtime, ['runtime-tests/packed-process.js', runtime, ...modules], {
    cwd: project,
    denoFlags,
  });
  if (!library.passed) throw new Error(library.report);
  const { empty, cpu, wasm, wasmPlainSimd } = JSON.parse(library.stdout) as ProcessOutcome;
  const problems = [
    ...empty.map((module) => `${module} must have exports`),
    ...checkDistillation(cpu, 'float32'),
    ...checkDistillation(wasm, '2 threads'),
    ...checkDistillation(wasmPlainSimd, '2 threads'),
  ];

  const command = join(project, 'node_modules', '@dafl', 'cli', 'dist', 'main.js');
  // Deno takes the processes of a machine, which a run's lock looks up, for one thing with all else.
  const all = { cwd: home, denoFlags: ['--allow-all', '--node-modules-dir=manual'] };
  const distilled = await runProgram(runtime, [command, ...distillation], all);
  if (!distilled.passed) throw new Error(`dafl distill: ${distilled.report}`);
  const result = JSON.parse(distilled.stdout.trim().split('\n').at(-1)!) as { studentSha256: string; accuracy: number };
  const student = 'run/student/student.safetensors';
  const evaluated = await runProgram(
    runtime,
    [command, 'evaluate', '--model', student, '--data', 'data', '--backend', 'wasm', '--json'],
    all,
  );
  if (!evaluated.passed) throw new Error(`dafl evaluate: ${evaluated.report}`);
  const { accuracy } = JSON.parse(evaluated.stdout.trim().split('\n').at(-1)!) as { accuracy: number };
  if (accuracy !== result.accuracy) {
    problems.push(`dafl evaluate must find the accuracy of dafl distill, ${result.accuracy}: it found ${accuracy}`);
  }
  // A relaxed multiply-add may round once or twice, as the engine likes: V8 rounds once, JavaScriptCore twice.
  const engine = runtime === 'bun' ? ' in JavaScriptCore' : '';
  return {
    problems,
    summary: `${modules.length} modules, distillations on cpu and wasm, dafl distill and evaluate`,
    students: {
      'plain SIMD': wasmPlainSimd.student,
      [`relaxed SIMD${engine}`]: wasm.student,
      [`dafl distill${engine}`]: result.studentSha256,
    },
  };
}

/** The command as npm installs it. */
async function testNpx(project: string): Promise<RowResult> {
  const problems: string[] = [];
  const { version } = readManifest(join(project, 'node_modules', '@dafl', 'cli'));
  for (const [parameter, expected] of [
    ['--version', version],
    ['--help', 'distill'],
    // Bundled from a package that is not published.
    ['experiment table2 --dry-run --json', 'one-hot-entropy-activation'],
  ]) {
    const words = ['--no-install', 'dafl', ...parameter.split(' ')];
    const { passed, stdout, report } = await runCommand('npx', words, { cwd: project });
    if (!passed || !stdout.includes(expected)) {
      problems.push(`'npx dafl ${parameter}' must print ${expected}: it printed\n${report}`);
    }
  }
  return { problems, summary: '--version, --help and experiment', students: {} };
}

/** In a folder with nothing but the packages' files and an import map: no node_modules, no permission. */
async function testWithoutNpm(project: string): Promise<RowResult> {
  const home = join(project, '..', 'without-npm');
  const packages = ['core', 'models', 'backend-cpu'];
  for (const name of packages)
    cpSync(join(project, 'node_modules', '@dafl', name), join(home, '@dafl', name), { recursive: true });
  const imports = packedImports(project, packages);
  for (const [name, path] of Object.entries(imports)) imports[name] = `.${path.slice('/node_modules'.length)}`;
  for (const path of ['runtime-tests', 'test-fixtures'])
    cpSync(join(project, path), join(home, path), { recursive: true });
  writeFileSync(join(home, 'imports.json'), JSON.stringify({ imports }));
  const { passed, stdout, report } = await runProgram('deno', ['runtime-tests/packed-without-npm.js'], {
    cwd: home,
    denoFlags: ['--no-config', '--no-lock', '--no-npm', '--no-remote', '--import-map=imports.json'],
  });
  if (!passed) throw new Error(report);
  return {
    problems: checkDistillation(JSON.parse(stdout) as TinyDistillation, 'float32'),
    summary: `${packages.join(', ')}: a distillation on cpu, without any permission`,
    students: {},
  };
}

async function testPage(project: string, isIsolated: boolean): Promise<RowResult> {
  const { wasm, wasmPlainSimd } = await openPage<Pick<ProcessOutcome, 'wasm' | 'wasmPlainSimd'>>({
    imports: packedImports(project, ['core', 'models', 'backend-cpu', 'backend-wasm']),
    serve: serveSources(project),
    isIsolated,
    script: `const { createWasmBackend } = await import('@dafl/backend-wasm');
    const { distilTiny } = await import('/runtime-tests/distil-tiny.js');
    const throughBlob = async (bytes) => new Uint8Array(await new Blob([bytes]).arrayBuffer());
    const wasm = await distilTiny(await createWasmBackend({ threads: 2 }), throughBlob);
    const plainSimd = await createWasmBackend({ threads: 2, relaxedSimd: false });
    await send({ wasm, wasmPlainSimd: await distilTiny(plainSimd, throughBlob) });`,
  });
  return {
    problems: [wasm, wasmPlainSimd].flatMap((result) =>
      checkDistillation(result, isIsolated ? '2 threads' : '1 thread'),
    ),
    summary: wasm.backend,
    students: { 'relaxed SIMD': wasm.student, 'plain SIMD': wasmPlainSimd.student },
  };
}

/** Where the packages lie in the project, for an import map. */
function packedImports(project: string, names: readonly string[]): Record<string, string> {
  const own = names.flatMap((name) => {
    const { exports = {} } = readManifest(join(project, 'node_modules', '@dafl', name));
    return Object.entries(exports)
      .filter(([, entry]) => typeof entry === 'object')
      .map(([path, entry]) => {
        const { default: file } = entry as { default: string };
        return [`@dafl/${name}${path.slice('.'.length)}`, `/node_modules/@dafl/${name}/${file.slice('./'.length)}`];
      });
  });
  return Object.fromEntries(own);
}

function checkDistillation(
  { backend, accuracy, agreement, liveTensors }: TinyDistillation,
  expectedBackend: string,
): string[] {
  const problems: string[] = [];
  if (!backend.includes(expectedBackend)) problems.push(`The backend must have ${expectedBackend}: it is ${backend}`);
  if (liveTensors !== 0) problems.push(`No tensor must be left on ${backend}: ${liveTensors} are`);
  for (const [name, share] of Object.entries({ accuracy, agreement })) {
    if (!(share >= 0 && share <= 1)) problems.push(`The ${name} on ${backend} must be between 0 and 1: it is ${share}`);
  }
  return problems;
}

function compareStudents(rows: readonly PackedRow[]): string[] {
  return [...new Set(rows.flatMap(({ students }) => Object.keys(students)))].flatMap((maker) => {
    const found = rows.flatMap(({ name, students }) => (maker in students ? [`${students[maker]} ${name}`] : []));
    return new Set(found.map((line) => line.slice(0, 64))).size <= 1
      ? []
      : [`${maker}: the students of the wasm backend must be the same everywhere: they are\n${found.join('\n')}`];
  });
}
