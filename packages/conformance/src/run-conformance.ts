import { type BackendDescription, createBench, listConformanceTests } from './list-conformance-tests.ts';
export type { BackendDescription, Skip } from './list-conformance-tests.ts';

/** What became of one test. */
export type ConformanceTestResult =
  | { readonly name: string; readonly outcome: 'passed' }
  | { readonly name: string; readonly outcome: 'failed'; readonly message: string }
  | { readonly name: string; readonly outcome: 'skipped'; readonly reason: string };

/** What became of all tests. Names are full ones: `'pooling > maxPool2d: ties'`. */
export interface ConformanceReport {
  /** What the backend says of itself. */
  readonly backend: string;
  /** Number of tests that passed. */
  readonly passed: number;
  readonly failed: readonly { readonly name: string; readonly message: string }[];
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * Runs the tests of `describeBackend` in any runtime, one after the other, and closes the backend.
 *
 * @param description The backend and what is known of it.
 * @param onResult Called after each test.
 * @returns Failures are in the report.
 * @throws Whatever `create` of the description throws, and `close` of the backend.
 * @example Usage
 * ```ts
 * const { passed, failed } = await runConformance({ name: 'wasm', create: () => createWasmBackend() });
 * ```
 */
export async function runConformance(
  description: BackendDescription,
  onResult: (result: ConformanceTestResult) => void = () => {},
): Promise<ConformanceReport> {
  const bench = await createBench(description);
  const results: ConformanceTestResult[] = [];
  try {
    for (const test of listConformanceTests(description)) {
      const name = test.chapter === null ? test.name : `${test.chapter} > ${test.name}`;
      const reason = test.skipReason(bench.backend);
      const result: ConformanceTestResult =
        reason === null
          ? await test.run(bench).then(
              () => ({ name, outcome: 'passed' }) as const,
              (error: unknown) => ({ name, outcome: 'failed', message: messageOf(error) }) as const,
            )
          : { name, outcome: 'skipped', reason };
      results.push(result);
      onResult(result);
    }
  } finally {
    await bench.backend.close();
    await bench.oracle.close();
  }
  return {
    backend: bench.backend.description,
    passed: results.filter(({ outcome }) => outcome === 'passed').length,
    failed: results.flatMap((result) =>
      result.outcome === 'failed' ? [{ name: result.name, message: result.message }] : [],
    ),
    skipped: results.flatMap((result) =>
      result.outcome === 'skipped' ? [{ name: result.name, reason: result.reason }] : [],
    ),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
