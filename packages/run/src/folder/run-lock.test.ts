import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { acquireRunLock } from './run-lock.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dafl-lock-'));
  path = join(folder, 'run.lock');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('keeps a second one out until it is released', async () => {
  const lock = await acquireRunLock(folder);
  await expect(acquireRunLock(folder)).rejects.toMatchObject({
    code: 'USAGE',
    message: `Cannot run in '${folder}' as no other process must work there: current owner is process ${process.pid} on ${hostname()}. If it is gone, delete ${path}`,
  });
  await lock.release();
  expect(readdirSync(folder)).toEqual([]);
  await (await acquireRunLock(folder)).release();
});

test('of many at once, one gets it', async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => acquireRunLock(folder)));
  const held = outcomes.filter(({ status }) => status === 'fulfilled');
  expect(held).toHaveLength(1);
  for (const outcome of outcomes) if (outcome.status === 'fulfilled') await outcome.value.release();
});

test('takes over from a dead process', async () => {
  const { pid } = spawnSync(process.execPath, ['-e', '0']);
  writeFileSync(path, JSON.stringify({ pid, host: hostname(), processStart: null, token: 'x' }));
  const lock = await acquireRunLock(folder);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid });
  await lock.release();
});

test.runIf(existsSync('/proc/self/stat'))('takes over from a process whose id another has now', async () => {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)']);
  try {
    writeFileSync(path, JSON.stringify({ pid: child.pid, host: hostname(), processStart: '1', token: 'x' }));
    const lock = await acquireRunLock(folder);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid });
    await lock.release();
  } finally {
    child.kill();
  }
});

test.runIf(existsSync('/proc/self/stat'))(
  'takes over from a process that has ended and not been waited for',
  async () => {
    // The shell starts a process that ends at once, and never waits for it.
    const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const [line] = (await once(parent.stdout, 'data')) as [Buffer];
      const pid = Number(line.toString());
      const stat = () => readFileSync(`/proc/${pid}/stat`, 'utf8');
      while (!stat().includes(') Z ')) await new Promise((resolve) => setTimeout(resolve, 5));
      const start = stat()
        .slice(stat().lastIndexOf(')') + 2)
        .split(' ')[19];
      writeFileSync(path, JSON.stringify({ pid, host: hostname(), processStart: start, token: 'x' }));
      const lock = await acquireRunLock(folder);
      expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid });
      await lock.release();
    } finally {
      parent.kill();
    }
  },
);

test('shows others that it is alive, without being asked to', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    const lock = await acquireRunLock(folder);
    const old = Date.now() / 1000 - 700;
    utimesSync(path, old, old);
    vi.advanceTimersByTime(30_000);
    await vi.waitUntil(() => statSync(path).mtimeMs > Date.now() - 60_000);
    await lock.release();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('a lock of another machine holds until it has not been touched for ten minutes', async () => {
  writeFileSync(path, JSON.stringify({ pid: 1, host: 'elsewhere', processStart: null, token: 'x' }));
  await expect(acquireRunLock(folder)).rejects.toThrow('current owner is process 1 on elsewhere');
  const old = Date.now() / 1000 - 700;
  utimesSync(path, old, old);
  await (await acquireRunLock(folder)).release();
});

test('does not remove a lock that is no longer its own', async () => {
  const lock = await acquireRunLock(folder);
  writeFileSync(path, JSON.stringify({ pid: 1, host: 'elsewhere', token: 'x' }));
  await lock.release();
  expect(existsSync(path)).toBe(true);
});
