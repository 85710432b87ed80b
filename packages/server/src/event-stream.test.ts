import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { EventLog } from './event-log.ts';
import { eventStream } from './event-stream.ts';

let folder: string;
let log: EventLog;
let closed: number;
let stopping: AbortController;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dafl-event-stream-'));
  log = EventLog.appendable(join(folder, 'events.ndjson'));
  closed = 0;
  stopping = new AbortController();
});
afterEach(() => rmSync(folder, { recursive: true }));

function open({ after = 0, heartbeatMs = 60_000 } = {}): ReadableStream<Uint8Array> {
  return eventStream(log, { after, heartbeatMs, signal: stopping.signal, onClose: () => closed++ });
}

it('sends what is stored, what comes, and ends with the log', async () => {
  log.append({ step: 1 });
  log.append({ step: 2 });
  const text = new Response(open({ after: 1 })).text();
  await new Promise((resolve) => setTimeout(resolve, 20));
  log.append({ step: 3 });
  log.end();
  expect(await text).toBe('id: 2\ndata: {"step":2}\n\nid: 3\ndata: {"step":3}\n\n');
  expect(closed).toBe(1);
});

it('reads nothing ahead of its client', async () => {
  for (let step = 0; step < 10_000; step++) log.append({ step });
  const reader = open().getReader();
  const { value } = await reader.read();
  expect(value!.byteLength).toBeLessThan(200_000);
  await reader.cancel();
  expect(closed).toBe(1);
});

it('sends a comment after a silence', async () => {
  const reader = open({ heartbeatMs: 5 }).getReader();
  for (let beat = 0; beat < 3; beat++) {
    expect(new TextDecoder().decode((await reader.read()).value)).toBe(': heartbeat\n\n');
  }
  await reader.cancel();
});

it.each(['while it waits', 'before it is read'])('lets go of everything when its client goes %s', async (moment) => {
  const stream = open();
  const reader = stream.getReader();
  const read = moment === 'while it waits' ? reader.read() : undefined;
  await reader.cancel();
  await read;
  expect(closed).toBe(1);
  log.append({ step: 1 });
  expect(closed).toBe(1);
});

it('ends when it is told to', async () => {
  const text = new Response(open()).text();
  await new Promise((resolve) => setTimeout(resolve, 20));
  stopping.abort();
  expect(await text).toBe('');
  expect(closed).toBe(1);
});
