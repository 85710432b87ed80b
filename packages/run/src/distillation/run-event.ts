import type { DistillEvent, InterruptedEvent, ResultEvent, SamplesEvent, StudentEvent, WarningEvent } from '@dafl/core';
import type { RunForecast } from './forecast-run.ts';

/** All is read, checked and chosen; the run's folder is taken. The first event. */
export interface PreparedEvent {
  readonly event: 'prepared';
  readonly folder: string;
  readonly backend: string;
  /** Why this backend. */
  readonly backendReason: string;
  readonly method: string;
  /** Why this method; null where the options name it. */
  readonly methodReason: string | null;
  readonly seed: number;
  /** Length of the run; fitted to the time budget, where one was given. */
  readonly steps: number;
  readonly timeBudgetMs: number | null;
  /** Where labelled data is reported on. */
  readonly eval: string | null;
  /** What the run will take; null where nobody asked, or where the time decides. */
  readonly forecast: RunForecast | null;
}

/** A warning of core's, that a checkpoint had to be passed over, what was assumed as the teacher was read, or what was made smaller. */
export interface RunWarningEvent extends Omit<WarningEvent, 'code'> {
  readonly code: WarningEvent['code'] | 'DAMAGED_CHECKPOINT' | 'IMPORTED_TEACHER' | 'SMALLER_BATCHES' | 'WIDE_STUDENT';
}

/** A picture of the samples, and where it lies. */
export interface RunSamplesEvent extends SamplesEvent {
  readonly file: string;
}

/** The student is trained and on the disk; reports follow. */
export interface RunStudentEvent extends Omit<StudentEvent, 'student'> {
  readonly file: string;
}

/** The run was stopped and can go on. The last event. */
export interface RunInterruptedEvent extends InterruptedEvent {
  readonly folder: string;
}

/** The run came to its end and all is written. The last event. */
export interface RunResultEvent extends ResultEvent {
  readonly studentSha256: string;
  readonly peakMemoryBytes: number;
  /** True if the run had ended before, and nothing was computed. */
  readonly isRepeated: boolean;
  readonly folder: string;
  readonly files: {
    readonly student: string;
    readonly record: string;
    readonly metrics: string;
    readonly samples: string;
    readonly report: string;
    /** The student in other formats: those that were asked for and written. */
    readonly onnx?: string;
    readonly keras?: string;
    readonly tfjs?: string;
    readonly int8?: string;
  };
}

/** What `runDistillation` tells, in the order of its happening. */
export type RunEvent =
  | PreparedEvent
  | Exclude<DistillEvent, WarningEvent | SamplesEvent | StudentEvent | InterruptedEvent | ResultEvent>
  | RunWarningEvent
  | RunSamplesEvent
  | RunStudentEvent
  | RunInterruptedEvent
  | RunResultEvent;

/** An event as plain JSON. */
export type JsonEvent = { readonly event: RunEvent['event'] } & { readonly [field: string]: unknown };

/**
 * An event as a line of JSON carries it: what `--json` prints and the server streams. Images, weights and confusion
 * matrices are left out; they are in the files.
 */
export function toJsonEvent(event: RunEvent): JsonEvent {
  switch (event.event) {
    case 'samples': {
      const { images: _, labels, confidences, ...rest } = event;
      return {
        ...rest,
        labels: [...labels],
        confidences: Array.from(confidences, (value) => Number(value.toFixed(4))),
      };
    }
    case 'evaluation': {
      const { confusion: _, ...rest } = event;
      return rest;
    }
    case 'checkpoint':
      return { event: event.event, step: event.step };
    case 'result': {
      const { student: _, ...rest } = event;
      return rest;
    }
    default:
      return { ...event };
  }
}
