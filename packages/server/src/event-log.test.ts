import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { EventLog } from './event-log.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dafl-event-log-'));
  path = join(folder, 'events.ndjson');
});
afterEach(() => rmSync(folder, { recursive: true }));

async function readAll(log: EventLog): Promise<unknown[]> {
  const events: unknown[] = [];
  for (let position = { id: 0, byte: 0 }; position.id < log.count;) {
    const read = await log.read(position);
    events.push(...read.lines.map((line) => JSON.parse(line) as unknown));
    position = read.position;
    expect(position.id).toBe(events.length);
  }
  return events;
}

it('reads what was appended, an event longer than one read included', async () => {
  const log = EventLog.appendable(path);
  const events = [
    { step: 1 },
    { text: 'ä'.repeat(100_000) },
    { step: 2 },
    ...Array.from({ length: 20_000 }, (_, step) => ({ step })),
  ];
  for (const event of events) log.append(event);
  expect(await readAll(log)).toEqual(events);
  log.end();
  expect(await readAll(EventLog.ended(path, events.length))).toEqual(events);
});

it('remembers where events are, so that who comes back reads on from near the last', async () => {
  const events = Array.from({ length: 20_000 }, (_, step) => ({ step, text: 'ä' }));
  const log = EventLog.appendable(path);
  for (const event of events) log.append(event);
  log.end();
  const reopened = EventLog.appendable(path);
  const ended = EventLog.ended(path, events.length);
  // Its file is not read before somebody asks.
  expect(ended.positionNear(15_000)).toEqual({ id: 0, byte: 0 });
  await readAll(ended);
  for (const known of [log, reopened, ended]) {
    const position = known.positionNear(15_000);
    expect(position.id).toBeLessThanOrEqual(15_000);
    expect(position.id).toBeGreaterThan(15_000 - 4_000);
    const { lines } = await known.read(position);
    expect(JSON.parse(lines[0])).toEqual(events[position.id]);
  }
});

it('removes the line that a crash cut short, and goes on behind it', async () => {
  writeFileSync(path, '{"step":1}\n{"step":2}\n{"st');
  const log = EventLog.appendable(path);
  expect(log.count).toBe(2);
  log.append({ step: 3 });
  expect(readFileSync(path, 'utf8')).toBe('{"step":1}\n{"step":2}\n{"step":3}\n');
});

it('tells its listeners of each event and of the end', () => {
  const log = EventLog.appendable(path);
  let calls = 0;
  const stop = log.onChange(() => calls++);
  log.append({ step: 1 });
  log.end();
  expect([calls, log.count, log.hasEnded]).toEqual([2, 1, true]);
  stop();
  log.end();
  expect(calls).toBe(2);
});

it('fails when events are gone from the disk, rather than to wait for them', async () => {
  const log = EventLog.appendable(path);
  log.append({ step: 1 });
  log.append({ step: 2 });
  truncateSync(path, 11);
  await expect(log.read({ id: 1, byte: 11 })).rejects.toThrow(
    `Cannot read '${path}' as it must hold 2 events: it ends after 1`,
  );
});
