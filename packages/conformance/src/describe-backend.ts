import { afterAll, beforeAll, describe, it, type TestContext } from 'vitest';
import type { Bench } from './_suite.ts';
import { type BackendDescription, createBench, listConformanceTests } from './list-conformance-tests.ts';

/**
 * Declares the tests that every `TensorBackend` must pass to vitest.
 *
 * Results are compared with the float64 reference backend and with golden files made with PyTorch. Each test also checks
 * that arguments stay as they were and that no tensor is left behind. `runConformance` runs the same tests without
 * vitest.
 *
 * @param description The backend and what is known of it.
 * @example Usage
 * ```ts
 * describeBackend({
 *   name: 'webgpu',
 *   create: () => createWebgpuBackend(),
 *   skip: [{ reason: 'shaders may flush NaN', tests: /NaN/ }],
 * });
 * ```
 */
export function describeBackend(description: BackendDescription): void {
  describe(description.name, () => {
    let bench: Bench | null = null;

    beforeAll(async () => {
      bench = await createBench(description);
    });

    afterAll(async () => {
      await bench?.backend.close();
      await bench?.oracle.close();
    });

    const tests = listConformanceTests(description);
    const declareTests = (chapter: string | null): void => {
      for (const { name, skipReason, run: expectContract } of tests.filter((test) => test.chapter === chapter)) {
        it(name, async (context: TestContext) => {
          if (bench === null) throw new Error(`Cannot test as 'create' must give a backend: current value is null`);
          const reason = skipReason(bench.backend);
          context.skip(reason !== null, reason ?? undefined);
          await expectContract(bench);
        });
      }
    };
    for (const chapter of new Set(tests.flatMap((test) => test.chapter ?? []))) {
      describe(chapter, () => {
        declareTests(chapter);
      });
    }
    declareTests(null);
  });
}
