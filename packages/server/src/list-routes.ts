import type { Hono } from 'hono';

/** What the routes do, by method and path: what a client asks `/` for. */
const PURPOSES: Readonly<Record<string, string>> = {
  'POST /v1/uploads': 'Send a model file, as application/octet-stream',
  'GET /v1/uploads/:id': 'What an upload is',
  'DELETE /v1/uploads/:id': 'Delete an upload; jobs keep their copy',
  'POST /v1/distillations': 'Start a job: the options of dafl distill, as application/json',
  'GET /v1/distillations': 'The jobs, newest first: ?limit=20&cursor=',
  'GET /v1/distillations/:id': 'State, progress, result or error',
  'POST /v1/distillations/:id/cancel': 'Write a checkpoint, then end',
  'GET /v1/distillations/:id/events': 'Server-sent events; those after the header last-event-id',
  'GET /v1/distillations/:id/student':
    'The file of the student: ?format=safetensors, or what was exported: onnx, keras, int8',
  'GET /v1/distillations/:id/report': 'The report, a page',
  'GET /v2/health/live': 'Whether the server runs',
  'GET /v2/health/ready': 'Whether it takes jobs',
};

/** All routes of an app but `/` itself, each with what it is for. */
export function listRoutes(app: Hono): { readonly route: string; readonly purpose: string }[] {
  return app.routes
    .filter(({ method, path }) => method !== 'ALL' && path !== '/')
    .map(({ method, path }) => ({ route: `${method} ${path}`, purpose: PURPOSES[`${method} ${path}`] ?? '' }));
}
