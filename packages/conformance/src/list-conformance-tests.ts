import { createCpuBackend } from '@dafl/backend-cpu';
import type { FusedKernels, TensorBackend } from '@dafl/core';
import { assertEqual } from './_assertions.ts';
import { Bench, expectSameMemory, type Suite } from './_suite.ts';
import type { Tolerance } from './expect-close.ts';
import { declareConvolutionTests } from './suites/convolution.ts';
import { declareElementWiseTests } from './suites/element-wise.ts';
import { declareFusedTests } from './suites/fused.ts';
import { declareGoldenTests } from './suites/golden.ts';
import { declareLayoutTests } from './suites/layout.ts';
import { declareLifeTests } from './suites/life.ts';
import { declareMatrixTests } from './suites/matrix.ts';
import { declarePoolingTests } from './suites/pooling.ts';
import { declareReductionTests } from './suites/reduction.ts';
import { declareUpsamplingTests } from './suites/upsampling.ts';

/** Tests that a backend is known not to pass, and why. */
export interface Skip {
  /** Shown in the report beside each skipped test. */
  readonly reason: string;
  /** Full names (`'pooling > maxPool2d: ties'`), or a pattern that they match. */
  readonly tests: readonly string[] | RegExp;
}

/** A backend as the suite needs it. */
export interface BackendDescription {
  /** Heads the report. */
  readonly name: string;
  /** Makes a backend. Called once for the suite, and again by the few tests that close one. */
  readonly create: () => TensorBackend | Promise<TensorBackend>;
  /** A skip that matches no test fails the suite, so that none outlives its reason. */
  readonly skip?: readonly Skip[];
  /**
   * How far results may lie from the reference, `absolute` being a share of the result's largest value. The default
   * suits float32: absolute 2e-6, relative 1e-5.
   */
  readonly tolerance?: Tolerance;
}

/** One test of the suite, for any runner. */
export interface ConformanceTest {
  /** What it belongs to, or null: the full name, as skips give it, is `chapter > name`. */
  readonly chapter: string | null;
  readonly name: string;
  /** Why there is nothing to run on this backend, or null. */
  readonly skipReason: (backend: TensorBackend) => string | null;
  /**
   * Runs the test. It fails also where the backend's tensors or bytes aren't back where they were at its start.
   *
   * @throws {Error} If the backend breaks the contract. The bench may hold stray tensors then, and goes on to serve.
   */
  readonly run: (bench: Bench) => Promise<void>;
}

const defaultTolerance: Tolerance = { absolute: 2e-6, relative: 1e-5 };

const chapters: readonly (readonly [name: string, declare: (suite: Suite) => void])[] = [
  ['life', declareLifeTests],
  ['layout', declareLayoutTests],
  ['element-wise', declareElementWiseTests],
  ['reduction', declareReductionTests],
  ['matrix', declareMatrixTests],
  ['convolution', declareConvolutionTests],
  ['pooling', declarePoolingTests],
  ['upsampling', declareUpsamplingTests],
  ['fused', declareFusedTests],
  ['golden', declareGoldenTests],
];

/** Makes the backend and the float64 reference beside it. Who calls it closes both. */
export async function createBench({ create, tolerance = defaultTolerance }: BackendDescription): Promise<Bench> {
  return new Bench(await create(), createCpuBackend({ precision: 'float64' }), tolerance, create);
}

/**
 * Lists the tests that every `TensorBackend` must pass, in the order to run them in, one after the other.
 *
 * The last one fails where a skip of the description names no test. Nothing here needs a test runner or Node.
 */
export function listConformanceTests({ skip: skips = [] }: BackendDescription): ConformanceTest[] {
  const tests: ConformanceTest[] = [];
  const matchedSkips = new Set<Skip>();
  const matchedNames = new Set<string>();

  for (const [chapter, declare] of chapters) {
    const add = (name: string, kernel: keyof FusedKernels | null, run: (bench: Bench) => Promise<void>): void => {
      const fullName = `${chapter} > ${name}`;
      const skip = skips.find(({ tests: skipped }) =>
        // `search` and not `test`, which remembers where it stopped if the pattern is global.
        skipped instanceof RegExp ? fullName.search(skipped) !== -1 : skipped.includes(fullName),
      );
      if (skip !== undefined) {
        matchedSkips.add(skip);
        matchedNames.add(fullName);
      }
      tests.push({
        chapter,
        name,
        skipReason: (backend) => {
          if (skip !== undefined) return skip.reason;
          return kernel !== null && backend.fused?.[kernel] === undefined
            ? 'an optional kernel that this backend leaves to compositions'
            : null;
        },
        run: async (bench) => {
          const before = bench.backend.memory();
          await run(bench);
          expectSameMemory(bench.backend.memory(), before);
        },
      });
    };
    declare({
      test: (name, run) => add(name, null, run),
      testFused: (kernel, name, run) => add(name, kernel, run),
    });
  }

  const stale = skips.flatMap((skip) => {
    if (skip.tests instanceof RegExp) return matchedSkips.has(skip) ? [] : [String(skip.tests)];
    return skip.tests.filter((name) => !matchedNames.has(name));
  });
  tests.push({
    chapter: null,
    name: 'has no skip without a test',
    skipReason: () => null,
    run: async () => assertEqual(stale, [], 'the list of skips that name no test'),
  });
  return tests;
}
