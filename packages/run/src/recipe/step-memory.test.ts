import { createWasmBackend } from '@dafl/backend-wasm';
import {
  createRandomStream,
  dafl,
  distill,
  type Graph,
  initializeWeights,
  type Method,
  presets,
  procedural,
  shrink,
  type TensorBackend,
} from '@dafl/core';
import { createArchitecture } from '@dafl/models';
import { describe, expect, it } from 'vitest';
import { baselineRecipes } from './baseline-recipes.ts';
import { imagesMadeAtOnce, stepMemory } from './step-memory.ts';

/** The most bytes that its tensors took. */
function watch(backend: TensorBackend): { backend: TensorBackend; peakBytes: () => number } {
  let most = 0;
  const watched = new Proxy(backend, {
    get(target, name) {
      const member = (target as unknown as Record<string | symbol, unknown>)[name];
      if (typeof member !== 'function') return member;
      return (...values: unknown[]): unknown => {
        const result = (member as (...all: unknown[]) => unknown).apply(target, values);
        most = Math.max(most, target.memory().bytes);
        return result;
      };
    },
  });
  return { backend: watched, peakBytes: () => most };
}

/** One batch of grey images, again and again. */
function greyImages(batchSize: number, inputShape: readonly number[]): Method {
  return {
    name: 'grey',
    options: {},
    start({ backend }) {
      const images = backend.fill([batchSize, ...inputShape], 0.5);
      return {
        step: () => ({ batches: [{ images }], losses: {} }),
        sample: () => {
          throw new Error('not asked for');
        },
        state: async () => ({ counters: {}, tensors: new Map(), parts: [] }),
        restore: async () => {},
        dispose: () => backend.dispose(images),
      };
    },
  };
}

type MethodName = 'original-data' | 'dafl' | 'procedural';

async function peakOf(teacher: Graph, student: Graph, name: MethodName, batchSize: number) {
  const { backend, peakBytes } = watch(await createWasmBackend({ threads: 1 }));
  const replay = { batches: 1, studentSteps: 1 };
  const method = {
    dafl: () => dafl({ ...presets.fast.dafl, batchSize, replay }),
    // Batches that come again: what the teacher said of them is kept.
    procedural: () => procedural({ batchSize, studentSteps: 4, uses: 2, pictures: 64 }),
    'original-data': () => greyImages(batchSize, teacher.inputShape),
  }[name]();
  const training = baselineRecipes.procedural.training;
  const model = initializeWeights(teacher, createRandomStream(0, 'w'));
  for await (const event of distill({ backend, teacher: model, student, method, training, steps: 3, seed: 0 })) {
    if (event.event === 'step' && event.step === 2) break;
  }
  await backend.close();
  return peakBytes();
}

describe('stepMemory', () => {
  it.each(['lenet5', 'resnet20', 'airbench-0.5'])('tells about what the wasm backend holds: %s', async (name) => {
    const teacher = createArchitecture(name);
    const student = shrink(teacher, 0.5);
    const { generator } = presets.fast.dafl;
    for (const method of ['original-data', 'dafl', 'procedural'] as const) {
      const batches = method === 'procedural' ? 2 : 1;
      const { fixed, forEachImage } = stepMemory({ teacher, student, method, batches, generator });
      const [few, many] = [await peakOf(teacher, student, method, 4), await peakOf(teacher, student, method, 12)];
      // What each further image takes decides about large batches: never more than is told, and not much less.
      const measured = (many - few) / 8;
      expect(measured / forEachImage, `${method}: an image`).toBeLessThan(1.05);
      expect(measured / forEachImage, `${method}: an image`).toBeGreaterThan(0.35);
      expect(few - 4 * measured, `${method}: fixed`).toBeLessThan(1.5 * fixed + 2 ** 20);
    }
  });
});

describe('imagesMadeAtOnce', () => {
  it('halves what would not fit, and leaves the rest', () => {
    const { generator } = presets.fast.dafl;
    const made = (name: string): number => imagesMadeAtOnce(256, { teacher: createArchitecture(name), generator });
    expect(['lenet5', 'resnet20', 'resnet18', 'resnet18-imagenet', 'vgg16-imagenet'].map(made)).toEqual([
      256, 256, 256, 32, 8,
    ]);
  });
});
