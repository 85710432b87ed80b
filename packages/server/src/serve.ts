import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, isIPv4, isIPv6 } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { DaflError, fail } from '@dafl/core';
import { acquireRunLock, createFolder, type RunLock } from '@dafl/run';
import { createApp } from './create-app.ts';
import { HttpProblem } from './http-problem.ts';
import { createJobStore, type JobStore } from './job-store.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { createUploadStore } from './upload-store.ts';

/** Options of `serve`. */
export interface ServeOptions {
  /** Folder of the jobs and uploads; created where it does not exist. One server at a time may use it. */
  readonly dataFolder: string;
  /** Address to listen on, default `127.0.0.1`. Any that other machines reach needs a `token`. */
  readonly host?: string;
  /** Default 8080; 0 for any that is free. */
  readonly port?: number;
  /** Bearer token of every route but health, >= 16 characters: `DAFL_TOKEN` of the command line. */
  readonly token?: string;
  /** Further names, without port, under which clients know the server: that of a proxy before it. */
  readonly allowedHosts?: readonly string[];
  /** Origins of other sites' pages that may use the server: `https://studio.example`. Default: none. */
  readonly allowedOrigins?: readonly string[];
  /** Replace single default limits. */
  readonly limits?: Partial<Limits>;
  /** Closes the server. */
  readonly signal?: AbortSignal;
  /** Told what a client is told only as an internal error; default: nobody. */
  readonly onError?: (error: unknown) => void;
}

/** A server that is up. */
export interface RunningServer {
  /** Such as `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Settles when the server is down: no socket, no job's process. */
  readonly closed: Promise<void>;
  /** Ends the jobs, each with a checkpoint if it writes one in `limits.graceMs`, and the server: within 10 s by default. */
  close(): Promise<void>;
}

const MIN_TOKEN_LENGTH = 16;

/**
 * Serves distillation jobs over HTTP. Prints nothing and handles no signals: that is its caller's.
 *
 * @throws {DaflError} `USAGE` if other machines could reach it without a token, if the address or port cannot be had,
 * or if another server uses the data folder; `STORAGE` if the folder cannot be written.
 * @example
 * ```ts
 * const server = await serve({ dataFolder: 'dafl-data', port: 0, signal });
 * console.log(server.url);
 * await server.closed;
 * ```
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const {
    dataFolder,
    host = '127.0.0.1',
    port = 8080,
    token,
    allowedHosts = [],
    allowedOrigins = [],
    onError = () => {},
  } = options;
  if (!isLoopback(host) && token === undefined) {
    fail({
      cannot: `serve on '${host}'`,
      as: 'an address that other machines reach must have a token',
      value: 'none. Set DAFL_TOKEN',
    });
  }
  if (token !== undefined && (token.length < MIN_TOKEN_LENGTH || !/^[\x21-\x7e]+$/.test(token))) {
    throw new DaflError(
      'USAGE',
      `Cannot serve as the token must be at least ${MIN_TOKEN_LENGTH} printable characters without spaces: current length is ${token.length}`,
    );
  }
  for (const [name, values, isRight, rule] of [
    ['allowedHosts', allowedHosts, isHostName, "a name or an address without a port, such as 'proxy.example'"],
    ['allowedOrigins', allowedOrigins, isOrigin, "an origin such as 'https://studio.example'"],
  ] as const) {
    const wrong = values.find((value) => !isRight(value));
    if (wrong === undefined) continue;
    fail({ cannot: 'serve', as: `each of '${name}' must be ${rule}`, value: `'${wrong}'` });
  }
  const limits: Limits = { ...defaultLimits, ...options.limits };
  const clock = Date.now;
  const createId = randomUUID;
  const closing = new AbortController();

  const server = createServer({
    // Node's own limit of 300 s for a whole request would cut long uploads off; `receiveBody` watches their pace.
    requestTimeout: 0,
    headersTimeout: 20_000,
    connectionsCheckingInterval: 5_000,
  });
  // A client that moves no byte in either direction is gone: event streams send something more often.
  server.setTimeout(Math.max(60_000, 4 * limits.heartbeatMs));
  server.maxConnections = 1024;
  // The port first: who cannot have it must not touch the jobs of the server that has.
  const bound = await listen(server, host, port);
  let jobs: JobStore;
  let lock: RunLock | undefined;
  try {
    await createFolder(dataFolder, undefined, 0o700);
    // Before anything in the folder is looked at: what another server receives there is not to be cleaned away.
    lock = await acquireRunLock(dataFolder);
    const uploads = await createUploadStore({
      folder: join(dataFolder, 'uploads'),
      maxUploads: limits.uploads,
      inspectMs: limits.inspectMs,
      clock,
      createId,
      onError,
    });
    jobs = await createJobStore({ ...limits, folder: join(dataFolder, 'jobs'), uploads, clock, createId, onError });
    const access = { token, allowedHosts: [...hostNames(host), ...allowedHosts], allowedOrigins };
    const app = createApp({ jobs, uploads, limits, access, clock, signal: closing.signal, onError });
    const errorHandler = () =>
      new HttpProblem(
        400,
        'BAD_REQUEST',
        "Cannot answer as the request's target and 'Host' must make a URL",
      ).toResponse();
    const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false, errorHandler });
    server.on('request', (incoming, outgoing) => void listener(incoming, outgoing));
  } catch (error) {
    server.close();
    await lock?.release();
    throw error;
  }

  server.on('error', onError);
  let tellClosed: () => void = () => {};
  const closed = new Promise<void>((resolve) => {
    tellClosed = resolve;
  });
  async function end(): Promise<void> {
    const down = once(server, 'close');
    server.close();
    try {
      await jobs.close();
      await lock?.release();
    } finally {
      // Streams last: they tell how the jobs ended.
      closing.abort();
      // Not `unref`: a socket that nobody reads does not keep the process alive, but does keep the server from closing.
      const timer = setTimeout(() => server.closeAllConnections(), 1_000);
      await down;
      clearTimeout(timer);
      tellClosed();
    }
  }
  let ending: Promise<void> | undefined;
  const close = () => (ending ??= end());
  const closeOnAbort = () => void close().catch(onError);
  options.signal?.addEventListener('abort', closeOnAbort, { once: true });
  if (options.signal?.aborted) closeOnAbort();
  return { url: `http://${isIPv6(host) ? `[${host}]` : host}:${bound.port}`, host, port: bound.port, closed, close };
}

async function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new DaflError(
      'USAGE',
      `Cannot serve on '${host}' as its port ${port} must be free to take: current error is ${reason}`,
      { cause: error },
    );
  }
  return server.address() as AddressInfo;
}

function isHostName(host: string): boolean {
  return URL.canParse(`http://${host}`) && new URL(`http://${host}`).hostname === host.toLowerCase();
}

function isOrigin(origin: string): boolean {
  return URL.canParse(origin) && new URL(origin).origin === origin.toLowerCase();
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** Names under which clients reach an address, as a URL writes them. */
function hostNames(host: string): string[] {
  const isEvery = host === '0.0.0.0' || host === '::';
  const own = isEvery
    ? Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address))
    : [host];
  const names = ['localhost', '127.0.0.1', '::1', ...own, ...(isEvery ? [hostname()] : [])];
  return names.map((name) => (isIPv6(name) ? `[${name}]` : name));
}
