import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as nodeFiles from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Checkpoint, CheckpointPart } from '@dafl/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CheckpointStore } from './checkpoint-store.ts';
import type { FileCalls } from './write-file-atomically.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dafl-checkpoints-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const values = (...data: number[]) => ({ shape: [data.length], data: Float32Array.from(data) });

function part(id: string): CheckpointPart & { reads: number } {
  return {
    id,
    reads: 0,
    async read() {
      this.reads++;
      return new Map([['images', values(id.length, 2)]]);
    },
  };
}

function checkpoint(step: number, parts: readonly CheckpointPart[] = []): Checkpoint {
  return {
    version: 1,
    step,
    fingerprint: 'abc',
    counters: { latent: step * 10 },
    tensors: new Map([['student/kernel', values(step, -0, 1e-40)]]),
    parts,
  };
}

const generations = (): string[] => readdirSync(folder).filter((name) => name.startsWith('step-'));
const parts = (): string[] => readdirSync(join(folder, 'parts'));

async function readBack({ tensors, parts: stored, ...rest }: Checkpoint): Promise<unknown> {
  return {
    ...rest,
    tensors: [...tensors],
    parts: await Promise.all(stored.map(async (one) => [one.id, [...(await one.read())]])),
  };
}

test('what is saved is loaded', async () => {
  const saved = checkpoint(123, [part('replay-1'), part('replay-2')]);
  await new CheckpointStore(folder).save(saved);
  expect(generations()).toEqual(['step-00000123.safetensors']);
  const { checkpoint: loaded, damaged } = await new CheckpointStore(folder).load();
  expect(damaged).toEqual([]);
  expect(await readBack(loaded!)).toEqual(await readBack(saved));
  expect(Object.is(loaded!.tensors.get('student/kernel')!.data[1], -0)).toBe(true);
});

test('an empty or missing folder has no checkpoint', async () => {
  expect(await new CheckpointStore(join(folder, 'none')).load()).toEqual({ checkpoint: undefined, damaged: [] });
});

test('two generations are kept, and the parts that they name; each part is stored once', async () => {
  const store = new CheckpointStore(folder);
  const [one, two, three, four] = ['1', '2', '3', '4'].map((id) => part(`replay-${id}`));
  await store.save(checkpoint(10, [one, two]));
  await store.save(checkpoint(20, [two, three]));
  expect(parts()).toEqual(['replay-1.safetensors', 'replay-2.safetensors', 'replay-3.safetensors']);
  await store.save(checkpoint(30, [three, four]));
  expect(generations()).toEqual(['step-00000020.safetensors', 'step-00000030.safetensors']);
  expect(parts()).toEqual(['replay-2.safetensors', 'replay-3.safetensors', 'replay-4.safetensors']);
  expect([one, two, three, four].map(({ reads }) => reads)).toEqual([1, 1, 1, 1]);
});

test('a store that loaded knows the parts that are there', async () => {
  await new CheckpointStore(folder).save(checkpoint(10, [part('replay-1')]));
  const store = new CheckpointStore(folder);
  await store.load();
  const again = part('replay-1');
  await store.save(checkpoint(20, [again]));
  expect(again.reads).toBe(0);
  expect(generations()).toHaveLength(2);
});

test('weights can be looked at without the parts', async () => {
  const store = new CheckpointStore(folder);
  await store.save(checkpoint(10, [part('replay-1')]));
  await store.discardParts();
  expect((await new CheckpointStore(folder).loadWeights())?.step).toBe(10);
  expect((await new CheckpointStore(folder).load()).checkpoint).toBeUndefined();
});

describe('a damaged checkpoint is passed over', () => {
  const newest = (): string => join(folder, 'step-00000020.safetensors');

  test.each<[string, () => void, RegExp]>([
    ['cut short', () => writeFileSync(newest(), readFileSync(newest()).subarray(0, -3)), /it must hold the \d+ bytes/],
    ['empty', () => writeFileSync(newest(), ''), /at least 10 bytes/],
    [
      'a changed weight',
      () => flipBit(newest(), -1),
      /as its SHA-256 must be [0-9a-f]{64}: current value is [0-9a-f]{64}$/,
    ],
    ['a changed part', () => flipBit(join(folder, 'parts/replay-2.safetensors'), -1), /SHA-256/],
    [
      'a missing part',
      () => rmSync(join(folder, 'parts/replay-2.safetensors')),
      /readable file: current error is ENOENT$/,
    ],
  ])('%s', async (_, damage, reason) => {
    const store = new CheckpointStore(folder);
    await store.save(checkpoint(10, [part('replay-1')]));
    await store.save(checkpoint(20, [part('replay-1'), part('replay-2')]));
    damage();
    const reopened = new CheckpointStore(folder);
    const { checkpoint: loaded, damaged } = await reopened.load();
    expect(loaded?.step).toBe(10);
    expect(damaged).toEqual([expect.stringMatching(reason)]);
    // The damaged one is written anew when the run reaches its step again.
    await reopened.save(checkpoint(20, [part('replay-1'), part('replay-2')]));
    expect((await new CheckpointStore(folder).load()).checkpoint?.step).toBe(20);
  });

  test('every bit of a small checkpoint counts', async () => {
    const store = new CheckpointStore(folder);
    await store.save(checkpoint(10));
    await store.save(checkpoint(20));
    const whole = readFileSync(newest());
    const seen = new Set<string>();
    for (let byte = 0; byte < whole.length; byte += 7) {
      const bytes = Buffer.from(whole);
      bytes[byte] ^= 1 << (byte % 8);
      writeFileSync(newest(), bytes);
      const { checkpoint: loaded } = await new CheckpointStore(folder).load();
      seen.add(JSON.stringify(await readBack(loaded!)));
    }
    // A bit of what is not read, such as the padding, may change: the checkpoint is the same then.
    const allowed = [checkpoint(10), checkpoint(20)].map(async (one) => JSON.stringify(await readBack(one)));
    expect(await Promise.all(allowed)).toEqual(expect.arrayContaining([...seen]));
  });
});

describe.each(['ENOSPC', 'EIO'])('%s at the nth call', (code) => {
  test('leaves the checkpoint before it and no temporary file', async () => {
    for (let failing = 1; ; failing++) {
      rmSync(folder, { recursive: true });
      await nodeFiles.mkdir(folder);
      await new CheckpointStore(folder).save(checkpoint(10, [part('replay-1')]));
      const { calls, count } = failAt(failing, code);
      const store = new CheckpointStore(folder, calls);
      const loaded = await store.load().catch(() => undefined);
      const failed = await store.save(checkpoint(20, [part('replay-1'), part('replay-2')])).then(
        () => false,
        (error: unknown) => {
          expect(error).toMatchObject({ code: expect.stringMatching(/STORAGE|ENOSPC|EIO/) });
          return true;
        },
      );
      const { checkpoint: found, damaged } = await new CheckpointStore(folder).load();
      expect(damaged).toEqual([]);
      expect([10, 20]).toContain(found?.step);
      const left = [...readdirSync(folder), ...parts()].filter((name) => name.endsWith('.tmp'));
      expect(left).toEqual([]);
      if (!failed && loaded?.damaged.length === 0 && count() < failing) break;
      expect(failing).toBeLessThan(100);
    }
  });
});

function flipBit(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at < 0 ? bytes.length + at : at] ^= 1;
  writeFileSync(path, bytes);
}

/** File calls of which the nth fails, those on opened files included. */
function failAt(failing: number, code: string): { calls: FileCalls; count: () => number } {
  let count = 0;
  const fail = (): void => {
    count++;
    if (count === failing) throw Object.assign(new Error(`${code}: failing on purpose`), { code });
  };
  const wrap = <Target extends object>(target: Target): Target =>
    new Proxy(target, {
      get(object, name) {
        const value = Reflect.get(object, name) as unknown;
        if (typeof value !== 'function' || name === 'close')
          return typeof value === 'function' ? value.bind(object) : value;
        return async (...parameters: unknown[]) => {
          fail();
          const result: unknown = await (value as (...values: unknown[]) => unknown).apply(object, parameters);
          return name === 'open' ? wrap(result as object) : result;
        };
      },
    });
  return { calls: wrap({ ...nodeFiles }), count: () => count };
}
