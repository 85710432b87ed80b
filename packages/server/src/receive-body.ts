import { HttpProblem } from './http-problem.ts';

/** Bounds of one request's body. */
export interface ReceiveOptions {
  readonly maxBytes: number;
  /** Milliseconds. */
  readonly clock: () => number;
}

/** A client that sends slower than this on average, once the grace is over, is let go. */
const MIN_BYTES_PER_SECOND = 1024;
const GRACE_MS = 20_000;

/**
 * Yields a request's body as it arrives, never more of it than was asked for, and counts what really comes: neither a
 * missing nor a lying Content-Length passes the bound.
 *
 * @throws {HttpProblem} 400 if the body breaks off or is not as long as declared, 408 if it comes too slowly, 413 if it
 * is too long, 415 if it is compressed.
 */
export async function* receiveBody(request: Request, { maxBytes, clock }: ReceiveOptions): AsyncGenerator<Uint8Array> {
  const encoding = request.headers.get('content-encoding') ?? 'identity';
  if (encoding !== 'identity') {
    throw new HttpProblem(
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      `Cannot read the body as 'Content-Encoding' must be identity: current value is '${encoding}'`,
    );
  }
  const length = request.headers.get('content-length');
  if (length !== null && !/^\d+$/.test(length)) {
    throw new HttpProblem(
      400,
      'BAD_REQUEST',
      `Cannot read the body as 'Content-Length' must be an integer: current value is '${length}'`,
    );
  }
  const declared = length === null ? undefined : Number(length);
  const tooLong = (size: string) =>
    new HttpProblem(
      413,
      'TOO_LARGE',
      `Cannot read the body as it must have at most ${maxBytes} bytes: current length is ${size}`,
    );
  if (declared !== undefined && declared > maxBytes) throw tooLong(String(declared));

  const startedMs = clock();
  let received = 0;
  for await (const chunk of chunksOf(request)) {
    received += chunk.byteLength;
    if (received > maxBytes) throw tooLong(`${received} or more`);
    const elapsedMs = clock() - startedMs;
    if (elapsedMs > GRACE_MS && received < (elapsedMs / 1000) * MIN_BYTES_PER_SECOND) {
      throw new HttpProblem(
        408,
        'TOO_SLOW',
        `Cannot read the body as it must come with ${MIN_BYTES_PER_SECOND} bytes a second: ${received} came in ${Math.round(elapsedMs / 1000)} s`,
      );
    }
    yield chunk;
  }
  if (declared !== undefined && received !== declared) {
    throw new HttpProblem(
      400,
      'BAD_REQUEST',
      `Cannot read the body as it must have its Content-Length of ${declared} bytes: current length is ${received}`,
    );
  }
}

async function* chunksOf(request: Request): AsyncGenerator<Uint8Array> {
  if (request.body === null) return;
  const reader = request.body.getReader();
  let isDone = false;
  try {
    while (true) {
      const { done, value } = await reader.read().catch(() => {
        isDone = true;
        throw new HttpProblem(
          400,
          'BAD_REQUEST',
          'Cannot read the body as it must arrive whole: the connection broke off',
        );
      });
      if (done) break;
      yield value;
    }
    isDone = true;
  } finally {
    // Stops the sender. Not awaited: a socket that stalls must not hold the answer back.
    if (!isDone) reader.cancel().catch(() => undefined);
  }
}
