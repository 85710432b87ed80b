import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandomStream, type Graph, initializeWeights } from '@dafl/core';
import { writeModel } from '@dafl/models';
import type { Hono } from 'hono';
import type { Distillation, Upload } from './api.ts';
import { createApp } from './create-app.ts';
import type { AccessRules } from './guard-access.ts';
import { createJobStore, type JobStore } from './job-store.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { createUploadStore } from './upload-store.ts';

/** An untrained classifier of 8x8 images. */
export const tinyGraph: Graph = {
  name: 'tiny',
  inputShape: [8, 8, 1],
  nodes: [
    {
      kind: 'conv2d',
      name: 'conv',
      inputs: ['input'],
      filters: 4,
      kernelSize: [3, 3],
      strides: [2, 2],
      padding: { top: 0, bottom: 0, left: 0, right: 0 },
      dilations: [1, 1],
      groups: 1,
      useBias: true,
    },
    { kind: 'activation', name: 'relu', inputs: ['conv'], function: 'relu' },
    { kind: 'flatten', name: 'features', inputs: ['relu'], order: 'hwc' },
    { kind: 'dense', name: 'logits', inputs: ['features'], units: 3, useBias: true },
  ],
  outputs: { logits: 'logits', features: 'features' },
};

/** The same as a file. */
export const tinyTeacher: Uint8Array<ArrayBuffer> = writeModel(
  initializeWeights(tinyGraph, createRandomStream(0, 'tiny teacher')),
);

/** Options of a run that takes a moment on the reference backend. */
export const tinyRun: Readonly<Record<string, unknown>> = {
  backend: 'cpu',
  steps: 3,
  batchSize: 2,
  latentSize: 4,
  generatorWidths: [2, 2, 2],
  replayBatches: 0,
  studentSteps: 1,
  sampleEvery: 0,
  checkpointEvery: 0,
};

/** Options of a run that does not end by itself. */
export const endlessRun: Readonly<Record<string, unknown>> = { ...tinyRun, steps: defaultLimits.steps };

/** A folder for one test. */
export function createTestFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'dafl-server-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) };
}

/** The app on real stores in `folder`, with what the tests ask of it most. */
export interface TestApp {
  readonly app: Hono;
  readonly jobs: JobStore;
  readonly errors: unknown[];
  post(path: string, body?: unknown): Promise<Response>;
  upload(): Promise<Upload>;
  /** Uploads the teacher and starts a job with it. */
  submit(options: Readonly<Record<string, unknown>>): Promise<Distillation>;
  get(id: string): Promise<Distillation>;
  /** Waits until `holds`. */
  waitFor(id: string, holds: (job: Distillation) => boolean): Promise<Distillation>;
  /** As at the end of the server. */
  close(): Promise<void>;
}

export async function createTestApp(
  folder: string,
  { limits: changed = {}, access = {} }: { limits?: Partial<Limits>; access?: Partial<AccessRules> } = {},
): Promise<TestApp> {
  const limits = { ...defaultLimits, ...changed };
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  const clock = Date.now;
  const createId = randomUUID;
  const uploads = await createUploadStore({
    folder: join(folder, 'uploads'),
    maxUploads: limits.uploads,
    inspectMs: limits.inspectMs,
    clock,
    createId,
    onError,
  });
  const jobs = await createJobStore({ ...limits, folder: join(folder, 'jobs'), uploads, clock, createId, onError });
  const closing = new AbortController();
  const app = createApp({
    jobs,
    uploads,
    limits,
    access: { allowedHosts: ['localhost'], ...access },
    clock,
    signal: closing.signal,
    onError,
  });
  const get = async (id: string) => (await (await app.request(`/v1/distillations/${id}`)).json()) as Distillation;
  const post = async (path: string, body?: unknown) =>
    app.request(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
  const upload = async () => {
    const headers = { 'content-type': 'application/octet-stream' };
    const response = await app.request('/v1/uploads', { method: 'POST', body: tinyTeacher, headers });
    return (await response.json()) as Upload;
  };
  return {
    app,
    jobs,
    errors,
    get,
    post,
    upload,
    async submit(options) {
      const response = await post('/v1/distillations', { teacher: (await upload()).id, ...options });
      if (response.status !== 201) throw new Error(await response.text());
      return (await response.json()) as Distillation;
    },
    async waitFor(id, holds) {
      while (true) {
        const job = await get(id);
        if (holds(job)) return job;
        if (job.state === 'failed') throw new Error(job.error?.message);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    async close() {
      await jobs.close();
      closing.abort();
    },
  };
}
