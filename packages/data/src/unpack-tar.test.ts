import { createTar } from 'nanotar';
import { expect, it } from 'vitest';
import { unpackTar } from './unpack-tar.ts';

const archive = createTar([{ name: 'a/b.bin', data: Uint8Array.of(1, 2, 3) }]);

it('reads the files of an archive, also of one that lies within a larger memory', () => {
  const memory = new Uint8Array(archive.length + 100).fill(7);
  memory.set(archive, 50);
  for (const bytes of [archive, memory.subarray(50, 50 + archive.length)])
    expect([...unpackTar(bytes)]).toEqual([['a/b.bin', Uint8Array.of(1, 2, 3)]]);
});

it('rejects what holds no file', () => {
  expect(() => unpackTar(new Uint8Array(1024), 'a.tar')).toThrow(
    "Cannot read 'a.tar' as a tar archive must hold files: found none",
  );
});
