import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { maskedCrc32c } from './crc32c.ts';
import { encodeEvent } from './encode-event.ts';
import { EventFile, frameRecord } from './event-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dafl-events-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('checksums are those of RFC 3720, appendix B.4, masked', () => {
  const unmask = (masked: number): number => {
    const rotated = (masked - 0xa282ead8) >>> 0;
    return ((rotated >>> 17) | (rotated << 15)) >>> 0;
  };
  expect(unmask(maskedCrc32c(new Uint8Array(32)))).toBe(0x8a9136aa);
  expect(unmask(maskedCrc32c(new Uint8Array(32).fill(255)))).toBe(0x62a8ab43);
  expect(unmask(maskedCrc32c(Uint8Array.from({ length: 32 }, (_, index) => index)))).toBe(0x46dd794e);
});

/** Golden bytes: the protobuf runtime of tensorboard 2.21.0 serializes the same events to them. */
test('events are encoded as protocol buffers', () => {
  expect(hex(encodeEvent({ wallTime: 1.5, step: 300, scalars: { loss: 0.25 } }))).toBe(GOLDEN_SCALAR);
  const image = { height: 2, width: 3, colorspace: 1, png: Uint8Array.of(1, 2, 3) };
  expect(hex(encodeEvent({ wallTime: 1.5, step: 1, images: { samples: image } }))).toBe(GOLDEN_IMAGE);
});
const GOLDEN_SCALAR = '09000000000000f83f10ac022a0d0a0b0a046c6f7373150000803e';
const GOLDEN_IMAGE = '09000000000000f83f10012a180a160a0773616d706c6573220b0802100318012203010203';

test('a file starts with its version and holds whole records', async () => {
  const file = await EventFile.create(folder, 1_700_000_000_000);
  await file.append({ wallTime: 2, step: 7, scalars: { 'accuracy/student': 0.5 } });
  file.close();
  const [name] = readdirSync(folder);
  expect(name).toMatch(/^events\.out\.tfevents\.1700000000\.dafl\.\d+$/);
  const bytes = readFileSync(join(folder, name));
  const first = frameRecord(encodeEvent({ wallTime: 1_700_000_000, step: 0, fileVersion: 'brain.Event:2' }));
  const second = frameRecord(encodeEvent({ wallTime: 2, step: 7, scalars: { 'accuracy/student': 0.5 } }));
  expect(hex(bytes)).toBe(hex(first) + hex(second));
  expect(Number(bytes.readBigUInt64LE(0))).toBe(first.length - 16);
});

test.runIf(existsSync('/dev/full'))('a full disk is told as every other writer tells it', async () => {
  symlinkSync('/dev/full', join(folder, `events.out.tfevents.1700000000.dafl.${process.pid}`));
  await expect(EventFile.create(folder, 1_700_000_000_000)).rejects.toMatchObject({ code: 'STORAGE' });
});
