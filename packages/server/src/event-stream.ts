import type { EventLog, LogPosition } from './event-log.ts';

/** Options of `eventStream`. */
export interface EventStreamOptions {
  /** Id of the last event that the client has. */
  readonly after: number;
  /** Milliseconds of silence after which a comment is sent, so that a lost client is noticed. */
  readonly heartbeatMs: number;
  /** Ends the stream. */
  readonly signal: AbortSignal;
  /** Called once, when the stream has ended or its client has gone. */
  readonly onClose: () => void;
}

/**
 * Renders a log as server-sent events: those that are stored, then those that come, until the log ends.
 *
 * Pulled: an event leaves the disk when the client has taken the one before, so that nothing queues for a slow client.
 */
export function eventStream(log: EventLog, options: EventStreamOptions): ReadableStream<Uint8Array> {
  const { after, heartbeatMs, signal, onClose } = options;
  const encoder = new TextEncoder();
  let position: LogPosition = log.positionNear(after);
  let isOver = false;
  let wake: () => void = () => {};
  const notify = () => wake();
  const stopListening = log.onChange(notify);
  signal.addEventListener('abort', notify);
  const release = () => {
    if (isOver) return;
    isOver = true;
    stopListening();
    signal.removeEventListener('abort', notify);
    onClose();
  };

  /** Waits for a change of the log; tells whether one came in time. */
  async function waitForChange(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const hasChanged = await new Promise<boolean>((resolve) => {
      wake = () => resolve(true);
      timer = setTimeout(() => resolve(false), heartbeatMs);
    });
    clearTimeout(timer);
    return hasChanged;
  }

  /** Gives what is to be sent next, null at the end. */
  async function nextText(): Promise<string | null> {
    while (!signal.aborted) {
      const first = position.id + 1;
      const read = await log.read(position);
      position = read.position;
      const text = read.lines
        .map((line, index) => ({ id: first + index, line }))
        .filter(({ id }) => id > after)
        .map(({ id, line }) => `id: ${id}\ndata: ${line}\n\n`)
        .join('');
      if (text !== '') return text;
      if (position.id < log.count) continue;
      if (log.hasEnded || isOver) return null;
      if (!(await waitForChange())) return ': heartbeat\n\n';
    }
    return null;
  }

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const text = await nextText();
          if (isOver) return;
          if (text !== null) {
            controller.enqueue(encoder.encode(text));
            return;
          }
          controller.close();
        } catch (error) {
          controller.error(error);
        }
        release();
      },
      cancel() {
        release();
        wake();
      },
    },
    { highWaterMark: 0 },
  );
}
