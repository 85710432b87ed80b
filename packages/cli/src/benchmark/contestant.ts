import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import type { MatMulPeak, StepCount, StepTiming } from '@dafl/run/benchmark';
import type { ContestantContext, ContestantPlan } from './list-contestants.ts';

/** A process of its own that stands still until it is asked for something. */
export interface Contestant {
  readonly name: string;
  /** What computes there, in words. */
  readonly description: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly multiplyAccumulates: StepCount['multiplyAccumulates'];
  step(count: number): Promise<StepTiming>;
  measureMatMul(): Promise<MatMulPeak>;
  /** So far, in bytes. */
  peakMemoryBytes(): Promise<number>;
  /** Ends the process at once: it has nothing to save. */
  end(): Promise<void>;
}

/** A contestant could not start, or ended before its time. */
export class ContestantError extends Error {
  override readonly name: string = 'ContestantError';
}

/** Ctrl-C reaches the children as well, and their end may be seen before the signal. */
const SIGNAL_PATIENCE_MS = 200;
const KEPT_CHARACTERS = 4_000;

/**
 * Starts a contestant and waits until it is ready.
 *
 * @throws {ContestantError} If it cannot run here, saying why.
 */
export async function startContestant(
  plan: ContestantPlan,
  context: ContestantContext,
  signal: AbortSignal,
): Promise<Contestant> {
  signal.throwIfAborted();
  const [program, ...parameters] = plan.command;
  const child = spawn(program, parameters, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...plan.environment },
  });
  const talk = converse(child, signal);
  try {
    const ready = await talk.ask(JSON.stringify(plan.createSetup(context)));
    const { description, versions, multiplyAccumulates } = ready as unknown as Contestant;
    return {
      name: plan.name,
      description,
      versions,
      multiplyAccumulates,
      step: async (count) => (await talk.ask(`step ${count}`)) as unknown as StepTiming,
      measureMatMul: async () => (await talk.ask('matmul')) as unknown as MatMulPeak,
      peakMemoryBytes: async () => (await talk.ask('memory')).peakMemoryBytes as number,
      end: async () => await talk.end(),
    };
  } catch (error) {
    await talk.end();
    throw error;
  }
}

/** Questions and answers over a child's stdin and stdout, a line each. */
function converse(
  child: ChildProcess,
  signal: AbortSignal,
): { ask(line: string): Promise<Record<string, unknown>>; end(): Promise<void> } {
  let waiting: { resolve(answer: Record<string, unknown>): void; reject(error: unknown): void } | undefined;
  let complaints = '';
  let ended: ContestantError | undefined;
  const fail = (error: ContestantError): void => {
    ended ??= error;
    waiting?.reject(ended);
  };
  const closed = new Promise<void>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      fail(new ContestantError(error.code === 'ENOENT' ? 'no such program' : error.message));
      resolve();
    });
    child.once('close', (code, signalName) => {
      fail(new ContestantError(explainEnd(code, signalName, complaints)));
      resolve();
    });
  });
  // It may end while it is written to: then `close` says why.
  child.stdin!.on('error', () => {});
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-KEPT_CHARACTERS);
  });
  createInterface({ input: child.stdout! }).on('line', (line) => {
    // Libraries print what they like; answers are objects.
    if (!line.startsWith('{')) return;
    const answer = JSON.parse(line) as Record<string, unknown>;
    if (typeof answer.error === 'string') fail(new ContestantError(answer.error));
    else waiting?.resolve(answer);
  });
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  return {
    async ask(line) {
      try {
        return await new Promise((resolve, reject) => {
          if (ended !== undefined) {
            reject(ended);
            return;
          }
          waiting = { resolve, reject };
          child.stdin!.write(`${line}\n`);
        });
      } catch (error) {
        if (!signal.aborted) await wait(SIGNAL_PATIENCE_MS);
        signal.throwIfAborted();
        throw error;
      } finally {
        waiting = undefined;
      }
    },
    async end() {
      signal.removeEventListener('abort', kill);
      kill();
      await closed;
    },
  };
}

function explainEnd(code: number | null, signalName: NodeJS.Signals | null, complaints: string): string {
  const last = complaints
    .split('\n')
    .map((line) => line.trim())
    .findLast((line) => line !== '');
  const how = signalName === null ? `it ended with exit code ${code}` : `it was ended by ${signalName}`;
  const why = signalName === 'SIGKILL' ? '. Perhaps there was too little memory' : '';
  return last === undefined ? `${how}${why}` : `${last} (${how})${why}`;
}
