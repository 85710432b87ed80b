/**
 * Runs the packed packages in headless Chromium, as a page imports them: with threads where the page is cross-origin
 * isolated, without them where it is not. Both distil the same tiny teacher and must end with the same student.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { packWorkspaces } from './pack-workspaces.ts';

const TIMEOUT_MS = 120_000;
const chromium = process.env['CHROMIUM'] ?? 'chromium';
const folder = mkdtempSync(join(tmpdir(), 'dafl-browser-'));

/** What the page sends back. */
interface PageResult {
  readonly description: string;
  readonly student: string;
  readonly liveTensors: number;
  readonly error?: string;
}

const page = `<!doctype html>
<script type="importmap">
  { "imports": {
    "@dafl/core": "/core/dist/index.js",
    "@dafl/models": "/models/dist/index.js",
    "@dafl/backend-wasm": "/backend-wasm/dist/index.js"
  } }
</script>
<script type="module">
  const send = (result) => fetch('/result', { method: 'POST', body: JSON.stringify(result) });
  addEventListener('unhandledrejection', (event) => send({ error: String(event.reason?.stack ?? event.reason) }));
  addEventListener('error', (event) => send({ error: event.message }));
  const { createWasmBackend } = await import('@dafl/backend-wasm');
  const { createRandomStream, dafl, distill, initializeWeights, presets, shrink } = await import('@dafl/core');
  const { lenet5, readModel, writeModel } = await import('@dafl/models');
  const backend = await createWasmBackend({ threads: 2 });
  const teacher = readModel(writeModel(initializeWeights(lenet5({ width: 0.5 }), createRandomStream(0, 'teacher'))));
  const { fast } = presets;
  const method = dafl({ ...fast.dafl, batchSize: 32, replay: { batches: 4, studentSteps: 2 } });
  const run = { backend, teacher, student: shrink(teacher.graph, 0.5), method, training: fast.training, steps: 5, seed: 0 };
  let student;
  for await (const event of distill(run)) {
    if (event.event !== 'result') continue;
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', writeModel(event.student)));
    student = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }
  await send({ description: backend.description, student, liveTensors: backend.memory().tensors });
  await backend.close();
</script>`;

const types: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.json': 'application/json' };

/** Serves the packages and one page; resolves with what the page sends back. */
async function runPage(isolated: boolean): Promise<PageResult> {
  let resolve!: (result: PageResult) => void;
  let reject!: (reason: Error) => void;
  const result = new Promise<PageResult>((onResult, onError) => {
    resolve = onResult;
    reject = onError;
  });
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (isolated) {
      response.setHeader('cross-origin-opener-policy', 'same-origin');
      response.setHeader('cross-origin-embedder-policy', 'require-corp');
    }
    if (pathname === '/result') {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        response.end();
        resolve(JSON.parse(Buffer.concat(chunks).toString()) as PageResult);
      });
      return;
    }
    if (pathname === '/') {
      response.setHeader('content-type', 'text/html').end(page);
      return;
    }
    try {
      const body = readFileSync(join(folder, normalize(pathname)));
      response.setHeader('content-type', types[extname(pathname)] ?? 'application/octet-stream').end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const browser = spawn(
    chromium,
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--user-data-dir=${mkdtempSync(join(folder, 'profile-'))}`,
      `http://127.0.0.1:${port}/`,
    ],
    { stdio: 'ignore' },
  );
  browser.on('error', reject);
  const timer = setTimeout(() => reject(new Error(`no result within ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
  try {
    const sent = await result;
    if (sent.error !== undefined) throw new Error(sent.error);
    return sent;
  } finally {
    clearTimeout(timer);
    browser.kill('SIGKILL');
    server.closeAllConnections();
    server.close();
  }
}

let failures = 0;
function check(name: string, holds: boolean, found: unknown): void {
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${name}: ${String(found)}`);
  if (!holds) failures++;
}

try {
  for (const { name, tarball } of packWorkspaces(folder)) {
    const target = join(folder, name.slice('@dafl/'.length));
    mkdirSync(target);
    const { status, stderr } = spawnSync('tar', ['-xzf', tarball, '-C', target, '--strip-components=1'], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
  }
  const isolated = await runPage(true);
  const open = await runPage(false);
  check('an isolated page has threads', isolated.description.includes('2 threads'), isolated.description);
  check('any other page has one', open.description.includes('1 thread'), open.description);
  check('both end with the same student', isolated.student === open.student, open.student);
  check('no tensor is left', isolated.liveTensors + open.liveTensors === 0, isolated.liveTensors + open.liveTensors);
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
process.exitCode = failures === 0 ? 0 : 1;
