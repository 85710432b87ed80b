import { DaflError, showValue } from '@dafl/core';

/**
 * Reads what lies at a URL: a file where the package is installed on disk (Node, Deno, Bun), else by `fetch` (browsers,
 * and Deno over https).
 *
 * @throws {DaflError} `STORAGE` if it can't be read.
 */
export async function readUrl(url: URL): Promise<Uint8Array> {
  try {
    if (url.protocol === 'file:') {
      // Bundlers for browsers must leave it alone; esbuild does, as it stands in a `try`.
      const { readFile } = await import(/* webpackIgnore: true */ /* @vite-ignore */ 'node:fs/promises');
      return await readFile(url);
    }
    const response = await fetch(url);
    if (!response.ok) throw new DaflError('STORAGE', `HTTP status ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DaflError(
      'STORAGE',
      `Cannot read built-in teacher as ${showValue(url.href, 1000)} must be readable: current error is ${showValue(reason, 1000)}`,
      { cause: error },
    );
  }
}
