import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type Context, Hono } from 'hono';
import { cors } from 'hono/cors';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { secureHeaders } from 'hono/secure-headers';
import { daflVersion } from '@dafl/run';
import { eventStream } from './event-stream.ts';
import { type AccessRules, guardAccess } from './guard-access.ts';
import { HttpProblem } from './http-problem.ts';
import { listRoutes } from './list-routes.ts';
import type { JobStore } from './job-store.ts';
import type { Limits } from './limits.ts';
import { readOptions } from './read-options.ts';
import { receiveBody } from './receive-body.ts';
import type { UploadStore } from './upload-store.ts';

/** What the app works with. */
export interface AppDependencies {
  readonly jobs: JobStore;
  readonly uploads: UploadStore;
  readonly limits: Limits;
  readonly access: AccessRules;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Ends the event streams. */
  readonly signal: AbortSignal;
  /** Told what a client is told only as an internal error. */
  readonly onError: (error: unknown) => void;
}

const MOST_PER_PAGE = 100;
/** Ends of names of files, where they are not the format's name. */
const FORMATS: Readonly<Record<string, string>> = { int8: 'int8.onnx' };
/** Options are lists at most. */
const MOST_LEVELS = 8;

/**
 * Creates the HTTP interface of distillation jobs. It listens to nothing: pass `app.fetch` to a server, or call
 * `app.request`.
 */
export function createApp({ jobs, uploads, limits, access, clock, signal, onError }: AppDependencies): Hono {
  const app = new Hono();
  let streams = 0;

  app.onError((error) => {
    const problem = HttpProblem.from(error);
    if (problem.status === 500) onError(error);
    return problem.toResponse();
  });
  app.notFound((context) => {
    const detail = `Cannot find '${context.req.path}' as it must be a route of this server: GET / lists them`;
    return new HttpProblem(404, 'NOT_FOUND', detail).toResponse();
  });

  app.use(
    secureHeaders({
      contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      strictTransportSecurity: false,
      xFrameOptions: 'DENY',
    }),
  );
  app.use(async (context, next) => {
    await next();
    context.header('cache-control', 'no-store');
  });
  app.use(guardAccess(access));
  const { allowedOrigins = [] } = access;
  if (allowedOrigins.length > 0) {
    app.use(
      cors({
        origin: [...allowedOrigins],
        allowMethods: ['GET', 'POST', 'DELETE'],
        allowHeaders: ['authorization', 'content-type', 'last-event-id'],
        exposeHeaders: ['location', 'retry-after', 'content-disposition'],
      }),
    );
  }
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (context, methods) => {
        const allow = methods.join(', ');
        const detail = `Cannot answer as the method must be one of [${allow}]: current value is ${context.req.method}`;
        return new HttpProblem(405, 'METHOD_NOT_ALLOWED', detail, { allow }).toResponse();
      },
    }),
  );

  app.get('/', (context) => context.json({ name: 'dafl', version: daflVersion(), routes: listRoutes(app) }));
  app.get('/v2/health/live', (context) => context.json({ live: true }));
  app.get('/v2/health/ready', (context) => context.json({ ready: jobs.isOpen }, jobs.isOpen ? 200 : 503));

  app.post('/v1/uploads', async (context) => {
    requireType(context, 'application/octet-stream');
    const upload = await uploads.receive(receiveBody(context.req.raw, { maxBytes: limits.uploadBytes, clock }));
    return context.json(upload, 201, { location: `/v1/uploads/${upload.id}` });
  });
  app.get('/v1/uploads/:id', (context) => context.json(uploads.get(context.req.param('id'))));
  app.delete('/v1/uploads/:id', async (context) => {
    await uploads.remove(context.req.param('id'));
    return context.body(null, 204);
  });

  app.post('/v1/distillations', async (context) => {
    requireType(context, 'application/json');
    const body = await readJson(receiveBody(context.req.raw, { maxBytes: limits.bodyBytes, clock }));
    const job = await jobs.submit(readOptions(body, { isUpload: (id) => uploads.has(id), limits }));
    return context.json(job, 201, { location: job.links.self });
  });
  app.get('/v1/distillations', (context) => {
    const { limit = '20', cursor } = context.req.query();
    if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > MOST_PER_PAGE) {
      throw new HttpProblem(
        422,
        'USAGE',
        `Cannot list the distillations as 'limit' must be an integer >= 1 and <= ${MOST_PER_PAGE}: current value is '${limit}'`,
      );
    }
    return context.json(jobs.list({ limit: Number(limit), cursor }));
  });
  app.get('/v1/distillations/:id', (context) => context.json(jobs.get(context.req.param('id'))));
  app.post('/v1/distillations/:id/cancel', (context) => {
    const job = jobs.cancel(context.req.param('id'));
    return context.json(job, job.state === 'running' ? 202 : 200);
  });

  app.get('/v1/distillations/:id/student', async (context) => {
    const id = context.req.param('id');
    const { format = 'safetensors' } = context.req.query();
    const path = jobs.file(id, 'student', format);
    return await sendFile(context, path, `student-${id}.${FORMATS[format] ?? format}`);
  });
  app.get('/v1/distillations/:id/report', async (context) => {
    const id = context.req.param('id');
    return await sendFile(context, jobs.file(id, 'report'), `report-${id}.html`, 'text/html; charset=utf-8');
  });

  app.get('/v1/distillations/:id/events', (context) => {
    const log = jobs.events(context.req.param('id'));
    const last = context.req.header('last-event-id') ?? '0';
    if (!/^\d{1,15}$/.test(last) || Number(last) > log.count) {
      throw new HttpProblem(
        422,
        'USAGE',
        `Cannot go on with the events as 'Last-Event-ID' must be an integer <= ${log.count}: current value is '${last}'`,
      );
    }
    // Tells a browser's EventSource, which connects again after each end, that this one was the last.
    if (log.hasEnded && Number(last) === log.count) return context.body(null, 204);
    const headers = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' };
    if (context.req.method === 'HEAD') return context.body(null, 200, headers);
    if (streams >= limits.eventStreams) {
      throw new HttpProblem(
        429,
        'TOO_MANY',
        `Cannot open another event stream as at most ${limits.eventStreams} may be open: current number is ${streams}`,
        { 'retry-after': '10' },
      );
    }
    streams++;
    const onClose = () => streams--;
    const stream = eventStream(log, { after: Number(last), heartbeatMs: limits.heartbeatMs, signal, onClose });
    return context.body(stream, 200, headers);
  });
  return app;
}

/** Sent to be kept, not to be shown: the page would run with the rights of this server's address. */
async function sendFile(context: Context, path: string, name: string, type = 'application/octet-stream') {
  const { size } = await stat(path);
  const headers = {
    'content-type': type,
    'content-disposition': `attachment; filename="${name}"`,
    'content-length': String(size),
  };
  if (context.req.method === 'HEAD') return context.body(null, 200, headers);
  return context.body(Readable.toWeb(createReadStream(path)) as ReadableStream, 200, headers);
}

/** A type that no form of a foreign page can send, which also leaves no doubt of what the body is. */
function requireType(context: Context, type: string): void {
  const value = context.req.header('content-type');
  if (value?.split(';', 1)[0].trim().toLowerCase() !== type) {
    throw new HttpProblem(
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      `Cannot read the body as 'Content-Type' must be ${type}: current value is '${value}'`,
    );
  }
}

async function readJson(chunks: AsyncIterable<Uint8Array>): Promise<unknown> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new HttpProblem(400, 'BAD_REQUEST', `Cannot read the body as it must be JSON: ${error.message}`);
  }
  if (isDeeperThan(MOST_LEVELS, value)) {
    const detail = `Cannot read the body as its JSON must be nested at most ${MOST_LEVELS} deep: it is deeper`;
    throw new HttpProblem(400, 'BAD_REQUEST', detail);
  }
  return value;
}

/** Looks no deeper than it asks for, so that no depth can overflow the stack. */
function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((item) => isDeeperThan(levels - 1, item));
}
