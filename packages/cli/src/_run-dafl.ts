import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { DaflError } from '@dafl/core';
import { eventSchemaOf, eventSchemas } from './event-schemas.ts';

/** What a run of the real command left. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options of `runDafl`. */
export interface RunDaflOptions {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Told each piece of what is written to either stream; may signal the process, or stop reading its stdout. */
  readonly onOutput?: (text: string, kill: (signal: NodeJS.Signals) => void, close: () => void) => void;
}

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

/** For tests: runs the `dafl` command as a user does, in a process of its own, off a terminal. */
export async function runDafl(parameters: readonly string[], options: RunDaflOptions = {}): Promise<Outcome> {
  const { NO_COLOR: _no, FORCE_COLOR: _force, DAFL_DATA_DIR: _data, ...inherited } = process.env;
  const child = spawn(process.execPath, [main, ...parameters], {
    cwd: options.cwd,
    env: { ...inherited, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      texts[stream] += text;
      const close = (): void => void child.stdout.destroy();
      options.onOutput?.(text, (signal) => child.kill(signal), close);
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  if (parameters.includes('--json')) assertKnownEvents(parameters, texts.stdout);
  return { code, ...texts };
}

/** Every test of `--json` is a test of the documented schema too. */
function assertKnownEvents(parameters: readonly string[], stdout: string): void {
  const words = parameters.filter((text) => !text.startsWith('-'));
  const command = [`${words[0]} ${words[1]}`, words[0]].find((name) => name in eventSchemas) ?? 'none';
  // A process that was killed may leave half a line.
  for (const line of stdout.split('\n').slice(0, -1)) {
    const value: unknown = JSON.parse(line);
    const { success, error } = eventSchemaOf(command).safeParse(value);
    if (!success) throw new DaflError('DATA', `Cannot take what 'dafl ${command}' wrote: ${line}\n${error.message}`);
  }
}

/** The events of a stream of JSON lines. */
export function parseEvents(stdout: string): Record<string, unknown>[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Whether a text has no colours, cursor movements or other control sequences. */
export function isPlain(text: string): boolean {
  return stripVTControlCharacters(text) === text && !text.includes('\r');
}
