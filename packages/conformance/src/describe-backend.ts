import { createCpuBackend } from '@dafl/backend-cpu';
import type { TensorBackend } from '@dafl/core';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
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

/**
 * Declares the tests that every `TensorBackend` must pass.
 *
 * Results are compared with the float64 reference backend and with golden files made with PyTorch. Each test also checks
 * that arguments stay as they were and that no tensor is left behind.
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
  const { name: backendName, create, skip: skips = [], tolerance = defaultTolerance } = description;
  const matchedSkips = new Set<Skip>();
  const matchedNames = new Set<string>();

  describe(backendName, () => {
    let bench: Bench | null = null;

    beforeAll(async () => {
      bench = new Bench(await create(), createCpuBackend({ precision: 'float64' }), tolerance, create);
    });

    afterAll(async () => {
      await bench?.backend.close();
      await bench?.oracle.close();
    });

    for (const [chapter, declare] of chapters) {
      describe(chapter, () => {
        const test = (
          name: string,
          run: (bench: Bench) => Promise<void>,
          isApplicable: (backend: TensorBackend) => boolean = () => true,
        ): void => {
          const fullName = `${chapter} > ${name}`;
          const skip = skips.find(({ tests }) =>
            // `search` and not `test`, which remembers where it stopped if the pattern is global.
            tests instanceof RegExp ? fullName.search(tests) !== -1 : tests.includes(fullName),
          );
          if (skip !== undefined) {
            matchedSkips.add(skip);
            matchedNames.add(fullName);
          }
          it(name, async (context: TestContext) => {
            context.skip(skip !== undefined, skip?.reason);
            if (bench === null) throw new Error(`Cannot test as 'create' must give a backend: current value is null`);
            context.skip(!isApplicable(bench.backend), 'an optional kernel that this backend leaves to compositions');
            const before = bench.backend.memory();
            await run(bench);
            expectSameMemory(bench.backend.memory(), before);
          });
        };

        declare({
          test: (name, run) => test(name, run),
          testFused: (kernel, name, run) => test(name, run, (backend) => backend.fused?.[kernel] !== undefined),
        });
      });
    }

    it('has no skip without a test', () => {
      const stale = skips.flatMap((skip) => {
        if (skip.tests instanceof RegExp) return matchedSkips.has(skip) ? [] : [String(skip.tests)];
        return skip.tests.filter((name) => !matchedNames.has(name));
      });
      expect(stale, 'skips that name no test').toEqual([]);
    });
  });
}
