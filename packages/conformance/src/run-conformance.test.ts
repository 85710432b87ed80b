import { createCpuBackend } from '@dafl/backend-cpu';
import type { TensorBackend } from '@dafl/core';
import { describe, expect, it } from 'vitest';
import { type BackendDescription, listConformanceTests } from './list-conformance-tests.ts';
import { type ConformanceTestResult, runConformance } from './run-conformance.ts';

/** The reference backend in float32, with an `argMax` that is wrong and a `oneHot` that leaks. */
function createFaultyBackend(): TensorBackend {
  const backend = createCpuBackend();
  const faults: Pick<TensorBackend, 'argMax' | 'oneHot'> = {
    argMax: (input) => backend.fill(input.shape.slice(0, -1), 0),
    oneHot: (indices, depth) => {
      backend.fill([1], 0);
      return backend.oneHot(indices, depth);
    },
  };
  return new Proxy(backend, {
    get: (target, key) => {
      if (key === 'argMax' || key === 'oneHot') return faults[key];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('runConformance', () => {
  it('runs every test once, skips with reasons and reports what fails', async () => {
    const description: BackendDescription = {
      name: 'faulty',
      create: createFaultyBackend,
      skip: [
        { reason: 'not now', tests: ['life > fill'] },
        { reason: 'gone', tests: /no such test/ },
      ],
    };
    const results: ConformanceTestResult[] = [];
    const { backend, passed, failed, skipped } = await runConformance(description, (result) => results.push(result));

    expect(backend).toBe('cpu (pure TypeScript, float32)');
    expect(results).toHaveLength(listConformanceTests(description).length);
    expect(new Set(results.map(({ name }) => name)).size).toBe(results.length);
    expect(passed + failed.length + skipped.length).toBe(results.length);

    expect(skipped).toContainEqual({ name: 'life > fill', reason: 'not now' });
    expect(new Set(skipped.map(({ reason }) => reason))).toEqual(
      new Set(['not now', 'an optional kernel that this backend leaves to compositions']),
    );

    const messages = new Map(failed.map(({ name, message }) => [name, message]));
    expect(messages.get('has no skip without a test')).toBe(
      'Expected the list of skips that name no test to be [] but got ["/no such test/"]',
    );
    expect(messages.get('reduction > argMax')).toBe('Expected the data type to be "int32" but got "float32"');
    messages.delete('has no skip without a test');
    // Of the tests of life, one checks that argMax refuses a disposed tensor.
    messages.delete('life > dispose: using the tensor afterwards throws');
    for (const name of messages.keys()) expect(name).toMatch(/argMax|oneHot/);
    expect([...messages.values()]).toContain(
      'Expected the number of tensors that the kernel left alive to be 1 but got 2',
    );
  });
});
