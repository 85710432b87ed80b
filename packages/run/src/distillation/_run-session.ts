import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  DaflError,
  describeClassifier,
  describeModel,
  type DistillEvent,
  type Graph,
  type Model,
  type ResultEvent,
  type SamplesEvent,
} from '@dafl/core';
import { writeModel } from '@dafl/models';
import { decode } from 'fast-png';
import type { CheckpointStore } from '../folder/checkpoint-store.ts';
import type { SettledOptions } from '../options/distillation-options.ts';
import { endOf } from '../options/end-of.ts';
import { fingerprintFile, type LoadedModel } from '../models/load-model.ts';
import { daflVersion, describeMachine, peakMemoryBytes } from '../machine/machine.ts';
import { renderModelCard } from '../report/model-card.ts';
import { MetricsLog } from '../folder/metrics-log.ts';
import { readSamples } from '../report/read-samples.ts';
import { renderReport, type ReportContent } from '../report/render-report.ts';
import { runFigures } from '../report/run-figures.ts';
import type { RunEvent, RunResultEvent } from './run-event.ts';
import type { RunFolder } from '../folder/run-folder.ts';
import type { NetworkRecord, RunRecord } from '../folder/run-record.ts';
import { systemErrorCode } from '../folder/storage-error.ts';
import { readSamplesImage, renderSamplesImage } from '../report/samples-image.ts';
import { type ExportOptions, studentExports } from './student-exports.ts';
import type { TensorboardEvent } from '../folder/tensorboard/encode-event.ts';
import { EventFile } from '../folder/tensorboard/event-file.ts';
import { createFolder, writeFileAtomically, writeFileAtomicallySync } from '../folder/write-file-atomically.ts';

/** What a session starts from. */
export interface RunSessionOptions {
  readonly folder: RunFolder;
  readonly store: CheckpointStore;
  /** With nothing left open. */
  readonly options: SettledOptions;
  readonly methodReason: string | null;
  readonly teacher: LoadedModel;
  readonly student: Graph;
  /** Whose first layer the report shows too. */
  readonly compared: Model | null;
  readonly backend: RunRecord['backend'];
  /** Brings a student to eight bits: the bytes of an ONNX file. */
  readonly quantize: (student: Model) => Promise<Uint8Array>;
  readonly isDemo: boolean;
  readonly timeBudgetMs: number | null;
  /** The record of the sessions before, where the run goes on. */
  readonly previous: RunRecord | undefined;
  /** Steps done before. */
  readonly step: number;
}

/** What only the report shows: found at the end, with the networks at hand. */
type ReportFindings = Pick<ReportContent, 'features' | 'examples' | 'millisecondsPerImage'>;

/** What a look is called where it fails. */
const LOOKS: Readonly<Record<keyof ReportFindings, string>> = {
  features: 'project the features',
  examples: 'look for examples',
  millisecondsPerImage: 'time the networks',
};

/** Keeps a run's folder up to date with what core tells, from one start of the process to its end. */
export class RunSession {
  readonly #start: RunSessionOptions;
  readonly #metrics: MetricsLog;
  /** Seconds of the sessions before. */
  readonly #secondsBefore: number;
  readonly #events: EventFile | null;
  /** What was looked at for the report at the end. */
  #findings: ReportFindings = { features: null, examples: null, millisecondsPerImage: null };
  #teacherConfusion: RunRecord['confusion'] = null;
  #record: RunRecord;

  private constructor(start: RunSessionOptions, metrics: MetricsLog, record: RunRecord, events: EventFile | null) {
    this.#start = start;
    this.#metrics = metrics;
    this.#record = record;
    this.#events = events;
    this.#secondsBefore = record.timings.seconds;
  }

  /** Writes the first files of a run, or of its going on. */
  static async start(start: RunSessionOptions): Promise<RunSession> {
    const { folder, options, methodReason, teacher, student, backend, isDemo, timeBudgetMs, previous, step } = start;
    const metrics = await MetricsLog.open(folder.metrics, step, isTrained(start));
    const lastStep = metrics.lines.findLast((line) => line.event === 'step');
    const record: RunRecord = {
      format: 'dafl-run',
      version: 1,
      state: 'running',
      options,
      methodReason: methodReason ?? previous?.methodReason ?? null,
      step,
      teacher: describeNetwork(teacher.model.graph, teacher),
      student: describeNetwork(student, null),
      initialization: null,
      isDemo,
      versions: { dafl: daflVersion(), node: process.versions.node },
      backend,
      machine: describeMachine(),
      timings: {
        startedAt: previous?.timings.startedAt ?? new Date().toISOString(),
        endedAt: null,
        seconds: lastStep?.seconds ?? 0,
        sessions: (previous?.timings.sessions ?? 0) + 1,
        timeBudgetMs,
      },
      peakMemoryBytes: previous?.peakMemoryBytes ?? 0,
      keptStep: null,
      accuracy: null,
      teacherAccuracy: step > 0 ? (previous?.teacherAccuracy ?? null) : null,
      confusion: null,
      agreement: null,
      verdict: null,
      evaluations: (previous?.evaluations ?? []).filter((evaluation) => evaluation.step <= step),
      error: null,
    };
    const events = options.tensorboard ? await EventFile.create(folder.tensorboard) : null;
    const session = new RunSession(start, metrics, record, events);
    await session.#write({});
    process.on('exit', session.#markInterrupted);
    await session.#rehearse();
    return session;
  }

  /**
   * Writes what an event means for the folder, and gives what the run's consumer is told: the event, after warnings of
   * reports that failed.
   */
  async take(event: DistillEvent): Promise<readonly RunEvent[]> {
    const { folder, store } = this.#start;
    switch (event.event) {
      case 'start':
        await this.#write({ initialization: event.initialization });
        return [event];
      case 'step': {
        const { step, losses, studentImages } = event;
        const seconds = this.#secondsBefore + event.seconds;
        await this.#show(step, { scalars: losses });
        await this.#metrics.append({ event: 'step', step, seconds: round(seconds, 3), losses, studentImages });
        this.#record = { ...this.#record, step, timings: { ...this.#record.timings, seconds } };
        return [event];
      }
      case 'pace': {
        const pace = event.pace.map(({ step, end }) => [step, end] as const);
        // Before a checkpoint that rests on it.
        await this.#write({ options: { ...this.#record.options, pace } });
        return [event];
      }
      case 'evaluation': {
        const { step, network, accuracy, count } = event;
        // A run that goes on evaluates the teacher again.
        if (network === 'student' || this.#record.teacherAccuracy === null) {
          await this.#metrics.append({ event: 'evaluation', step, network, accuracy, count });
        }
        await this.#show(step, { scalars: { [`accuracy/${network}`]: accuracy } });
        if (network === 'teacher') this.#teacherConfusion = event.confusion;
        const others = this.#record.evaluations.filter((evaluation) => evaluation.step !== step);
        await this.#write(
          network === 'teacher'
            ? { teacherAccuracy: accuracy }
            : { evaluations: [...others, { step, accuracy, count }], confusion: event.confusion },
        );
        return [event];
      }
      case 'verdict': {
        const { step, verdict } = event;
        const { level, agreement } = verdict;
        await this.#metrics.append({ event: 'verdict', step, level, agreement });
        await this.#show(step, { scalars: { 'verdict/agreement': agreement } });
        return [event];
      }
      case 'samples': {
        const file = join(folder.samples, `step-${String(event.step).padStart(6, '0')}.png`);
        const failures = await this.#attempt('draw the samples', async () => {
          const image = renderSamplesImage(event);
          await createFolder(folder.samples);
          await writeFileAtomically(file, image);
          await writeFileAtomically(folder.samplesImage, image);
          if (this.#events === null) return;
          const { width, height, channels } = decode(image);
          await this.#show(event.step, { images: { samples: { width, height, colorspace: channels, png: image } } });
        });
        return failures.length > 0 ? failures : [{ ...event, file }];
      }
      case 'checkpoint':
        await store.save(event.checkpoint);
        await this.#write({});
        return [event];
      case 'student': {
        const { step, student } = event;
        await this.#writeStudent(student);
        return [{ event: 'student', step, file: folder.student }];
      }
      case 'warning': {
        const { step, code, message } = event;
        await this.#metrics.append({ event: 'warning', step, code, message });
        return [event];
      }
      case 'interrupted':
        await this.#write({ state: 'interrupted' });
        return [
          ...(await this.#attempt('write the report', () => this.#writeReport(null))),
          { ...event, folder: folder.path },
        ];
      case 'result':
        return await this.#finish(event);
    }
  }

  /** Records why the run ended, as well as the disk still allows. */
  async fail(error: unknown): Promise<void> {
    const code = error instanceof DaflError ? error.code : 'INTERNAL';
    const message = error instanceof Error ? error.message : String(error);
    try {
      await this.#write({ state: 'failed', error: { code, message } });
    } catch (failure) {
      // The first error is the one to tell.
      if (!(failure instanceof DaflError)) throw failure;
    }
  }

  /** Looks at what only the report shows; each part by itself, so that one that fails costs the others nothing. */
  async look(parts: { readonly [Part in keyof ReportFindings]?: () => Promise<ReportFindings[Part]> }): Promise<
    readonly RunEvent[]
  > {
    const failures: RunEvent[] = [];
    for (const [name, find] of Object.entries(parts)) {
      failures.push(
        ...(await this.#attempt(LOOKS[name as keyof ReportFindings], async () => {
          this.#findings = { ...this.#findings, [name]: await find() };
        })),
      );
    }
    return failures;
  }

  /** Makes a report, whose failure is told and costs nothing else. What the disk does not take ends the run. */
  async #attempt(what: string, report: () => Promise<void>): Promise<RunEvent[]> {
    try {
      await report();
      return [];
    } catch (error) {
      if (error instanceof DaflError && error.code === 'STORAGE') throw error;
      const { step } = this.#record;
      const reason = error instanceof Error ? error.message : String(error);
      const message = `Cannot ${what} after step ${step}, and goes on without: ${reason}`;
      const warning = { event: 'warning', code: 'REPORT_FAILED', step, message } as const;
      await this.#metrics.append(warning);
      return [warning];
    }
  }

  /** All that else runs at the end only, small, before the first step: what cannot be drawn is told now. */
  async #rehearse(): Promise<void> {
    const blank = blankSamples(this.#start.teacher.model.graph);
    readSamplesImage(renderSamplesImage(blank));
    await this.#writeReport(null);
  }

  /** Tells TensorBoard, where it was asked for. */
  async #show(step: number, shown: Pick<TensorboardEvent, 'scalars' | 'images'>): Promise<void> {
    await this.#events?.append({ wallTime: Date.now() / 1000, step, ...shown });
  }

  /** Where the process ends in the middle of a step: the run goes on from its last checkpoint. */
  readonly #markInterrupted = (): void => {
    if (this.#record.state !== 'running') return;
    const record = { ...this.#record, state: 'interrupted' };
    try {
      writeFileAtomicallySync(this.#start.folder.record, `${JSON.stringify(record, null, 2)}\n`);
    } catch (error) {
      // The disk may be what the process ends for.
      if (systemErrorCode(error) === undefined) throw error;
    }
  };

  close(): void {
    process.removeListener('exit', this.#markInterrupted);
    this.#metrics.close();
    this.#events?.close();
  }

  async #finish(event: ResultEvent): Promise<readonly RunEvent[]> {
    const { folder, store } = this.#start;
    const file = await this.#writeStudent(event.student);
    const seconds = this.#secondsBefore + event.seconds;
    const { agreement = null, verdict = null, accuracy = null, step, keptStep } = event;
    const fields: Partial<RunRecord> = {
      state: 'finished',
      step,
      keptStep,
      agreement,
      verdict,
      accuracy,
      student: describeNetwork(event.student.graph, file),
      timings: { ...this.#record.timings, seconds, endedAt: new Date().toISOString() },
    };
    this.#record = { ...this.#record, ...fields, peakMemoryBytes: this.#peakMemory() };
    const failures = await this.#attempt('write the report', () => this.#writeReport(event.student));
    const exported = await this.#export(event.student);
    const quantized =
      this.#start.options.quantize === undefined
        ? []
        : await this.#attempt('write the student in eight bits', async () => {
            await writeFileAtomically(folder.studentInt8, await this.#start.quantize(event.student));
          });
    await writeFileAtomically(folder.modelCard, renderModelCard(this.#record));
    // Last: a run is finished when all of it is there.
    await this.#write({});
    // Nobody goes on with a finished run: replayed batches would only take room.
    await store.discardParts();
    const result: RunResultEvent = {
      ...event,
      seconds,
      studentSha256: file.sha256,
      peakMemoryBytes: this.#record.peakMemoryBytes,
      isRepeated: false,
      folder: folder.path,
      files: resultFiles(folder, this.#record.options),
    };
    return [...failures, ...exported, ...quantized, result];
  }

  /** Writes the student in the other formats that were asked for. */
  async #export(student: Model) {
    const { folder, options } = this.#start;
    const failures: RunEvent[] = [];
    for (const { title, write } of studentExports(student, options, folder))
      failures.push(...(await this.#attempt(`write the student ${title}`, write)));
    return failures;
  }

  async #writeStudent(student: Model): Promise<{ sha256: string; sizeBytes: number }> {
    const { folder } = this.#start;
    const bytes = writeModel(student);
    await createFolder(dirname(folder.student));
    await writeFileAtomically(folder.student, bytes);
    return fingerprintFile(bytes);
  }

  async #writeReport(student: Model | null): Promise<void> {
    const { folder, teacher, compared } = this.#start;
    const { classes } = describeClassifier(teacher.model.graph);
    const content: ReportContent = {
      record: this.#record,
      metrics: this.#metrics.lines,
      teacher: teacher.model,
      compared,
      student,
      studentFile: student === null ? null : writeModel(student),
      samples: await readSamples(folder, this.#record.step, classes),
      teacherConfusion: this.#teacherConfusion,
      ...this.#findings,
    };
    for (const [name, figure] of Object.entries(runFigures(content)))
      if (figure !== null) await writeFileAtomically(folder.figures[name as keyof RunFolder['figures']], figure);
    await writeFileAtomically(folder.report, renderReport(content));
  }

  async #write(fields: Partial<RunRecord>): Promise<void> {
    this.#record = { ...this.#record, ...fields, peakMemoryBytes: this.#peakMemory() };
    await writeFileAtomically(this.#start.folder.record, `${JSON.stringify(this.#record, null, 2)}\n`);
  }

  #peakMemory(): number {
    return Math.max(this.#record.peakMemoryBytes, peakMemoryBytes());
  }
}

/** The files that a finished run has for its user. */
export function resultFiles(folder: RunFolder, options: ExportOptions): RunResultEvent['files'] {
  const { student, record, metrics, samplesImage: samples, report } = folder;
  const asked = new Set([...(options.export?.split(',') ?? []), options.quantize]);
  const others = {
    onnx: folder.studentOnnx,
    keras: folder.studentKeras,
    tfjs: folder.studentTfjs,
    int8: folder.studentInt8,
  };
  // A format that failed was told by a warning.
  const written = Object.entries(others).filter(([format, path]) => asked.has(format) && existsSync(path));
  return { student, record, metrics, samples, report, ...Object.fromEntries(written) };
}

function describeNetwork(graph: Graph, file: { sha256: string; sizeBytes: number } | null): NetworkRecord {
  const { name, parameters, multiplyAccumulates, inputShape } = describeModel(graph);
  return {
    name,
    sha256: file?.sha256 ?? null,
    sizeBytes: file?.sizeBytes ?? null,
    parameters,
    multiplyAccumulates,
    inputShape,
    preprocessing: graph.preprocessing ?? null,
  };
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** One black image, for trying out what is drawn. */
export function blankSamples(teacher: Graph): SamplesEvent {
  const { inputShape, classes } = describeClassifier(teacher);
  const [height, width, channels] = inputShape;
  return {
    event: 'samples',
    step: 0,
    height,
    width,
    channels,
    images: new Float32Array(height * width * channels),
    labels: Uint32Array.of(0),
    confidences: Float32Array.of(1),
    classes,
    classCounts: Array.from({ length: classes }, (_, label) => Number(label === 0)),
    perClass: 1,
  };
}

/** Whether only the reports of the last step are left to do. */
function isTrained({ step, options }: RunSessionOptions): boolean {
  return step === endOf(options);
}
