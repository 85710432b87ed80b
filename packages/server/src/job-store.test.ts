import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createTestApp, createTestFolder, endlessRun, tinyRun } from './_test-app.ts';
import type { Distillation, DistillationPage } from './api.ts';

let folder: ReturnType<typeof createTestFolder>;
beforeEach(() => {
  folder = createTestFolder();
});
afterEach(() => folder.remove());

const hasEnded = ({ state }: Distillation) => state !== 'queued' && state !== 'running';
const isStepping = ({ progress }: Distillation) => progress !== null;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

it('marks a job whose process was killed as failed, and starts the next', async () => {
  const test = await createTestApp(folder.path);
  const killed = await test.submit(endlessRun);
  const next = await test.submit(tinyRun);
  await test.waitFor(killed.id, isStepping);
  process.kill(test.jobs.processId(killed.id)!, 'SIGKILL');
  const { state, error } = await test.waitFor(killed.id, hasEnded);
  expect(state).toBe('failed');
  expect(error).toEqual({
    code: 'OUT_OF_MEMORY',
    message:
      'Cannot distill as its process must end by itself: current end is SIGKILL, which most often means that the system ran out of memory',
  });
  const events = await (await test.app.request(killed.links.events)).text();
  expect(events.trimEnd().split('\n').at(-1)).toBe(`data: ${JSON.stringify({ event: 'error', ...error })}`);
  await test.waitFor(next.id, ({ state }) => state === 'succeeded');
  await test.close();
});

it('tells how a process ended that said nothing', async () => {
  const test = await createTestApp(folder.path);
  const { id } = await test.submit(endlessRun);
  await test.waitFor(id, isStepping);
  process.kill(test.jobs.processId(id)!, 'SIGABRT');
  expect((await test.waitFor(id, hasEnded)).error).toEqual({
    code: 'CRASHED',
    message: 'Cannot distill as its process must end by itself: current end is SIGABRT',
  });
  await test.close();
});

it("keeps a run's own error", async () => {
  const test = await createTestApp(folder.path);
  const { id, links } = await test.submit({
    ...tinyRun,
    generatorLearningRate: 1e30,
    studentLearningRate: 1e30,
    steps: 50,
  });
  expect((await test.waitFor(id, hasEnded)).error).toEqual({
    code: 'NON_FINITE',
    message: expect.stringMatching(/^Cannot go on with step \d+ as the \w+ loss must be finite/),
  });
  const events = await (await test.app.request(links.events)).text();
  expect(events.match(/"event":"error"/g)).toHaveLength(1);
  await test.close();
});

it('fails when the heap is full', async () => {
  const test = await createTestApp(folder.path);
  const { id: teacher } = await test.upload();
  // Not enough to load what a run needs.
  process.env.NODE_OPTIONS = '--max-old-space-size=8';
  try {
    const { id } = (await (await test.post('/v1/distillations', { ...tinyRun, teacher })).json()) as Distillation;
    expect((await test.waitFor(id, hasEnded)).error).toEqual({
      code: 'OUT_OF_MEMORY',
      message: 'Cannot distill as its process must have enough memory: current state is a full JavaScript heap',
    });
  } finally {
    delete process.env.NODE_OPTIONS;
  }
  await test.close();
});

it('ends the processes that run when it closes, and keeps the queue for the next start', async () => {
  const first = await createTestApp(folder.path);
  const done = await first.submit(tinyRun);
  await first.waitFor(done.id, hasEnded);
  const running = await first.submit(endlessRun);
  const queued = await first.submit(tinyRun);
  await first.waitFor(running.id, isStepping);
  const pid = first.jobs.processId(running.id)!;
  const stream = (await first.app.request(running.links.events)).text();
  await first.close();
  expect(isAlive(pid)).toBe(false);
  const stopped = await first.get(running.id);
  expect(stopped).toMatchObject({ state: 'queued', error: null });
  expect(await stream).toMatch(/"event":"interrupted".*\n\n$/);
  expect(readdirSync(join(folder.path, 'jobs', running.id, 'run', 'checkpoints'))).not.toEqual([]);
  const before = await first.get(done.id);

  const second = await createTestApp(folder.path);
  expect(await second.get(done.id)).toEqual(before);
  const { step } = stopped.progress!;
  const { startedAt } = await second.waitFor(running.id, ({ progress }) => progress!.step > step);
  expect(startedAt).toBe(stopped.startedAt);
  await second.post(running.links.cancel);
  await second.waitFor(queued.id, ({ state }) => state === 'succeeded');
  const { items } = (await (await second.app.request('/v1/distillations')).json()) as DistillationPage;
  expect(items.map(({ id }) => id)).toEqual([queued.id, running.id, done.id]);
  expect((await second.app.request(done.links.student)).status).toBe(200);
  const replayed = await (await second.app.request(done.links.events)).text();
  expect(replayed).toMatch(/^id: 1\n[^]*"event":"result"[^]*\n\n$/);
  await second.close();
});

it('goes on to the student that a job would have come to', async () => {
  const options = { ...tinyRun, steps: 150 };
  const first = await createTestApp(folder.path);
  const whole = await first.submit(options);
  const { result } = await first.waitFor(whole.id, hasEnded);
  const { id, links } = await first.submit(options);
  await first.waitFor(id, isStepping);
  await first.close();
  expect((await first.get(id)).state).toBe('queued');
  const second = await createTestApp(folder.path);
  const resumed = await second.waitFor(id, hasEnded);
  expect(resumed.result?.studentSha256).toBe(result!.studentSha256);
  const events = await (await second.app.request(links.events)).text();
  expect(events.match(/"event":"prepared"/g)).toHaveLength(2);
  expect(events).toMatch(/"resumedAt":[1-9]/);
  await second.close();
});

it('goes on with what ran when the server was killed, but not without end', async () => {
  const test = await createTestApp(folder.path);
  const { id, links } = await test.submit(endlessRun);
  await test.waitFor(id, isStepping);
  // What a kill -9 would have left behind.
  const crashed = createTestFolder();
  await cp(folder.path, crashed.path, { recursive: true });
  await test.close();
  rmSync(join(crashed.path, 'jobs', 'run.lock'), { force: true });
  const log = join(crashed.path, 'jobs', id, 'events.ndjson');
  writeFileSync(log, `${readFileSync(log, 'utf8').split('\n').slice(0, 3).join('\n')}\n{"event":"st`);

  const second = await createTestApp(crashed.path);
  expect(await second.get(id)).toMatchObject({ state: 'running', error: null });
  const reader = (await second.app.request(links.events, { headers: { 'last-event-id': '3' } })).body!.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toMatch(/^id: 4\ndata: \{"event":"prepared"/);
  await reader.cancel();
  await second.close();

  const path = join(crashed.path, 'jobs', id, 'job.json');
  const record = JSON.parse(readFileSync(path, 'utf8')) as object;
  writeFileSync(path, JSON.stringify({ ...record, state: 'running', kills: 4 }));
  const third = await createTestApp(crashed.path);
  expect(await third.get(id)).toMatchObject({
    state: 'failed',
    error: {
      code: 'INTERRUPTED',
      message: 'Cannot distill as the server must stay up until it is done: it was killed 5 times meanwhile',
    },
  });
  await third.close();
  crashed.remove();
});

it('starts beside stray files and damaged records, and leaves them as they are', async () => {
  const first = await createTestApp(folder.path);
  const { id } = await first.submit(tinyRun);
  await first.waitFor(id, hasEnded);
  const { id: kept } = await first.upload();
  await first.close();
  const strays = [
    'jobs/notes.txt',
    'jobs/damaged/job.json',
    'jobs/list/job.json',
    'jobs/partial/job.json',
    'uploads/readme.txt',
    'uploads/photos/cat.jpg',
    'uploads/damaged/upload.json',
    'uploads/empty/upload.json',
  ];
  const contents: Record<string, string> = { list: '[]', partial: '{"id":"partial"}', empty: '{"id":"empty"}' };
  for (const stray of strays) {
    mkdirSync(join(folder.path, dirname(stray)), { recursive: true });
    writeFileSync(join(folder.path, stray), contents[stray.split('/')[1]] ?? '{"id":');
  }
  // What a server left that was killed while it received one.
  mkdirSync(join(folder.path, 'uploads', '.incoming', 'half'));

  const second = await createTestApp(folder.path);
  expect(await second.get(id)).toMatchObject({ id, state: 'succeeded' });
  expect((await second.app.request(`/v1/uploads/${kept}`)).status).toBe(200);
  for (const stray of strays) expect(existsSync(join(folder.path, stray))).toBe(true);
  expect(readdirSync(join(folder.path, 'uploads', '.incoming'))).toEqual([]);
  expect(second.errors.map((error) => (error as Error).message).sort()).toEqual(
    [
      ['jobs/damaged/job.json', 'no JSON'],
      ['jobs/list/job.json', 'no record'],
      ['jobs/partial/job.json', "one without 'options'"],
      ['uploads/damaged/upload.json', 'no JSON'],
    ]
      .map(
        ([path, what]) =>
          `Cannot read '${join(folder.path, path)}' as it must be a record: current content is ${what}. It is passed over`,
      )
      .concat(
        `Cannot read '${join(folder.path, 'uploads/empty/model.safetensors')}' as it must be there: it is missing. Its upload is passed over`,
      ),
  );
  expect((await second.app.request('/v1/uploads/empty')).status).toBe(404);
  await second.close();
});

it('kills a process that does not end in its grace', async () => {
  const test = await createTestApp(folder.path, { limits: { graceMs: 200 } });
  const { id, links } = await test.submit(endlessRun);
  await test.waitFor(id, isStepping);
  // A stopped process takes no SIGTERM.
  process.kill(test.jobs.processId(id)!, 'SIGSTOP');
  await test.post(links.cancel);
  expect(await test.waitFor(id, hasEnded)).toMatchObject({ state: 'cancelled', error: null });
  await test.close();
});

it('runs no more than it may at once', async () => {
  const test = await createTestApp(folder.path, { limits: { concurrency: 2 } });
  const jobs = [await test.submit(endlessRun), await test.submit(endlessRun), await test.submit(endlessRun)];
  const states = await Promise.all(jobs.map(({ id }) => test.get(id)));
  expect(states.map(({ state }) => state)).toEqual(['running', 'running', 'queued']);
  await test.close();
});

it('leaves a folder alone that another server uses', async () => {
  const first = await createTestApp(folder.path);
  await expect(createTestApp(folder.path)).rejects.toThrow(/as no other process must work there/);
  await first.close();
  await (await createTestApp(folder.path)).close();
});

it('fails a job, and no more, when the disk does not take its events', async () => {
  const test = await createTestApp(folder.path);
  const { id } = await test.submit(endlessRun);
  await test.waitFor(id, isStepping);
  const log = test.jobs.events(id);
  log.append = () => {
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  };
  expect((await test.waitFor(id, hasEnded)).error).toEqual({
    code: 'STORAGE',
    message: 'Cannot distill as its events must be stored: current error is ENOSPC',
  });
  expect(test.errors).not.toEqual([]);
  const next = await test.submit(tinyRun);
  await test.waitFor(next.id, ({ state }) => state === 'succeeded');
  await test.close();
});
