import type { RunRecord } from './run-record.ts';

/** One value that differs between runs: as JSON has it, null where a run has none. */
export interface RunDifference {
  readonly name: string;
  readonly values: readonly unknown[];
}

/** How runs differ. */
export interface RunComparison {
  /** Options with unequal values, in the order of the records. */
  readonly options: readonly RunDifference[];
  /** What came out, unequal or not. */
  readonly results: readonly RunDifference[];
}

/** What is compared of the results, in the order in which it is shown. */
const results: Readonly<Record<string, (record: RunRecord) => unknown>> = {
  state: ({ state }) => state,
  accuracy: ({ accuracy }) => accuracy,
  teacherAccuracy: ({ teacherAccuracy }) => teacherAccuracy,
  agreement: ({ agreement }) => agreement,
  verdict: ({ verdict }) => verdict?.level,
  step: ({ step }) => step,
  seconds: ({ timings }) => timings.seconds,
  peakMemoryBytes: ({ peakMemoryBytes }) => peakMemoryBytes,
  parameters: ({ student }) => student.parameters,
  multiplyAccumulates: ({ student }) => student.multiplyAccumulates,
  studentSha256: ({ student }) => student.sha256,
  backend: ({ backend }) => backend.description,
  version: ({ versions }) => versions.dafl,
  startedAt: ({ timings }) => timings.startedAt,
};

/** Compares two or more runs by their records. */
export function compareRuns(records: readonly RunRecord[]): RunComparison {
  const names = new Set(records.flatMap(({ options }) => Object.keys(options)));
  const options = [...names].map((name) => ({
    name,
    values: records.map((record) => (record.options as unknown as Readonly<Record<string, unknown>>)[name] ?? null),
  }));
  return {
    options: options.filter(({ values }) =>
      values.some((value) => JSON.stringify(value) !== JSON.stringify(values[0])),
    ),
    results: Object.entries(results).map(([name, read]) => ({
      name,
      values: records.map((record) => read(record) ?? null),
    })),
  };
}
