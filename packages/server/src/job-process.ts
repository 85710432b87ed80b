/**
 * The process that a job runs in, and that looks into uploaded files: whatever they do to its memory, the server stays.
 *
 * Its first message tells it what to do, each event is a message in return. It ends by itself, also when the server has
 * gone.
 */
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { readFile } from 'node:fs/promises';
import { DaflError, describeModel } from '@dafl/core';
import { importModel } from '@dafl/models';
import { acquireRunLock, readRunRecord, runDistillation, runFolder, toJsonEvent } from '@dafl/run';
import { describeError } from '@dafl/run/describe-error';
import { type JobEvent, type JobOrder, STOP } from './start-process.ts';

/** Exit code of a run that was stopped and has written a checkpoint. */
const INTERRUPTED = 130;
/** How long the process of a server that was killed may take to end its step and write its checkpoint. */
const PATIENCE_MS = 60_000;
const RETRY_MS = 200;

const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
// Ctrl-C in the server's terminal, and its closing, reach this process too; the server decides.
process.on('SIGINT', () => {});
process.on('SIGHUP', () => {});
process.on('message', (message) => {
  if (message === STOP) stop.abort();
});
process.on('disconnect', () => stop.abort());

const [order] = (await once(process, 'message')) as [JobOrder];
let exitCode = 0;
try {
  for await (const event of order.task === 'distill' ? distillEvents(order) : inspectEvents(order)) {
    await send(event);
    if (event.event === 'interrupted') exitCode = INTERRUPTED;
  }
} catch (error) {
  exitCode = 1;
  await send(toErrorEvent(error));
}
process.exit(exitCode);

async function* distillEvents({ options, folder }: JobOrder & { task: 'distill' }): AsyncGenerator<JobEvent> {
  // One that a server left behind goes on, once the process that it ran in has let go of it.
  const resume = (await readRunRecord(runFolder(folder).record)) !== undefined;
  if (resume) await waitForFolder(folder);
  for await (const event of runDistillation(options, { folder, resume, signal: stop.signal })) {
    yield toJsonEvent(event);
  }
}

async function waitForFolder(folder: string): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += RETRY_MS) {
    try {
      await (await acquireRunLock(folder)).release();
      return;
    } catch (error) {
      const isTaken = error instanceof DaflError && error.code === 'USAGE';
      if (!isTaken || waitedMs >= PATIENCE_MS || stop.signal.aborted) throw error;
    }
    await wait(RETRY_MS);
  }
}

async function* inspectEvents({ file }: JobOrder & { task: 'inspect' }): AsyncGenerator<JobEvent> {
  const { model } = await importModel(await readFile(file), 'upload');
  const { name, parameters } = describeModel(model.graph);
  yield { event: 'model', name, parameters };
}

function toErrorEvent(error: unknown): JobEvent {
  const { code, message } = describeError(error);
  if (code !== 'INTERNAL' && code !== 'STORAGE') return { event: 'error', code, message };
  // For the operator, in the process's own output; a client is told no inner matters.
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  const reason =
    code === 'STORAGE' ? 'its folder must take what it writes: it does not' : 'the server met an error of its own';
  return { event: 'error', code, message: `Cannot distill as ${reason}` };
}

/** Sends one event and waits until it is on its way, so that no more than one is. */
async function send(event: JobEvent): Promise<void> {
  if (!process.connected) return;
  await new Promise<void>((resolve) => process.send!(event, undefined, undefined, () => resolve()));
}
