import { deflateRawSync } from 'node:zlib';
import { DaflError } from '@dafl/core';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../_crc32.ts';
import { buildZip, type ZipChanges, type ZipSketch } from './_testing/build-zip.ts';
import { readZip } from './read-zip.ts';
import { writeZip } from './write-zip.ts';

const reject = (rule: string, value: string): never => {
  throw new DaflError('MODEL', `Cannot read it as ${rule}: current value is ${value}`);
};
const read = (bytes: Uint8Array) => readZip(bytes, reject);
const some = Uint8Array.of(1, 2, 3);
const a: ZipSketch = { name: 'a', content: some };

/** An entry as programs that compress write it. */
function deflated(name: string, content: Uint8Array, changes: Partial<ZipSketch> = {}): ZipSketch {
  const packed = Uint8Array.from(deflateRawSync(content));
  return { name, content: packed, method: 8, checksum: crc32(content), unpackedSize: content.length, ...changes };
}

describe('readZip', () => {
  it.each<[string, ZipChanges]>([
    ['a plain archive', {}],
    ['one with a comment that looks like an end', { comment: Uint8Array.of(0x50, 0x4b, 5, 6, ...new Uint8Array(30)) }],
    ['ZIP64', { isWide: true }],
  ])('gives what was stored or deflated: %s', async (_, changes) => {
    const large = new Uint8Array(50_000).map((_, index) => index ** 2 % 256);
    const isWide = changes.isWide ?? false;
    const entries = read(buildZip([{ ...a, isWide }, deflated('b/c', large, { isWide })], changes));
    expect([...entries.keys()]).toEqual(['a', 'b/c']);
    expect(await entries.get('a')!.read()).toEqual(some);
    expect(entries.get('a')!.view()).toEqual(some);
    expect(await entries.get('b/c')!.read()).toEqual(large);
    expect(() => entries.get('b/c')!.view()).toThrow(/entry 'b\/c' must be stored without compression/);
  });

  it.each(['../a', '/etc/a', 'b/../../a', 'C:\\a', 'a\\b', 'a\0b'])('refuses the name %j', (name) => {
    expect(() => read(buildZip([{ ...a, name }]))).toThrow(/the names of its entries must be plain paths/);
  });

  it.each<[string, ZipSketch[], ZipChanges, RegExp]>([
    ['names that stand twice', [a, a], {}, /must hold each entry once: current value is 'a' twice/],
    ['another name at its place', [{ ...a, localName: 'b' }], {}, /'a' must be called so where it begins/],
    ['another method at its place', [{ ...a, localMethod: 8 }], {}, /'a' must say its method twice alike/],
    ['encryption', [{ ...a, flags: 1 }], {}, /entry 'a' must not be encrypted/],
    ['a method that is not read', [{ ...a, method: 14 }], {}, /entry 'a' must be stored or deflated.*method 14/],
    ['two sizes of what is stored', [{ ...a, unpackedSize: 9 }], {}, /'a' must have the size that it says/],
    ['a size beyond the file', [{ ...a, size: 2 ** 31 }], {}, /'a' must end before the directory/],
    ['a place beyond the file', [{ ...a, offset: 2 ** 31 }], {}, /'a' must begin before the directory/],
    ['sizes that no number holds', [{ ...a, size: 2 ** 60, isWide: true }], {}, /'a' must end before the directory/],
    ['a place that no number holds', [{ ...a, offset: 2 ** 60, isWide: true }], {}, /must begin before the directory/],
    ['an archive in parts', [a], { part: 1 }, /must be an archive in one part/],
    ['bytes behind its end', [a], { comment: some, commentBytes: 0 }, /must end with the directory/],
  ])('refuses %s', (_, entries, changes, message) => {
    expect(() => read(buildZip(entries, changes))).toThrow(message);
  });

  it('refuses entries that overlap', () => {
    // The second begins within what the first holds.
    const inner = buildZip([{ name: 'b', content: some }]);
    const outer = { name: 'a', content: inner.subarray(0, 34) };
    const place = 30 + outer.name.length;
    const twice = buildZip([outer, { name: 'b', content: some, offset: place }]);
    expect(() => read(twice)).toThrow(/must not overlap: current value is 'a' and 'b'/);
  });

  it('refuses a directory that goes on behind its last entry', () => {
    const bytes = buildZip([a, { ...a, name: 'b' }]);
    new DataView(bytes.buffer).setUint16(bytes.length - 12, 1, true);
    expect(() => read(bytes)).toThrow(/its directory must end with its last entry/);
  });

  it('refuses what unpacks to far more than it is, and unpacks no more than the directory says', async () => {
    const zeros = new Uint8Array(8 * 2 ** 20);
    expect(() => read(buildZip([deflated('a', zeros)]))).toThrow(/must not unpack to more than 100 times its bytes/);
    const entry = read(buildZip([deflated('a', zeros, { unpackedSize: 1000 })])).get('a')!;
    await expect(entry.read()).rejects.toThrow(/entry 'a' must be whole/);
  });

  it.each<[string, ZipSketch]>([
    ['stored bytes that do not match', { ...a, checksum: 1 }],
    ['unpacked bytes that do not match', deflated('a', some, { checksum: 1 })],
    ['less than it says', deflated('a', some, { unpackedSize: 4 })],
    ['no deflated data', { ...a, method: 8, content: Uint8Array.of(0xff, 0xff, 0xff), unpackedSize: 3 }],
    ['deflated data that is cut', deflated('a', new Uint8Array(999).fill(5), { size: 3 })],
  ])('refuses damage: %s', async (_, entry) => {
    await expect(
      read(buildZip([entry]))
        .get('a')!
        .read(),
    ).rejects.toThrow(/(match its checksum|be whole)/);
  });

  it('refuses archives that are cut, wherever', () => {
    const bytes = buildZip([a, deflated('b', some)]);
    for (let length = 0; length < bytes.length; length++)
      expect(() => read(bytes.subarray(0, length))).toThrow(DaflError);
  });

  it('names what it is asked to look at before anything of it is checked', () => {
    const seen: string[] = [];
    const look = (name: string): void => void seen.push(name);
    expect(() => readZip(buildZip([{ ...a, method: 14 }]), reject, { look })).toThrow(DaflError);
    expect(seen).toEqual(['a']);
  });
});

describe('writeZip', () => {
  it('gives archives that are read back, the same bytes each time', async () => {
    const files = new Map([
      ['config.json', some],
      ['folder/ümlaut', new Uint8Array(3000).fill(9)],
      ['empty', new Uint8Array()],
    ]);
    const bytes = writeZip(files);
    expect(writeZip(files)).toEqual(bytes);
    const entries = read(bytes);
    expect([...entries.keys()]).toEqual([...files.keys()]);
    for (const [name, content] of files) expect(await entries.get(name)!.read()).toEqual(content);
    expect(read(writeZip(new Map()))).toEqual(new Map());
  });
});
