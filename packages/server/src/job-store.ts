import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { StepEvent } from '@dafl/core';
import {
  acquireRunLock,
  createFolder,
  type DistillationOptions,
  type RunLock,
  runFolder,
  systemErrorCode,
  writeFileAtomically,
} from '@dafl/run';
import type { Distillation, DistillationError, DistillationPage, DistillationState } from './api.ts';
import { EventLog } from './event-log.ts';
import { HttpProblem } from './http-problem.ts';
import { readStoredRecord } from './read-stored-record.ts';
import { failure, type JobEvent, type JobProcess, startProcess } from './start-process.ts';
import type { UploadStore } from './upload-store.ts';

/** Options of `createJobStore`. */
export interface JobStoreOptions {
  /** Folder of the jobs; created where it does not exist. No other process may use it at the same time. */
  readonly folder: string;
  /** Where the files that options name are found. */
  readonly uploads: UploadStore;
  /** Jobs that run at once, >= 1. */
  readonly concurrency: number;
  /** Jobs that may wait, >= 0. */
  readonly queueLength: number;
  /** Milliseconds between asking a job's process to end and ending it. */
  readonly graceMs: number;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Gives a name that no job has had, such as a UUID: it becomes a folder's. */
  readonly createId: () => string;
  /** Told what goes wrong where no request waits, such as a record that the disk does not take. */
  readonly onError: (error: unknown) => void;
}

/** The distillations of one data folder: their queue, their processes and their files. */
export interface JobStore {
  /** False once it is closing. */
  readonly isOpen: boolean;
  /** Queues a job; it starts as soon as there is room. */
  submit(options: DistillationOptions): Promise<Distillation>;
  get(id: string): Distillation;
  /** Lists the jobs, newest first, from the one after `cursor`. */
  list(page: { readonly limit: number; readonly cursor?: string }): DistillationPage;
  /** Takes a job from the queue, or asks its process to write a checkpoint and to end. */
  cancel(id: string): Distillation;
  events(id: string): EventLog;
  /** Path of what a job has made: its report, or its student in a format that was asked for. */
  file(id: string, kind: 'student' | 'report', format?: string): string;
  /** Id of the process of a running job, else undefined. */
  processId(id: string): number | undefined;
  /** Has the running jobs write checkpoints and end; they, and those that wait, go on at the next start. */
  close(): Promise<void>;
}

/** What is stored of a job. */
interface JobRecord {
  readonly id: string;
  readonly options: DistillationOptions;
  /** Options whose value is an upload; the job's folder holds a copy under the option's name. */
  readonly files: readonly FileOption[];
  readonly createdAt: string;
  state: DistillationState;
  startedAt: string | null;
  endedAt: string | null;
  progress: Distillation['progress'];
  result: Distillation['result'];
  error: DistillationError | null;
  /** Known once the job has ended. */
  eventCount: number;
  /** How often a server was killed while it ran; absent in records of earlier versions. */
  kills?: number;
}

interface Job {
  readonly record: JobRecord;
  readonly folder: string;
  readonly log: EventLog;
  process: JobProcess | null;
  /** Settles when the process has ended and all of it is stored. */
  ended: Promise<void>;
  isCancelled: boolean;
  /** Message of the error event in the log. */
  toldError: string | null;
  /** Why the log does not take events any more. */
  logError: DistillationError | null;
}

type FileOption = 'teacher' | 'student';

const fileOptions: readonly FileOption[] = ['teacher', 'student'];
const RECORD_FILE = 'job.json';
const LOG_FILE = 'events.ndjson';
const RUN_FOLDER = 'run';
/** A job that ran each time that the server was killed may be why. */
const MOST_KILLS = 5;

/**
 * Opens the jobs of a folder: those that had ended are listed again, those that were running go on from their last
 * checkpoint, those that waited go on waiting.
 *
 * @throws {DaflError} `USAGE` if another process uses the folder, `STORAGE` if it cannot be written.
 */
export async function createJobStore(options: JobStoreOptions): Promise<JobStore> {
  await createFolder(options.folder, undefined, 0o700);
  const store = new FolderJobStore(options, await acquireRunLock(options.folder));
  await store.restore();
  return store;
}

class FolderJobStore implements JobStore {
  readonly #options: JobStoreOptions;
  readonly #lock: RunLock;
  /** In the order of their making. */
  readonly #jobs = new Map<string, Job>();
  #submitting = 0;
  #isClosing = false;

  constructor(options: JobStoreOptions, lock: RunLock) {
    this.#options = options;
    this.#lock = lock;
  }

  get isOpen(): boolean {
    return !this.#isClosing;
  }

  async restore(): Promise<void> {
    const { onError } = this.#options;
    const records: JobRecord[] = [];
    for (const name of await readdir(this.#options.folder)) {
      const record = await readStoredRecord<JobRecord>(join(this.#options.folder, name, RECORD_FILE), {
        onError,
        fields: ['options', 'files', 'createdAt', 'state', 'eventCount'],
      });
      if (record !== undefined && record.id === name) records.push(record);
    }
    records.sort((a, b) => a.createdAt.localeCompare(b.createdAt) || a.id.localeCompare(b.id));
    for (const record of records) {
      const path = join(this.#options.folder, record.id, LOG_FILE);
      const isFinal = record.state !== 'queued' && record.state !== 'running';
      const job = this.#add(record, isFinal ? EventLog.ended(path, record.eventCount) : EventLog.appendable(path));
      if (record.state !== 'running') continue;
      record.kills = (record.kills ?? 0) + 1;
      record.state = 'queued';
      if (record.kills < MOST_KILLS) continue;
      const reason = `the server must stay up until it is done: it was killed ${record.kills} times meanwhile`;
      await this.#settle(job, 'failed', failure('INTERRUPTED', reason));
    }
    this.#startNext();
  }

  async submit(options: DistillationOptions): Promise<Distillation> {
    const { queueLength, concurrency, createId, uploads } = this.#options;
    if (this.#isClosing)
      throw new HttpProblem(503, 'UNAVAILABLE', 'Cannot take the job as the server must be up: it is going down');
    const taken = this.#inState('queued').length + this.#inState('running').length + this.#submitting;
    if (taken >= queueLength + concurrency) {
      throw new HttpProblem(
        429,
        'TOO_MANY',
        `Cannot take the job as at most ${queueLength} may wait: current number is ${taken - concurrency}`,
        { 'retry-after': '30' },
      );
    }
    const id = createId();
    const folder = join(this.#options.folder, id);
    const files = fileOptions.filter((name) => uploads.has(String(options[name])));
    const record: JobRecord = {
      id,
      options,
      files,
      createdAt: this.#now(),
      state: 'queued',
      startedAt: null,
      endedAt: null,
      progress: null,
      result: null,
      error: null,
      eventCount: 0,
    };
    this.#submitting++;
    try {
      await mkdir(folder, { mode: 0o700 });
      for (const name of files) await uploads.give(String(options[name]), join(folder, fileOf(name)));
      await writeRecord(folder, record);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    } finally {
      this.#submitting--;
    }
    this.#add(record, EventLog.appendable(join(folder, LOG_FILE)));
    this.#startNext();
    return this.get(id);
  }

  get(id: string): Distillation {
    const { record } = this.#find(id);
    const self = `/v1/distillations/${id}`;
    return {
      id,
      state: record.state,
      options: record.options,
      createdAt: record.createdAt,
      startedAt: record.startedAt,
      endedAt: record.endedAt,
      jobsAhead: record.state === 'queued' ? this.#inState('queued').findIndex((job) => job.record === record) : null,
      progress: record.progress,
      result: record.state === 'succeeded' ? record.result : null,
      error: record.error,
      links: {
        self,
        cancel: `${self}/cancel`,
        events: `${self}/events`,
        student: `${self}/student`,
        report: `${self}/report`,
      },
    };
  }

  list({ limit, cursor }: { readonly limit: number; readonly cursor?: string }): DistillationPage {
    const ids = [...this.#jobs.keys()].reverse();
    const start = cursor === undefined ? 0 : ids.indexOf(cursor) + 1;
    if (cursor !== undefined && start === 0) {
      throw new HttpProblem(
        422,
        'USAGE',
        `Cannot list the distillations as 'cursor' must be a 'nextCursor': current value is '${cursor}'`,
      );
    }
    const chosen = ids.slice(start, start + limit);
    return {
      items: chosen.map((id) => this.get(id)),
      nextCursor: start + limit < ids.length ? chosen[limit - 1] : null,
    };
  }

  cancel(id: string): Distillation {
    const job = this.#find(id);
    const { state } = job.record;
    if (state === 'succeeded' || state === 'failed') {
      throw new HttpProblem(
        409,
        'CONFLICT',
        `Cannot cancel '${id}' as its state must be queued or running: current state is ${state}`,
      );
    }
    if (state === 'queued') job.ended = this.#settle(job, 'cancelled', null);
    if (state === 'running') {
      job.isCancelled = true;
      job.process?.terminate(this.#options.graceMs);
    }
    return this.get(id);
  }

  events(id: string): EventLog {
    return this.#find(id).log;
  }

  file(id: string, kind: 'student' | 'report', format = 'safetensors'): string {
    const { record, folder } = this.#find(id);
    if (record.state !== 'succeeded') {
      throw new HttpProblem(
        409,
        'CONFLICT',
        `Cannot give the ${kind} of '${id}' as its state must be succeeded: current state is ${record.state}`,
      );
    }
    const run = runFolder(join(folder, RUN_FOLDER));
    if (kind === 'report') return run.report;
    const { export: exported = '', quantize } = record.options;
    const asked = [...exported.split(','), quantize];
    const files = new Map([
      ['safetensors', run.student],
      ...[
        ['onnx', run.studentOnnx] as const,
        ['keras', run.studentKeras] as const,
        ['int8', run.studentInt8] as const,
      ].filter(([name, path]) => asked.includes(name) && existsSync(path)),
    ]);
    const path = files.get(format);
    if (path !== undefined) return path;
    throw new HttpProblem(
      404,
      'NOT_FOUND',
      `Cannot give the student of '${id}' as 'format' must be one of [${[...files.keys()].join(', ')}]: current value is '${format}'`,
    );
  }

  processId(id: string): number | undefined {
    return this.#find(id).process?.id;
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    for (const job of this.#inState('running')) job.process?.terminate(this.#options.graceMs);
    await Promise.all([...this.#jobs.values()].map((job) => job.ended));
    await this.#lock.release();
  }

  #find(id: string): Job {
    const job = this.#jobs.get(id);
    if (job === undefined)
      throw new HttpProblem(404, 'NOT_FOUND', `Cannot find '${id}' as it must be the id of a distillation`);
    return job;
  }

  #inState(state: DistillationState): Job[] {
    return [...this.#jobs.values()].filter(({ record }) => record.state === state);
  }

  #add(record: JobRecord, log: EventLog): Job {
    const folder = join(this.#options.folder, record.id);
    const job: Job = {
      record,
      folder,
      log,
      process: null,
      ended: Promise.resolve(),
      isCancelled: false,
      toldError: null,
      logError: null,
    };
    this.#jobs.set(record.id, job);
    return job;
  }

  #now(): string {
    return new Date(this.#options.clock()).toISOString();
  }

  #startNext(): void {
    if (this.#isClosing) return;
    const room = this.#options.concurrency - this.#inState('running').length;
    for (const job of this.#inState('queued').slice(0, room)) {
      job.record.state = 'running';
      job.record.startedAt ??= this.#now();
      job.ended = this.#run(job);
    }
  }

  /** Runs a job's process to its end. Never rejects: what goes wrong is the job's failure. */
  async #run(job: Job): Promise<void> {
    const error = await this.#distill(job);
    job.process = null;
    if (error === null) await this.#settle(job, 'succeeded', null);
    else if (job.isCancelled) await this.#settle(job, 'cancelled', null);
    else if (this.#isClosing && job.toldError === null && job.logError === null) await this.#keep(job);
    else await this.#settle(job, 'failed', job.logError ?? error);
    this.#startNext();
  }

  /** Gives why there is no student; null if there is one. */
  async #distill(job: Job): Promise<DistillationError | null> {
    const { record, folder } = job;
    try {
      await writeRecord(folder, record);
      // The wish to end it may have come while the record was written.
      if (!job.isCancelled && !this.#isClosing) {
        const files = Object.fromEntries(record.files.map((name) => [name, fileOf(name)]));
        job.process = startProcess(
          { task: 'distill', options: { ...record.options, ...files }, folder: RUN_FOLDER },
          { folder, onEvent: (event) => this.#receive(job, event) },
        );
        const error = await job.process.ended;
        if (error !== null || record.result !== null) return error;
      }
      return failure('CRASHED', 'its process must end with a result: current end is without');
    } catch (error) {
      this.#options.onError(error);
      return failure('STORAGE', `its folder must be writable: current error is ${systemErrorCode(error) ?? 'unknown'}`);
    }
  }

  #receive(job: Job, event: JobEvent): void {
    const { record } = job;
    if (job.logError !== null) return;
    try {
      job.log.append(event);
    } catch (error) {
      this.#options.onError(error);
      job.logError = failure(
        'STORAGE',
        `its events must be stored: current error is ${systemErrorCode(error) ?? 'unknown'}`,
      );
      job.process?.terminate(this.#options.graceMs);
      return;
    }
    const { event: name, ...fields } = event;
    if (name === 'error') job.toldError = String(fields.message);
    if (name === 'step') {
      const { step, steps, secondsLeft } = event as unknown as StepEvent;
      record.progress = { step, steps, secondsLeft };
    }
    if (name === 'result') record.result = fields;
  }

  /** Has a job go on at the next start. */
  async #keep({ record, log, folder }: Job): Promise<void> {
    record.state = 'queued';
    log.end();
    try {
      await writeRecord(folder, record);
    } catch (error) {
      this.#options.onError(error);
    }
  }

  async #settle(job: Job, state: DistillationState, error: DistillationError | null): Promise<void> {
    const { record, log, folder } = job;
    record.state = state;
    record.error = error;
    record.endedAt = this.#now();
    try {
      if (error !== null && error.message !== job.toldError) log.append({ event: 'error', ...error });
      record.eventCount = log.count;
    } catch (thrown) {
      this.#options.onError(thrown);
    } finally {
      // Together with the state: no stream waits, with heartbeats, for a job that is seen to have ended.
      log.end();
    }
    try {
      await writeRecord(folder, record);
    } catch (thrown) {
      this.#options.onError(thrown);
    }
  }
}

async function writeRecord(folder: string, record: JobRecord): Promise<void> {
  await writeFileAtomically(join(folder, RECORD_FILE), JSON.stringify(record));
}

function fileOf(option: FileOption): string {
  return `${option}.safetensors`;
}
