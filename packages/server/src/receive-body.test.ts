import { expect, it } from 'vitest';
import { receiveBody } from './receive-body.ts';

/** Sends `chunks` and tells whether the sender was stopped. */
function request(chunks: readonly Uint8Array[], headers: Record<string, string> = {}) {
  const sent = { count: 0, isStopped: false };
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[sent.count];
        if (chunk === undefined) {
          controller.close();
          return;
        }
        sent.count++;
        controller.enqueue(chunk);
      },
      cancel() {
        sent.isStopped = true;
      },
    },
    { highWaterMark: 0 },
  );
  return {
    sent,
    request: new Request('http://localhost/', { method: 'POST', body, headers, duplex: 'half' } as RequestInit),
  };
}

async function receive(from: Request, options: { maxBytes?: number; clock?: () => number } = {}): Promise<number> {
  let size = 0;
  for await (const chunk of receiveBody(from, { maxBytes: 10, clock: () => 0, ...options })) size += chunk.byteLength;
  return size;
}

const four = new Uint8Array(4);

it('gives the body as it comes', async () => {
  expect(await receive(request([four, four]).request)).toBe(8);
  expect(await receive(request([four, four], { 'content-length': '8' }).request)).toBe(8);
  expect(await receive(new Request('http://localhost/', { method: 'POST' }))).toBe(0);
});

it('refuses a declared length that is too long before reading', async () => {
  const { request: from, sent } = request([four], { 'content-length': '11' });
  await expect(receive(from)).rejects.toMatchObject({
    status: 413,
    message: 'Cannot read the body as it must have at most 10 bytes: current length is 11',
  });
  expect(sent.count).toBe(0);
});

it.each([[{}], [{ 'content-length': '8' }]])('counts what comes, whatever was declared: %j', async (headers) => {
  const { request: from, sent } = request(
    Array.from({ length: 1000 }, () => four),
    headers,
  );
  await expect(receive(from)).rejects.toMatchObject({
    status: 413,
    message: 'Cannot read the body as it must have at most 10 bytes: current length is 12 or more',
  });
  expect(sent).toEqual({ count: 3, isStopped: true });
});

it.each([
  ['8', [four], 400, 'Cannot read the body as it must have its Content-Length of 8 bytes: current length is 4'],
  ['3', [four], 400, 'Cannot read the body as it must have its Content-Length of 3 bytes: current length is 4'],
  ['abc', [four], 400, "Cannot read the body as 'Content-Length' must be an integer: current value is 'abc'"],
  ['-1', [four], 400, "Cannot read the body as 'Content-Length' must be an integer: current value is '-1'"],
])('refuses the lying Content-Length %s', async (length, chunks, status, message) => {
  await expect(receive(request(chunks, { 'content-length': length }).request)).rejects.toMatchObject({
    status,
    message,
  });
});

it('refuses compressed bodies, whose size is not what is sent', async () => {
  await expect(receive(request([four], { 'content-encoding': 'gzip' }).request)).rejects.toMatchObject({
    status: 415,
    message: "Cannot read the body as 'Content-Encoding' must be identity: current value is 'gzip'",
  });
});

it('lets go of a client that is too slow', async () => {
  let nowMs = 0;
  const clock = () => (nowMs += 15_000);
  const { request: from, sent } = request(Array.from({ length: 100 }, () => four));
  await expect(receive(from, { maxBytes: 1000, clock })).rejects.toMatchObject({
    status: 408,
    message: 'Cannot read the body as it must come with 1024 bytes a second: 8 came in 30 s',
  });
  expect(sent.isStopped).toBe(true);
});

it('tells a broken connection from a fault of its own', async () => {
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.error(new Error('ECONNRESET'));
    },
  });
  const from = new Request('http://localhost/', { method: 'POST', body, duplex: 'half' } as RequestInit);
  await expect(receive(from)).rejects.toMatchObject({
    status: 400,
    message: 'Cannot read the body as it must arrive whole: the connection broke off',
  });
});
