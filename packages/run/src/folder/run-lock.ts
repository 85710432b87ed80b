import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { link, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DaflError } from '@dafl/core';
import { systemErrorCode, toStorageError } from './storage-error.ts';

/** Keeps other processes out of a run's folder until it is released. */
export interface RunLock {
  release(): Promise<void>;
}

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Tells a process from a later one of the same id, where the system can say it. */
  readonly processStart: string | null;
  readonly token: string;
}

const LOCK_FILE = 'run.lock';
/** How often a holder shows processes on other machines that it is alive. */
const TOUCH_EVERY_MS = 30_000;
/** A process of another machine or container counts as dead when its lock has not been touched for so long. */
const FOREIGN_TIMEOUT_MS = 600_000;

/**
 * Takes a folder for this process. A lock that a dead process left is taken over.
 *
 * @throws {DaflError} `USAGE` if another process works in the folder; `STORAGE` if the lock cannot be written.
 */
export async function acquireRunLock(folder: string): Promise<RunLock> {
  const path = join(folder, LOCK_FILE);
  const owner: Owner = {
    pid: process.pid,
    host: hostname(),
    processStart: processStatus(process.pid)?.start ?? null,
    token: randomBytes(8).toString('hex'),
  };
  for (let attempt = 0; attempt < 10; attempt++) {
    if (await create(path, JSON.stringify(owner))) return hold(path, owner);
    const text = await readText(path);
    if (text === undefined) continue;
    const current = parseOwner(text);
    if (current === undefined || (await isAlive(path, current))) {
      const who = current === undefined ? 'unknown' : `process ${current.pid} on ${current.host}`;
      throw new DaflError(
        'USAGE',
        `Cannot run in '${folder}' as no other process must work there: current owner is ${who}. If it is gone, delete ${path}`,
      );
    }
    await removeStale(path, text);
  }
  throw new DaflError(
    'USAGE',
    `Cannot run in '${folder}' as no other process must work there: current owner changes all the time`,
  );
}

/** Whether a living process works in a folder. */
export async function isRunLocked(folder: string): Promise<boolean> {
  const path = join(folder, LOCK_FILE);
  const text = await readText(path);
  const owner = text === undefined ? undefined : parseOwner(text);
  try {
    return owner !== undefined && (await isAlive(path, owner));
  } catch (error) {
    // Released in between.
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

async function create(path: string, text: string): Promise<boolean> {
  // Written under another name and linked, so that nobody ever reads half a lock.
  const own = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    const handle = await open(own, 'wx');
    try {
      await handle.writeFile(text);
    } finally {
      await handle.close();
    }
    await link(own, path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw await toStorageError(error, path);
  } finally {
    await rm(own, { force: true });
  }
}

/** Moves a dead process's lock away; puts it back if it turns out to be a newer one, taken in between. */
async function removeStale(path: string, text: string): Promise<void> {
  const moved = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await rename(path, moved);
    if ((await readFile(moved, 'utf8')) !== text) await link(moved, path);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
  } finally {
    await rm(moved, { force: true });
  }
}

function hold(path: string, owner: Owner): RunLock {
  const touch = async (): Promise<void> => {
    const now = new Date();
    await utimes(path, now, now).catch((error: unknown) => {
      if (systemErrorCode(error) === undefined) throw error;
    });
  };
  const timer = setInterval(() => void touch(), TOUCH_EVERY_MS).unref();
  const removeIfOwn = (): void => {
    try {
      if (parseOwner(readFileSync(path, 'utf8'))?.token === owner.token) rmSync(path, { force: true });
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
    }
  };
  process.once('exit', removeIfOwn);
  return {
    async release() {
      clearInterval(timer);
      process.removeListener('exit', removeIfOwn);
      removeIfOwn();
    },
  };
}

async function isAlive(path: string, owner: Owner): Promise<boolean> {
  if (owner.host !== hostname()) {
    const { mtimeMs } = await stat(path);
    return Date.now() - mtimeMs < FOREIGN_TIMEOUT_MS;
  }
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: it exists and belongs to somebody else.
    if (systemErrorCode(error) === 'ESRCH') return false;
  }
  const status = processStatus(owner.pid);
  // One that has ended and that its parent has not taken notice of yet works no more.
  if (status !== null && ENDED_STATES.includes(status.state)) return false;
  return owner.processStart === null || owner.processStart === status?.start;
}

/** Zombie and dead, as /proc writes them. */
const ENDED_STATES: readonly string[] = ['Z', 'X', 'x'];

/** A process's state and when it started, in the kernel's ticks since boot; null where there is no /proc. */
function processStatus(pid: number): { state: string; start: string } | null {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Fields 3 and 22, counted after the command's name, which stands in brackets and may hold anything.
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0], start: fields[19] };
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return null;
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function parseOwner(text: string): Owner | undefined {
  try {
    const owner: unknown = JSON.parse(text);
    return typeof owner === 'object' && owner !== null && 'pid' in owner && 'host' in owner
      ? (owner as Owner)
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
