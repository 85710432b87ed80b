import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestFolder, endlessRun, tinyRun, tinyTeacher } from './_test-app.ts';
import type { Distillation, Problem, Upload } from './api.ts';
import { type RunningServer, serve } from './serve.ts';

async function upload(url: string): Promise<Upload> {
  const headers = { 'content-type': 'application/octet-stream' };
  return (await (await fetch(`${url}/v1/uploads`, { method: 'POST', body: tinyTeacher, headers })).json()) as Upload;
}

async function submit(url: string, options: Readonly<Record<string, unknown>>): Promise<Distillation> {
  const body = JSON.stringify({ teacher: (await upload(url)).id, ...options });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/v1/distillations`, { method: 'POST', body, headers });
  expect(response.status).toBe(201);
  return (await response.json()) as Distillation;
}

async function get(url: string, { links }: Distillation): Promise<Distillation> {
  return (await (await fetch(url + links.self)).json()) as Distillation;
}

/** Sends text as it is, and gives all that comes back until the server hangs up. */
async function sendRaw(port: number, sent: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.on('data', (chunk) => (received += chunk.toString()));
  // A reset is a way of hanging up on a client that sends too much.
  socket.on('error', () => {});
  socket.write(sent);
  await new Promise((resolve) => socket.once('close', resolve));
  return received;
}

/** Time for what takes a heartbeat or the start of a process. */
const patient = { timeout: 20_000 };

interface SentEvent {
  readonly id: number;
  readonly data: { readonly event: string };
}

/** Reads events until the stream ends, or until it has `most`, and then hangs up. */
async function readEvents(url: string, after: number, most = Infinity): Promise<SentEvent[]> {
  const headers: Record<string, string> = after === 0 ? {} : { 'last-event-id': String(after) };
  const response = await fetch(url, { headers });
  const events: SentEvent[] = [];
  if (response.status === 204) return events;
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of response.body!) {
    rest += decoder.decode(chunk, { stream: true });
    const blocks = rest.split('\n\n');
    rest = blocks.pop()!;
    for (const block of blocks) {
      const match = /^id: (\d+)\ndata: (.*)$/.exec(block);
      if (match !== null) events.push({ id: Number(match[1]), data: JSON.parse(match[2]) as SentEvent['data'] });
      if (events.length >= most) return events;
    }
  }
  return events;
}

describe('a server', () => {
  const folder = createTestFolder();
  const errors: unknown[] = [];
  let server: RunningServer;
  beforeAll(async () => {
    const limits = { heartbeatMs: 20, eventStreams: 2, uploadBytes: 200_000 };
    server = await serve({ dataFolder: folder.path, port: 0, limits, onError: (error) => errors.push(error) });
  });
  afterAll(async () => {
    await server.close();
    expect(errors).toEqual([]);
    folder.remove();
  });

  it('streams events without gap or duplicate, however often its client breaks off', async () => {
    const job = await submit(server.url, { ...tinyRun, steps: 40 });
    const events: SentEvent[] = [];
    for (let most = 1; ; most = (most % 4) + 1) {
      const read = await readEvents(server.url + job.links.events, events.length, most);
      if (read.length === 0) break;
      events.push(...read);
    }
    expect(events.map(({ id }) => id)).toEqual(Array.from(events, (_, index) => index + 1));
    expect(events.at(-1)!.data.event).toBe('result');
    expect(events.filter(({ data }) => data.event === 'step')).toHaveLength(40);
    expect(await readEvents(server.url + job.links.events, 0)).toEqual(events);
  });

  it('notices clients that hang up, and serves others in their place', async () => {
    const job = await submit(server.url, endlessRun);
    await expect.poll(async () => (await get(server.url, job)).progress, patient).not.toBeNull();
    // Only two may listen at once, and it may take a heartbeat until the server sees that one has gone.
    const open = async () => {
      const response = await fetch(server.url + job.links.events);
      await response.body!.cancel();
      return response.status;
    };
    for (let round = 0; round < 10; round++) {
      await expect.poll(open, patient).toBe(200);
      await expect.poll(open, patient).toBe(200);
    }
    const stopping = await fetch(server.url + job.links.cancel, { method: 'POST' });
    expect(stopping.status).toBe(202);
    await expect.poll(async () => (await get(server.url, job)).state, patient).toBe('cancelled');
    const last = (await readEvents(server.url + job.links.events, 0)).at(-1)!;
    expect(last.data.event).toBe('interrupted');
  });

  it('cuts uploads off at the bound and answers', async () => {
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      async pull(controller) {
        sent += 10_000;
        controller.enqueue(new Uint8Array(10_000));
      },
    });
    const response = await fetch(`${server.url}/v1/uploads`, {
      method: 'POST',
      body: endless,
      headers: { 'content-type': 'application/octet-stream' },
      duplex: 'half',
    } as RequestInit);
    expect(response.status).toBe(413);
    expect(((await response.json()) as Problem).code).toBe('TOO_LARGE');
    expect(sent).toBeGreaterThan(200_000);
  });

  it('takes no lie about the length', async () => {
    const kept = readdirSync(join(folder.path, 'uploads', '.incoming')).length;
    const head = (length: string) =>
      `POST /v1/uploads HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n${length}\r\n\r\n`;
    expect(await sendRaw(server.port, `${head('Content-Length: 200001')}x`)).toMatch(/^HTTP\/1.1 413 /);
    expect(await sendRaw(server.port, head('Content-Length: abc'))).toMatch(/^HTTP\/1.1 400 /);
    expect(await sendRaw(server.port, head('Content-Length: 10\r\nTransfer-Encoding: chunked'))).toMatch(
      /^HTTP\/1.1 400 /,
    );
    // Ten bytes are the body; what follows is no request.
    expect(await sendRaw(server.port, head('Content-Length: 10') + 'x'.repeat(500_000))).toMatch(
      /^HTTP\/1.1 4(00|22) /,
    );
    // The body breaks off.
    const socket = connect(server.port, '127.0.0.1');
    socket.write(`${head('Content-Length: 100')}x`);
    await expect.poll(() => readdirSync(join(folder.path, 'uploads', '.incoming')).length, patient).toBe(kept + 1);
    socket.destroy();
    await expect.poll(() => readdirSync(join(folder.path, 'uploads', '.incoming')).length, patient).toBe(kept);
  });

  it('answers what makes no URL, and foreign hosts', async () => {
    const get = (target: string, host: string) =>
      sendRaw(server.port, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(await get('/v2/health/live', 'localhost')).toMatch(/^HTTP\/1.1 200 /);
    expect(await get('/v2/health/live', 'evil.example')).toMatch(/^HTTP\/1.1 403 .*"code":"FOREIGN_HOST"/s);
    expect(await get('http://evil.example/v2/health/live', 'localhost')).toMatch(
      /^HTTP\/1.1 403 .*"code":"FOREIGN_HOST"/s,
    );
    expect(await get('/v2/health/live', 'a b')).toMatch(/^HTTP\/1.1 400 .*"code":"BAD_REQUEST"/s);
    expect(await get('/a\\b', 'localhost')).toMatch(/^HTTP\/1.1 400 /);
  });
});

describe('its start and its end', () => {
  let folder: ReturnType<typeof createTestFolder>;
  beforeEach(() => {
    folder = createTestFolder();
  });
  afterEach(() => folder.remove());

  it('refuses an address that others reach without a token', async () => {
    for (const host of ['0.0.0.0', '::', '192.168.0.1', 'example.com']) {
      await expect(serve({ dataFolder: folder.path, host, port: 0 })).rejects.toMatchObject({
        code: 'USAGE',
        message: `Cannot serve on '${host}' as an address that other machines reach must have a token: current value is none. Set DAFL_TOKEN`,
      });
    }
    await expect(serve({ dataFolder: folder.path, host: '0.0.0.0', port: 0, token: 'short' })).rejects.toMatchObject({
      message: 'Cannot serve as the token must be at least 16 printable characters without spaces: current length is 5',
    });
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it('serves others who have the token', async () => {
    const token = 'correct-horse-battery-staple';
    const server = await serve({ dataFolder: folder.path, host: '0.0.0.0', port: 0, token });
    const url = `http://127.0.0.1:${server.port}`;
    expect((await fetch(`${url}/v1/distillations`)).status).toBe(401);
    expect((await fetch(`${url}/v1/distillations`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(
      200,
    );
    expect((await fetch(`${url}/v2/health/ready`)).status).toBe(200);
    await server.close();
  });

  it('says that a port or a data folder is taken', async () => {
    const server = await serve({ dataFolder: folder.path, port: 0 });
    const { port } = server;
    await expect(serve({ dataFolder: join(folder.path, 'other'), port })).rejects.toMatchObject({
      code: 'USAGE',
      message: `Cannot serve on '127.0.0.1' as its port ${port} must be free to take: current error is EADDRINUSE`,
    });
    await expect(serve({ dataFolder: folder.path, port: 0 })).rejects.toMatchObject({ code: 'USAGE' });
    expect(readdirSync(folder.path).sort()).toEqual(['jobs', 'run.lock', 'uploads']);
    await server.close();
    expect(readdirSync(folder.path).sort()).toEqual(['jobs', 'uploads']);
    await (await serve({ dataFolder: folder.path, port })).close();
  });

  it('leaves an upload alone that another server is receiving', async () => {
    const server = await serve({ dataFolder: folder.path, port: 0 });
    let send: () => void = () => {};
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(tinyTeacher.slice(0, 100));
        send = () => {
          controller.enqueue(tinyTeacher.slice(100));
          controller.close();
        };
      },
    });
    const headers = { 'content-type': 'application/octet-stream' };
    const init: RequestInit & { duplex: 'half' } = { method: 'POST', body, headers, duplex: 'half' };
    const answer = fetch(`${server.url}/v1/uploads`, init);
    const incoming = () => readdirSync(join(folder.path, 'uploads', '.incoming'));
    await expect.poll(() => incoming().length, patient).toBe(1);
    await expect(serve({ dataFolder: folder.path, port: 0 })).rejects.toMatchObject({ code: 'USAGE' });
    send();
    expect((await answer).status).toBe(201);
    expect(incoming()).toEqual([]);
    await server.close();
  });

  it.each([
    [{ allowedHosts: ['proxy.example:8080'] }, "'allowedHosts' must be a name or an address without a port"],
    [{ allowedOrigins: ['https://studio.example/page'] }, "'allowedOrigins' must be an origin"],
  ])('refuses names that no request could match: %j', async (access, rule) => {
    await expect(serve({ dataFolder: folder.path, port: 0, ...access })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(rule) as string,
    });
  });

  it('ends with its signal: jobs, streams and sockets, within 10 s', async () => {
    const stop = new AbortController();
    const server = await serve({ dataFolder: folder.path, port: 0, signal: stop.signal });
    const running = await submit(server.url, endlessRun);
    const queued = await submit(server.url, endlessRun);
    const streams = [running, queued].map((job) => readEvents(server.url + job.links.events, 0));
    const idle = connect(server.port, '127.0.0.1');
    await once(idle, 'connect');
    await expect.poll(async () => (await get(server.url, running)).progress, patient).not.toBeNull();
    const startedMs = performance.now();
    stop.abort();
    await server.closed;
    expect(performance.now() - startedMs).toBeLessThan(10_000);
    const [ofRunning, ofQueued] = await Promise.all(streams);
    expect(ofRunning.at(-1)!.data.event).toBe('interrupted');
    expect(ofQueued).toEqual([]);
    await expect(fetch(server.url)).rejects.toThrow('fetch failed');
    await server.close();
    idle.destroy();
  });

  it('leaves no process behind when it is killed', async () => {
    const script = `
      const { serve } = await import(${JSON.stringify(new URL('./serve.ts', import.meta.url).href)});
      const server = await serve({ dataFolder: ${JSON.stringify(folder.path)}, port: 0 });
      process.stdout.write(server.url);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let job: Distillation;
    let step = 0;
    try {
      const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
      const url = chunk.toString();
      job = await submit(url, endlessRun);
      await expect.poll(async () => (step = (await get(url, job)).progress?.step ?? 0), patient).toBeGreaterThan(0);
    } finally {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
    // The run stops by itself, with a checkpoint, and gives its folder back.
    const run = join(folder.path, 'jobs', job.id, 'run');
    await expect.poll(() => readdirSync(run).includes('run.lock'), patient).toBe(false);
    expect(readdirSync(join(run, 'checkpoints'))).not.toEqual([]);

    const server = await serve({ dataFolder: folder.path, port: 0 });
    // And goes on from there.
    const stepsDone = async () => (await get(server.url, job)).progress?.step ?? 0;
    await expect.poll(stepsDone, patient).toBeGreaterThan(step);
    await server.close();
  });
});
