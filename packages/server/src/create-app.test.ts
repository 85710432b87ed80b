import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeModel, shrink } from '@dafl/core';
import { architectures, readModel, writeOnnx } from '@dafl/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createTestApp,
  createTestFolder,
  endlessRun,
  type TestApp,
  tinyGraph,
  tinyRun,
  tinyTeacher,
} from './_test-app.ts';
import type { Distillation, DistillationPage, Problem } from './api.ts';

const folder = createTestFolder();
let test: TestApp;
beforeAll(async () => {
  test = await createTestApp(folder.path, {
    limits: { queueLength: 2, uploads: 30, uploadBytes: 100_000, heartbeatMs: 50, eventStreams: 2 },
  });
});
afterAll(async () => {
  await test.close();
  expect(test.errors).toEqual([]);
  folder.remove();
});

const unknownId = '00000000-0000-4000-8000-000000000000';

async function problem(response: Response | Promise<Response>): Promise<Problem> {
  const { headers, status } = await response;
  expect(headers.get('content-type')).toBe('application/problem+json');
  const body = (await (await response).json()) as Problem;
  expect(body.status).toBe(status);
  expect(Object.keys(body).sort()).toEqual(['code', 'detail', 'status', 'title', 'type']);
  return body;
}

describe('a distillation', () => {
  it('runs from the upload of a teacher to the download of its student', async () => {
    const uploaded = await test.upload();
    expect(uploaded).toMatchObject({ name: 'tiny', parameters: 151, sizeBytes: tinyTeacher.byteLength });
    expect(await (await test.app.request(`/v1/uploads/${uploaded.id}`)).json()).toEqual(uploaded);

    const response = await test.post('/v1/distillations', { ...tinyRun, teacher: uploaded.id, student: 0.5, seed: 7 });
    expect(response.status).toBe(201);
    const made = (await response.json()) as Distillation;
    expect(response.headers.get('location')).toBe(`/v1/distillations/${made.id}`);
    expect(made).toMatchObject({
      options: { ...tinyRun, teacher: uploaded.id, seed: 7 },
      endedAt: null,
      result: null,
      error: null,
    });

    const done = await test.waitFor(made.id, ({ state }) => state === 'succeeded');
    expect(done).toMatchObject({ progress: { step: 3, steps: 3, secondsLeft: 0 }, error: null, jobsAhead: null });
    expect(done.result).toMatchObject({ steps: 3, seed: 7 });
    expect([done.createdAt, done.startedAt!, done.endedAt!]).toEqual(
      [done.createdAt, done.startedAt!, done.endedAt!].sort(),
    );

    const student = await test.app.request(done.links.student);
    expect(student.status).toBe(200);
    expect(student.headers.get('content-type')).toBe('application/octet-stream');
    expect(student.headers.get('content-disposition')).toBe(`attachment; filename="student-${made.id}.safetensors"`);
    const bytes = new Uint8Array(await student.arrayBuffer());
    expect(student.headers.get('content-length')).toBe(String(bytes.byteLength));
    expect(describeModel(readModel(bytes).graph).parameters).toBe(describeModel(shrink(tinyGraph, 0.5)).parameters);
  });

  it('takes a teacher as ONNX, and gives the student in the formats that were asked for, and the report', async () => {
    const sent = await test.app.request('/v1/uploads', {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: new Uint8Array(writeOnnx(readModel(tinyTeacher))),
    });
    expect(sent.status).toBe(201);
    const { id: teacher } = (await sent.json()) as { id: string };
    const options = { ...tinyRun, teacher, export: 'onnx', quantize: 'int8' };
    const { id } = (await (await test.post('/v1/distillations', options)).json()) as Distillation;
    const { links } = await test.waitFor(id, ({ state }) => state === 'succeeded');
    for (const [format, name] of Object.entries({ onnx: 'onnx', int8: 'int8.onnx' })) {
      const { headers, status } = await test.app.request(`${links.student}?format=${format}`);
      expect([status, headers.get('content-disposition')]).toEqual([
        200,
        `attachment; filename="student-${id}.${name}"`,
      ]);
    }
    expect(await problem(test.app.request(`${links.student}?format=keras`))).toMatchObject({
      status: 404,
      detail: `Cannot give the student of '${id}' as 'format' must be one of [safetensors, onnx, int8]: current value is 'keras'`,
    });
    const report = await test.app.request(links.report);
    expect(report.headers.get('content-disposition')).toBe(`attachment; filename="report-${id}.html"`);
    expect(await report.text()).toContain('<!doctype html>');
    expect(await problem(test.post('/v1/distillations', { ...options, export: 'onnx,tfjs' }))).toMatchObject({
      detail:
        "Cannot distill as 'export' must be one or several of onnx and keras over HTTP: current value is 'onnx,tfjs'",
    });
  });

  it('tells the events of the command line, from any of them on', async () => {
    const { id, links } = await test.submit(tinyRun);
    const text = await (await test.app.request(links.events)).text();
    const blocks = text.split('\n\n').filter((block) => block !== '' && !block.startsWith(':'));
    const events = blocks.map((block, index) => {
      expect(block.split('\n')).toEqual([`id: ${index + 1}`, expect.stringMatching(/^data: \{/)]);
      return JSON.parse(block.slice(block.indexOf('data: ') + 6)) as { event: string; step?: number };
    });
    expect(events[0].event).toBe('prepared');
    expect(events.filter(({ event }) => event === 'step').map(({ step }) => step)).toEqual([1, 2, 3]);
    expect(events.at(-1)!.event).toBe('result');
    expect((await test.get(id)).state).toBe('succeeded');

    const resume = (last: number) => test.app.request(links.events, { headers: { 'last-event-id': String(last) } });
    for (let last = 0; last < events.length; last++) {
      expect(await (await resume(last)).text()).toBe(
        blocks
          .slice(last)
          .map((block) => `${block}\n\n`)
          .join(''),
      );
    }
    expect((await resume(events.length)).status).toBe(204);
    expect(await problem(resume(events.length + 1))).toMatchObject({
      status: 422,
      detail: `Cannot go on with the events as 'Last-Event-ID' must be an integer <= ${events.length}: current value is '${events.length + 1}'`,
    });
  });

  it('is cancelled, at once in the queue and with a checkpoint while it runs', async () => {
    const running = await test.submit(endlessRun);
    const queued = await test.submit(endlessRun);
    expect(queued).toMatchObject({ state: 'queued', jobsAhead: 0, startedAt: null });
    const cancelled = await test.post(queued.links.cancel);
    expect(cancelled.status).toBe(200);
    expect(await cancelled.json()).toMatchObject({ state: 'cancelled', jobsAhead: null });
    // Its log ended together with its state: no stream is left to wait for it.
    expect((await test.app.request(queued.links.events)).status).toBe(204);

    await test.waitFor(running.id, ({ progress }) => progress !== null);
    expect(await problem(test.app.request(running.links.student))).toMatchObject({
      status: 409,
      code: 'CONFLICT',
      detail: `Cannot give the student of '${running.id}' as its state must be succeeded: current state is running`,
    });
    const stopping = await test.post(running.links.cancel);
    expect(stopping.status).toBe(202);
    expect(await stopping.json()).toMatchObject({ state: 'running' });
    await test.waitFor(running.id, ({ state }) => state === 'cancelled');
    const events = await (await test.app.request(running.links.events)).text();
    expect(events.trimEnd().split('\n').at(-1)).toContain('"event":"interrupted"');
    expect(readdirSync(join(folder.path, 'jobs', running.id, 'run', 'checkpoints'))).not.toEqual([]);

    expect((await test.post(running.links.cancel)).status).toBe(200);
    expect(test.jobs.processId(running.id)).toBeUndefined();
  });

  it('waits its turn in a queue that is bounded', async () => {
    const jobs: Distillation[] = [];
    for (let index = 0; index < 3; index++) jobs.push(await test.submit(endlessRun));
    const states = await Promise.all(jobs.map(({ id }) => test.get(id)));
    expect(states.map(({ state, jobsAhead }) => [state, jobsAhead])).toEqual([
      ['running', null],
      ['queued', 0],
      ['queued', 1],
    ]);
    const { id: teacher } = await test.upload();
    const refused = await test.post('/v1/distillations', { ...tinyRun, teacher });
    expect(refused.headers.get('retry-after')).toBe('30');
    expect(await problem(refused)).toMatchObject({
      status: 429,
      code: 'TOO_MANY',
      detail: 'Cannot take the job as at most 2 may wait: current number is 2',
    });
    await test.post(jobs[0].links.cancel);
    await test.waitFor(jobs[1].id, ({ state }) => state === 'running');
    expect((await test.get(jobs[2].id)).jobsAhead).toBe(0);
    for (const { links } of jobs.slice(1)) await test.post(links.cancel);
    await test.waitFor(jobs[1].id, ({ state }) => state === 'cancelled');
  });

  it('is listed, the newest first, page by page', async () => {
    const all = (await (await test.app.request('/v1/distillations?limit=100')).json()) as DistillationPage;
    expect(all.nextCursor).toBeNull();
    expect(all.items.length).toBeGreaterThanOrEqual(7);
    expect(all.items.map(({ createdAt }) => createdAt)).toEqual(
      all.items
        .map(({ createdAt }) => createdAt)
        .sort()
        .reverse(),
    );
    const ids: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = (await (
        await test.app.request(`/v1/distillations?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`)
      ).json()) as DistillationPage;
      expect(page.items.length).toBeLessThanOrEqual(3);
      ids.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(ids).toEqual(all.items.map(({ id }) => id));
    expect(await problem(test.app.request(`/v1/distillations?cursor=${unknownId}`))).toMatchObject({
      status: 422,
      code: 'USAGE',
    });
    for (const limit of ['0', '101', '-1', 'x', '1e1']) {
      expect((await problem(test.app.request(`/v1/distillations?limit=${limit}`))).detail).toBe(
        `Cannot list the distillations as 'limit' must be an integer >= 1 and <= 100: current value is '${limit}'`,
      );
    }
  });

  it('keeps its copy of an upload that is deleted', async () => {
    const { id: teacher } = await test.upload();
    const made = (await (await test.post('/v1/distillations', { ...tinyRun, teacher })).json()) as Distillation;
    expect((await test.app.request(`/v1/uploads/${teacher}`, { method: 'DELETE' })).status).toBe(204);
    expect(await problem(test.app.request(`/v1/uploads/${teacher}`))).toMatchObject({ status: 404 });
    await test.waitFor(made.id, ({ state }) => state === 'succeeded');
  });

  it('takes the graph of an upload as its student', async () => {
    const { id: student } = await test.upload();
    const made = await test.submit({ ...tinyRun, student });
    await test.waitFor(made.id, ({ state }) => state === 'succeeded');
    const bytes = await (await test.app.request(made.links.student)).arrayBuffer();
    expect(readModel(new Uint8Array(bytes)).graph.name).toBe('tiny');
  });
});

describe('bad requests', () => {
  it.each([
    [{ stepz: 3 }, "Cannot distill as each option must be known: current value is 'stepz'. Did you mean 'steps'?"],
    [{ steps: 0 }, "Cannot distill as 'steps' must be an integer >= 1: current value is 0"],
    [{ teacher: undefined }, "Cannot distill as 'teacher' must be given: current value is none"],
    [
      { steps: 1, timeBudgetMs: 1 },
      "Cannot distill as 'steps' and 'timeBudgetMs' must not be given both: current value is both",
    ],
    [
      { teacher: 'lenet6' },
      "Cannot distill as 'teacher' must be one of [lenet5-mnist] or the id of an upload: current value is 'lenet6'",
    ],
    [
      { student: 'third' },
      `Cannot distill as 'student' must be one of [half, quarter, ${[...architectures.keys()].join(', ')}, low-rank, low-rank-SHARE], a number > 0 and <= 1 or the id of an upload: current value is 'third'`,
    ],
    [
      { student: 'low-rank-SHARE' },
      `Cannot distill as 'student' must be one of [half, quarter, ${[...architectures.keys()].join(', ')}, low-rank, low-rank-SHARE], a number > 0 and <= 1 or the id of an upload: current value is 'low-rank-SHARE'`,
    ],
    [
      { compare: '/etc/passwd' },
      "Cannot distill as 'compare' must be absent over HTTP: current value is '/etc/passwd'",
    ],
    [
      { method: 'metadata', metadata: '/etc/passwd' },
      "Cannot distill as 'metadata' must be absent over HTTP: current value is '/etc/passwd'",
    ],
    [{ method: 'original-data', data: '/etc' }, "Cannot distill as 'data' must be 'mnist': current value is '/etc'"],
    [{ eval: 'cifar' }, "Cannot distill as 'eval' must be 'mnist': current value is 'cifar'"],
  ])('refuses the options %j', async (options, detail) => {
    expect(await problem(test.post('/v1/distillations', { teacher: 'lenet5-mnist', ...options }))).toEqual({
      type: 'about:blank',
      title: 'Unprocessable Entity',
      status: 422,
      code: 'USAGE',
      detail,
    });
  });

  it.each(['teacher', 'student', 'eval'])("opens no path or address that '%s' names", async (name) => {
    const names = [
      '/etc/passwd',
      '../teacher.safetensors',
      './x.safetensors',
      'file:///etc/passwd',
      'http://127.0.0.1/',
      '..',
      '\0',
      `../uploads/${unknownId}`,
      unknownId,
      '__proto__',
    ];
    for (const value of names) {
      expect(await problem(test.post('/v1/distillations', { teacher: 'lenet5-mnist', [name]: value }))).toMatchObject({
        status: 422,
        code: 'USAGE',
      });
    }
  });

  it.each([null, 3, 'text', []])('refuses the body %j', async (body) => {
    expect(await problem(test.post('/v1/distillations', body))).toMatchObject({ status: 422, code: 'USAGE' });
  });

  it('refuses what is no JSON, is not called JSON, or is too much of it', async () => {
    const send = (body: string, type = 'application/json') =>
      problem(test.app.request('/v1/distillations', { method: 'POST', body, headers: { 'content-type': type } }));
    expect(await send('{"teacher":')).toMatchObject({
      status: 400,
      code: 'BAD_REQUEST',
      detail: expect.stringContaining('Cannot read the body as it must be JSON: '),
    });
    expect(await send('{}', 'text/plain')).toMatchObject({
      status: 415,
      detail: "Cannot read the body as 'Content-Type' must be application/json: current value is 'text/plain'",
    });
    expect(await send(JSON.stringify({ teacher: 'x'.repeat(70_000) }))).toMatchObject({
      status: 413,
      detail: expect.stringMatching(
        /^Cannot read the body as it must have at most 65536 bytes: current length is \d+ or more$/,
      ),
    });
  });

  it('refuses JSON that is nested deeply, in or around the options', async () => {
    const deep = '['.repeat(30_000) + ']'.repeat(30_000);
    for (const body of [deep, `{"teacher":"lenet5-mnist","seed":${deep}}`]) {
      const headers = { 'content-type': 'application/json' };
      expect(await problem(test.app.request('/v1/distillations', { method: 'POST', body, headers }))).toMatchObject({
        status: 400,
        code: 'BAD_REQUEST',
        detail: 'Cannot read the body as its JSON must be nested at most 8 deep: it is deeper',
      });
    }
  });

  it('refuses a job without end', async () => {
    for (const [name, value, most] of [
      ['steps', Number.MAX_SAFE_INTEGER, 1_000_000],
      ['timeBudgetMs', 1e12, 86_400_000],
    ] as const) {
      expect(await problem(test.post('/v1/distillations', { teacher: 'lenet5-mnist', [name]: value }))).toMatchObject({
        status: 422,
        code: 'USAGE',
        detail: `Cannot distill as '${name}' must be <= ${most} on this server: current value is ${value}`,
      });
    }
  });

  it('lists its routes, each with what it is for', async () => {
    const { routes } = (await (await test.app.request('/')).json()) as { routes: { route: string; purpose: string }[] };
    expect(routes.map(({ route }) => route)).toContain('POST /v1/distillations');
    for (const { purpose } of routes) expect(purpose).not.toBe('');
    expect(await problem(test.app.request('/jobs'))).toMatchObject({
      detail: "Cannot find '/jobs' as it must be a route of this server: GET / lists them",
    });
  });

  it('has all of them in its README', async () => {
    const { routes } = (await (await test.app.request('/')).json()) as { routes: { route: string }[] };
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const told = [...readme.matchAll(/^ +curl (.*?)"?\$api(\/v[^\s?"#]+)/gm)].map(([, flags, path]) => {
      const method = /-X (\w+)/.exec(flags)?.[1] ?? (/ -d |--data/.test(flags) ? 'POST' : 'GET');
      return `${method} ${path.replace('<id>', ':id')}`;
    });
    expect([...new Set(told)].sort()).toEqual(routes.map(({ route }) => route).sort());
  });

  it('answers unknown routes, ids and wrong methods', async () => {
    for (const path of [
      '/v1',
      '/v1/distillations/',
      '/v1/nothing',
      '/v2',
      '/v1/distillations/a/b',
      '/%2e%2e/etc/passwd',
    ]) {
      expect(await problem(test.app.request(path))).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    }
    for (const path of ['', '/events', '/student', '/report']) {
      expect(await problem(test.app.request(`/v1/distillations/${unknownId}${path}`))).toMatchObject({
        status: 404,
        detail: `Cannot find '${unknownId}' as it must be the id of a distillation`,
      });
    }
    for (const id of ['..%2f..%2fetc', '%2e%2e', '__proto__', 'constructor']) {
      expect(await problem(test.app.request(`/v1/distillations/${id}/student`))).toMatchObject({ status: 404 });
      expect(await problem(test.app.request(`/v1/uploads/${id}`, { method: 'DELETE' }))).toMatchObject({ status: 404 });
    }
    for (const [method, path, allow] of [
      ['DELETE', '/v1/distillations', 'GET, HEAD, POST'],
      ['PUT', '/v1/uploads', 'POST'],
      ['POST', `/v1/distillations/${unknownId}/events`, 'GET, HEAD'],
      ['GET', `/v1/distillations/${unknownId}/cancel`, 'POST'],
      ['POST', '/v2/health/live', 'GET, HEAD'],
    ]) {
      const response = await test.app.request(path, { method });
      expect(response.headers.get('allow')!.split(', ').sort().join(', ')).toBe(allow);
      expect(await problem(response)).toMatchObject({
        status: 405,
        code: 'METHOD_NOT_ALLOWED',
        detail: expect.stringContaining(`current value is ${method}`),
      });
    }
  });
});

describe('uploads', () => {
  const send = (body: BodyInit, headers: Record<string, string> = {}) =>
    problem(
      test.app.request('/v1/uploads', {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/octet-stream', ...headers },
        duplex: 'half',
      } as RequestInit),
    );
  const stored = () => readdirSync(join(folder.path, 'uploads'), { recursive: true }).length;

  it('keeps only whole models', async () => {
    const before = stored();
    const cut = tinyTeacher.slice(0, -1);
    const flipped = tinyTeacher.with(tinyTeacher.length - 1, tinyTeacher.at(-1)! ^ 1);
    for (const bytes of [new Uint8Array(0), new Uint8Array(50), cut, flipped]) {
      expect(await send(bytes)).toMatchObject({
        status: 422,
        code: 'MODEL',
        detail: expect.stringMatching(/^Cannot read 'upload' as /),
      });
    }
    expect(stored()).toBe(before);
  });

  it('stops at the bound, whatever was declared, and keeps nothing', async () => {
    const before = stored();
    let sent = 0;
    const endless = () =>
      new ReadableStream<Uint8Array>({
        pull(controller) {
          sent += 10_000;
          controller.enqueue(new Uint8Array(10_000));
        },
      });
    const headers: Record<string, string>[] = [{}, { 'content-length': '10' }, { 'content-length': '100001' }];
    for (const header of headers) {
      expect(await send(endless(), header)).toMatchObject({ status: 413, code: 'TOO_LARGE' });
    }
    expect(sent).toBeLessThan(500_000);
    expect(stored()).toBe(before);
  });

  it('are bounded in number, those on their way included', async () => {
    const limits = { uploads: 1 };
    const place = createTestFolder();
    const small = await createTestApp(place.path, { limits });
    const responses = await Promise.all(
      [1, 2].map(async () =>
        small.app.request('/v1/uploads', {
          method: 'POST',
          body: tinyTeacher,
          headers: { 'content-type': 'application/octet-stream' },
        }),
      ),
    );
    expect(responses.map(({ status }) => status)).toEqual([201, 429]);
    await small.close();
    place.remove();
  });
});

it('never opens more event streams than it may, and gets back those whose clients have gone', async () => {
  const { links } = await test.submit(endlessRun);
  for (let round = 0; round < 5; round++) {
    const streams = await Promise.all([1, 2].map(async () => test.app.request(links.events)));
    expect(await problem(test.app.request(links.events))).toMatchObject({ status: 429, code: 'TOO_MANY' });
    for (const { body } of streams) await body!.cancel();
  }
  for (let count = 0; count < 5; count++)
    expect((await test.app.request(links.events, { method: 'HEAD' })).status).toBe(200);
  const response = await test.app.request(links.events);
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  await response.body!.cancel();
  await test.post(links.cancel);
});

it('asks for patience where a busy machine is long in looking into an upload', async () => {
  const place = createTestFolder();
  const busy = await createTestApp(place.path, { limits: { inspectMs: 1 } });
  const headers = { 'content-type': 'application/octet-stream' };
  const response = await busy.app.request('/v1/uploads', { method: 'POST', body: tinyTeacher, headers });
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '60']);
  expect(await response.json()).toMatchObject({
    code: 'UNAVAILABLE',
    detail:
      'Cannot read the upload as looking into it must end within 0.001 s, which a busy server may not reach: try again later',
  });
  // Nothing is left of it.
  expect(readdirSync(join(place.path, 'uploads', '.incoming'))).toEqual([]);
  await busy.close();
  place.remove();
});

it('tells its health', async () => {
  expect(await (await test.app.request('/v2/health/live')).json()).toEqual({ live: true });
  expect(await (await test.app.request('/v2/health/ready')).json()).toEqual({ ready: true });
  const place = createTestFolder();
  const closing = await createTestApp(place.path);
  await closing.close();
  const ready = await closing.app.request('/v2/health/ready');
  expect([ready.status, await ready.json()]).toEqual([503, { ready: false }]);
  expect(await problem(closing.post('/v1/distillations', { teacher: 'lenet5-mnist' }))).toMatchObject({
    status: 503,
    code: 'UNAVAILABLE',
  });
  place.remove();
});

it('sends headers that keep browsers from guessing, framing and storing', async () => {
  for (const path of ['/v2/health/live', '/nothing', '/v1/distillations']) {
    const { headers } = await test.app.request(path);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('access-control-allow-origin')).toBeNull();
  }
});
