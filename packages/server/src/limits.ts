/** Bounds of what clients can make the server hold. */
export interface Limits {
  /** Bytes of a JSON body. */
  readonly bodyBytes: number;
  /** Bytes of an uploaded model. */
  readonly uploadBytes: number;
  /** Uploads that are kept. */
  readonly uploads: number;
  /** Milliseconds of a look into one upload. */
  readonly inspectMs: number;
  /** Jobs that run at once. */
  readonly concurrency: number;
  /** Jobs that wait. */
  readonly queueLength: number;
  /** Event streams that are open at once. */
  readonly eventStreams: number;
  /** Length of one job. */
  readonly steps: number;
  /** Milliseconds of one job, where it asks for a time. */
  readonly timeBudgetMs: number;
  /** Milliseconds of silence on an event stream before a comment is sent. */
  readonly heartbeatMs: number;
  /** Milliseconds that a job's process gets to write a checkpoint and to end. */
  readonly graceMs: number;
}

/** What `serve` takes where it is told nothing else. */
export const defaultLimits: Limits = {
  bodyBytes: 64 * 1024,
  uploadBytes: 512 * 1024 * 1024,
  uploads: 32,
  inspectMs: 30_000,
  concurrency: 1,
  queueLength: 16,
  eventStreams: 64,
  steps: 1_000_000,
  timeBudgetMs: 24 * 60 * 60 * 1000,
  heartbeatMs: 15_000,
  graceMs: 7_000,
};
