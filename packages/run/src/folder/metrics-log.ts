import { readFile } from 'node:fs/promises';
import type { Verdict } from '@dafl/core';
import { AppendFile } from './append-file.ts';
import { systemErrorCode, toStorageError } from './storage-error.ts';
import { writeFileAtomically } from './write-file-atomically.ts';

/** One line of `metrics.jsonl`. */
export type MetricsLine =
  | {
      readonly event: 'step';
      readonly step: number;
      /** Of the run, all sessions together. */
      readonly seconds: number;
      readonly losses: Readonly<Record<string, number>>;
      readonly studentImages: number;
    }
  | {
      readonly event: 'evaluation';
      readonly step: number;
      readonly network: 'teacher' | 'student';
      readonly accuracy: number;
      readonly count: number;
    }
  | {
      readonly event: 'verdict';
      readonly step: number;
      readonly level: Verdict['level'];
      /** As in `Verdict`. */
      readonly agreement: number;
    }
  | { readonly event: 'warning'; readonly step: number; readonly code: string; readonly message: string };

/** The measurements of one run: in memory for the report, and line by line in a file. */
export class MetricsLog {
  readonly #path: string;
  readonly #lines: MetricsLine[];
  readonly #file: AppendFile;

  private constructor(path: string, lines: MetricsLine[]) {
    this.#path = path;
    this.#lines = lines;
    this.#file = new AppendFile(path);
  }

  /**
   * Opens the log of a run that starts or goes on at `step`: later lines, from a session that was killed, are removed, and
   * so is a line that was cut short. With `reportsAgain` also what was reported at that step.
   */
  static async open(path: string, step: number, reportsAgain: boolean): Promise<MetricsLog> {
    const isKept = (line: MetricsLine): boolean =>
      line.step < step || (line.step === step && (line.event === 'step' || !reportsAgain));
    const lines = step === 0 ? [] : (await readMetrics(path)).filter(isKept);
    await writeFileAtomically(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    return new MetricsLog(path, lines);
  }

  get lines(): readonly MetricsLine[] {
    return this.#lines;
  }

  /** @throws {DaflError} `STORAGE` */
  async append(line: MetricsLine): Promise<void> {
    try {
      this.#file.append(`${JSON.stringify(line)}\n`);
    } catch (error) {
      throw await toStorageError(error, this.#path);
    }
    this.#lines.push(line);
  }

  close(): void {
    this.#file.close();
  }
}

/** Reads the sound lines of a metrics file, which only reports are made of; none if there is no such file. */
export async function readMetrics(path: string): Promise<MetricsLine[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
  return text.split('\n').flatMap((line) => {
    const value = parseJson(line) as Partial<MetricsLine> | null | undefined;
    return typeof value?.event === 'string' && Number.isInteger(value.step) ? [value as MetricsLine] : [];
  });
}

/** Undefined where a line was cut short or damaged. */
function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
