import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file as the server gives it, or null where there is none. */
export type Serve = (path: string) => { readonly type: string; readonly body: string | Uint8Array } | null;

/** A page for headless Chromium. */
export interface Page {
  /** Where bare module names lead: paths on the server. */
  readonly imports: Readonly<Record<string, string>>;
  /** Body of a module script, which calls `send(value)` once, with what JSON can hold. */
  readonly script: string;
  readonly serve: Serve;
  /** Whether the page is cross-origin isolated, without which it has no threads. Default true. */
  readonly isIsolated?: boolean;
  /** Further flags of Chromium; default `--disable-gpu`. */
  readonly flags?: readonly string[];
  readonly timeoutMs?: number;
}

/** Chromium's command: the environment variable CHROMIUM names another. */
const chromium = process.env['CHROMIUM'] ?? 'chromium';

/**
 * Opens a page in headless Chromium and waits for what it sends.
 *
 * @throws {Error} If the page throws or sends nothing in time, or Chromium does not start.
 */
export async function openPage<Sent>(page: Page): Promise<Sent> {
  const { serve, isIsolated = true, flags = ['--disable-gpu'], timeoutMs = 300_000 } = page;
  let resolve!: (sent: Sent) => void;
  let reject!: (reason: Error) => void;
  const sent = new Promise<Sent>((onSent, onError) => {
    resolve = onSent;
    reject = onError;
  });
  const html = `<!doctype html>
<link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify({ imports: page.imports })}</script>
<script type="module">
  const post = (message) => fetch('/sent', { method: 'POST', body: JSON.stringify(message) });
  const send = (value) => post({ value });
  const fail = (error) => post({ error: String(error?.stack ?? error) });
  addEventListener('unhandledrejection', (event) => fail(event.reason));
  addEventListener('error', (event) => fail(event.error ?? event.message));
  try {
    ${page.script}
  } catch (error) {
    await fail(error);
  }
</script>`;
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (isIsolated) {
      response.setHeader('cross-origin-opener-policy', 'same-origin');
      response.setHeader('cross-origin-embedder-policy', 'require-corp');
    }
    if (pathname === '/sent') {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        response.end();
        const { value, error } = JSON.parse(Buffer.concat(chunks).toString()) as { value: Sent; error?: string };
        if (error === undefined) resolve(value);
        else reject(new Error(error));
      });
      return;
    }
    const file = pathname === '/' ? { type: 'text/html', body: html } : serve(pathname);
    if (file === null) response.writeHead(404).end();
    else response.setHeader('content-type', file.type).end(file.body);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const profile = mkdtempSync(join(tmpdir(), 'dafl-chromium-'));
  const browser = spawn(
    chromium,
    [
      '--headless',
      '--no-sandbox',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...flags,
      `--user-data-dir=${profile}`,
      `http://127.0.0.1:${port}/`,
    ],
    { stdio: 'ignore' },
  );
  const ended = new Promise<void>((resolve) => browser.on('close', () => resolve()));
  browser.on('error', reject);
  browser.on('exit', (code) => reject(new Error(`Chromium ended with exit code ${code}`)));
  const timer = setTimeout(() => reject(new Error(`no result within ${timeoutMs} ms`)), timeoutMs);
  try {
    return await sent;
  } finally {
    clearTimeout(timer);
    browser.kill('SIGKILL');
    if (browser.pid !== undefined) await ended;
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}
