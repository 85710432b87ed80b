import { spawn } from 'node:child_process';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { installTool } from '../scripts/install-tool.ts';
import { repositoryRoot } from '../scripts/workspace.ts';

/** A runtime that runs a program as a process. */
export type ProcessRuntimeName = 'node-22' | 'node-24' | 'node-26' | 'deno' | 'bun';

/** The runtimes under test. Chromium is headless; `open-page.ts` drives it. */
export type RuntimeName = ProcessRuntimeName | 'chromium';

/** Runtimes that run a program as a process. */
export const processRuntimes: readonly ProcessRuntimeName[] = ['node-22', 'node-24', 'node-26', 'deno', 'bun'];

/** What came of a process. */
export interface ProcessResult {
  readonly passed: boolean;
  readonly stdout: string;
  /** Both outputs and how it ended: what to show where it failed. */
  readonly report: string;
}

/** Options of `runProgram` and `runCommand`. */
export interface RunOptions {
  /** Working folder. */
  readonly cwd: string;
  /** Added to the environment. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Deno's permissions, and what else it is to be told; default: files, the environment and the number of cores. */
  readonly denoFlags?: readonly string[];
}

/** The environment without npm's variables of a script that is under way, and without the repository's commands. */
function cleanEnvironment(command: string): Record<string, string | undefined> {
  const inherited = Object.entries(process.env).filter(([key]) => !/^npm_/i.test(key) && key !== 'NODE_OPTIONS');
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
  return {
    ...Object.fromEntries(inherited),
    // npm and npx lie on the machine's path, and run under the Node that runs this; a runtime's own programs under it.
    PATH: [dirname(isAbsolute(command) ? command : process.execPath), ...path].join(delimiter),
    DENO_NO_UPDATE_CHECK: '1',
    NO_COLOR: '1',
  };
}

/**
 * Absolute path of a runtime's program. Any but the Node that runs this comes from npm, once.
 *
 * @throws {Error} If npm cannot install it.
 */
export function runtimeCommand(name: ProcessRuntimeName): string {
  if (name === 'deno' || name === 'bun') return join(installTool(name), '.bin', name);
  if (process.versions.node.startsWith(`${name.slice('node-'.length)}.`)) return process.execPath;
  // Node 24 is what the repository brings.
  const modules = name === 'node-24' ? join(repositoryRoot, 'node_modules') : installTool(name);
  return join(modules, 'node', 'bin', 'node');
}

/** Runs a program in a runtime. */
export async function runProgram(
  name: ProcessRuntimeName,
  [program, ...parameters]: readonly string[],
  options: RunOptions,
): Promise<ProcessResult> {
  const { denoFlags = ['--allow-read', '--allow-env', '--allow-sys', '--node-modules-dir=manual'] } = options;
  const flags = name === 'deno' ? ['run', '--no-prompt', ...denoFlags] : [];
  return await runCommand(runtimeCommand(name), [...flags, program, ...parameters], options);
}

/** Runs a command and waits for its end; after the time-out it is killed. */
export async function runCommand(
  command: string,
  parameters: readonly string[],
  { cwd, environment = {}, timeoutMs = 300_000 }: RunOptions,
): Promise<ProcessResult> {
  return await new Promise((resolve) => {
    const child = spawn(command, parameters, {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...cleanEnvironment(command), ...environment },
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const end = (passed: boolean, how: string): void =>
      resolve({ passed, stdout, report: `${stdout}${stderr}${how}`.trim() });
    child.on('error', (error) => end(false, error.message));
    child.on('close', (code, signal) => {
      if (signal === null) end(code === 0, code === 0 ? '' : `exit code ${code}`);
      else end(false, `ended by ${signal} (at the latest after ${timeoutMs} ms)`);
    });
  });
}
