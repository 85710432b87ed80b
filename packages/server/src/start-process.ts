import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DistillationOptions } from '@dafl/run';
import type { DistillationError, FailureCode } from './api.ts';

/** What a process is to do. Paths are relative to its folder. */
export type JobOrder =
  | { readonly task: 'distill'; readonly options: DistillationOptions; readonly folder: string }
  | { readonly task: 'inspect'; readonly file: string };

/** What a process tells: the events of the command line's `--json`. */
export type JobEvent = { readonly event: string; readonly [field: string]: unknown };

/** A process at work. */
export interface JobProcess {
  readonly id: number | undefined;
  /** Settles after the last event: null if it ended by itself and well, else why it did not. Never rejects. */
  readonly ended: Promise<DistillationError | null>;
  /** Asks it to write a checkpoint and to end; ends it after the grace. */
  terminate(graceMs: number): void;
}

/** Options of `startProcess`. */
export interface StartProcessOptions {
  /** Where it works, and leaves what it prints as `process.log`. */
  readonly folder: string;
  readonly onEvent: (event: JobEvent) => void;
}

/** The message that asks a process to end. */
export const STOP = 'stop';

const OUTPUT_FILE = 'process.log';

/** In the repository this file is TypeScript and its neighbour too; in the package both are JavaScript. */
const script = import.meta.url.endsWith('.ts')
  ? new URL('./job-process.ts', import.meta.url)
  : new URL('./job-process.js', import.meta.url);

/** Starts a process of its own for a job or an upload. */
export function startProcess(order: JobOrder, { folder, onEvent }: StartProcessOptions): JobProcess {
  let reported: DistillationError | null = null;
  const { DAFL_TOKEN: _, ...env } = process.env;
  // It works in another folder than this process.
  for (const name of ['DAFL_DATA_DIR', 'DAFL_CACHE_DIR']) if (env[name]) env[name] = resolve(env[name]);
  const output = openSync(join(folder, OUTPUT_FILE), 'w', 0o600);
  // It knows its files by relative names, so that no message of it shows a path of this machine.
  const child = spawn(process.execPath, [fileURLToPath(script)], {
    cwd: folder,
    env,
    stdio: ['ignore', output, output, 'ipc'],
  });
  closeSync(output);
  child.on('message', (event: JobEvent) => {
    if (event.event === 'error') reported = { code: event.code as FailureCode, message: String(event.message) };
    onEvent(event);
  });
  // One that ends before it reads its order shows that by its exit.
  child.send(order, () => {});
  return {
    id: child.pid,
    ended: waitForEnd(child).then(
      ([code, signal]) =>
        code === 0 ? null : (reported ?? describeEnd(readFileSync(join(folder, OUTPUT_FILE), 'utf8'), code, signal)),
      (error: Error) => failure('CRASHED', `its process must start: current error is ${error.message}`),
    ),
    terminate(graceMs) {
      // Not a signal: Windows would end it at once, without a checkpoint.
      child.send(STOP, () => {});
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      child.once('exit', () => clearTimeout(timer));
    },
  };
}

/** The channel closes after its last message was received, which may be after the exit. */
async function waitForEnd(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  const [[code, signal]] = await Promise.all([once(child, 'exit'), once(child, 'disconnect')]);
  return [code as number | null, signal as NodeJS.Signals | null];
}

/** Why a process ended that did not say it. */
function describeEnd(output: string, code: number | null, signal: NodeJS.Signals | null): DistillationError {
  if (output.includes('heap out of memory')) {
    return failure('OUT_OF_MEMORY', 'its process must have enough memory: current state is a full JavaScript heap');
  }
  if (signal === 'SIGKILL') {
    return failure(
      'OUT_OF_MEMORY',
      'its process must end by itself: current end is SIGKILL, which most often means that the system ran out of memory',
    );
  }
  return failure('CRASHED', `its process must end by itself: current end is ${signal ?? `exit code ${code}`}`);
}

/** Makes the error of a run that did not fail by itself. */
export function failure(code: FailureCode, reason: string): DistillationError {
  return { code, message: `Cannot distill as ${reason}` };
}
