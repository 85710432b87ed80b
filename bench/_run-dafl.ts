import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../packages/cli/src/main.ts', import.meta.url));

/** What a finished `dafl --json` printed. */
export interface DaflOutput {
  readonly exitCode: number | null;
  /** The last line: the result or the error. */
  readonly last: Readonly<Record<string, unknown>>;
}

/**
 * Runs the command as a user would, from source.
 *
 * @param onEvent Sees each line of `--json` as it comes; `kill` ends the process at once, as kill -9 does.
 */
export function runDafl(
  parameters: readonly string[],
  onEvent?: (event: Readonly<Record<string, unknown>>, kill: () => void) => void,
): Promise<DaflOutput> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...parameters, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let last: Record<string, unknown> = {};
    let rest = '';
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        last = JSON.parse(line) as Record<string, unknown>;
        onEvent?.(last, () => child.kill('SIGKILL'));
      }
    });
    child.on('error', reject);
    child.on('close', (exitCode) => resolve({ exitCode, last }));
  });
}
