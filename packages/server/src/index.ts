/**
 * The HTTP server of dafl: distillations as jobs, each in a process of its own, with their events as a stream.
 *
 * @module
 */
export type {
  Distillation,
  DistillationError,
  DistillationPage,
  DistillationRequest,
  DistillationState,
  FailureCode,
  Problem,
  ProblemCode,
  Upload,
} from './api.ts';
export { type AppDependencies, createApp } from './create-app.ts';
export type { AccessRules } from './guard-access.ts';
export { createJobStore, type JobStore, type JobStoreOptions } from './job-store.ts';
export { defaultLimits, type Limits } from './limits.ts';
export { type RunningServer, serve, type ServeOptions } from './serve.ts';
export { createUploadStore, type UploadStore, type UploadStoreOptions } from './upload-store.ts';
