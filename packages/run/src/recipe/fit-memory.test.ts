import { shrink } from '@dafl/core';
import { createArchitecture } from '@dafl/models';
import { describe, expect, it } from 'vitest';
import { type DistillationOptions, parseDistillationOptions } from '../options/distillation-options.ts';
import { assertFits, fitMemory } from './fit-memory.ts';
import { resolveRecipe } from './resolve-recipe.ts';

function fit(architecture: string, given: Partial<DistillationOptions>) {
  const teacher = createArchitecture(architecture);
  const student = shrink(teacher, 0.5);
  const options = parseDistillationOptions({ teacher: 't', ...given });
  const { recipe, note } = fitMemory(options, resolveRecipe(options), teacher, student);
  const memory = recipe.stepMemory(teacher, student);
  return { recipe, note, memory, bytes: memory.fixed + recipe.batchSize * memory.forEachImage };
}

const METHODS = ['procedural', 'dafl', 'pool', 'nayer', 'deep-inversion', 'dfq', 'dfad', 'zskt', 'noise'] as const;

/** Memory of a machine. */
const MACHINE = 64 * 2 ** 30;

describe('fitMemory', () => {
  it.each(METHODS)('makes the default batches of %s fit for images of 224x224x3 and 1000 classes', (method) => {
    const { recipe, bytes, memory } = fit('resnet18-imagenet', { method });
    expect(bytes).toBeLessThan(2.5 * 2 ** 30);
    expect(recipe.options.batchSize).toBe(recipe.batchSize);
    expect(recipe.batchSize).toBeGreaterThanOrEqual(32);
    expect(() => assertFits(recipe, 'wasm', memory, MACHINE)).not.toThrow();
  });

  it('says what it changed, and how to have it otherwise', () => {
    const { note, recipe } = fit('resnet18-imagenet', { method: 'dafl' });
    expect(recipe.batchSize).toBe(32);
    expect(note).toBe(
      'Batches have 32 images, not 256, so that a step of networks of this size fits into 2.5 GiB; --batch-size decides otherwise',
    );
  });

  it.each(['lenet5', 'resnet20', 'airbench', 'wrn-40-2', 'resnet18'])('leaves the defaults of %s', (architecture) => {
    for (const method of METHODS) {
      const { note, recipe } = fit(architecture, { method });
      expect([note, recipe.batchSize]).toEqual([
        null,
        resolveRecipe(parseDistillationOptions({ teacher: 't', method })).batchSize,
      ]);
    }
  });

  it('leaves what is asked for', () => {
    const { note, recipe } = fit('resnet18-imagenet', { method: 'dafl', batchSize: 512 });
    expect([note, recipe.batchSize]).toEqual([null, 512]);
  });
});

describe('assertFits', () => {
  it('refuses batches that wasm cannot hold, with a size that it can', () => {
    const { recipe, memory } = fit('resnet18-imagenet', { method: 'dafl', batchSize: 512 });
    const refuse = (): void => assertFits(recipe, 'wasm', memory, MACHINE);
    expect(refuse).toThrow(
      /^Cannot distill on wasm as 'batchSize' must be about \d+ at most for networks of this size to fit into 4\.0 GiB: current value is 512, which takes about \d+\.\d GiB$/,
    );
    const named = Number(
      /about (\d+) at most/.exec(
        (() => {
          try {
            refuse();
            return '';
          } catch (error) {
            return String(error);
          }
        })(),
      )![1],
    );
    const smaller = fit('resnet18-imagenet', { method: 'dafl', batchSize: named });
    expect(() => assertFits(smaller.recipe, 'wasm', smaller.memory, MACHINE)).not.toThrow();
    expect(() => assertFits(recipe, 'node', memory, MACHINE)).not.toThrow();
  });

  it('says so where no size fits', () => {
    const { recipe } = fit('lenet5', { batchSize: 2 });
    expect(() => assertFits(recipe, 'wasm', { fixed: 5 * 2 ** 30, forEachImage: 1 }, MACHINE)).toThrow(
      'Cannot distill on wasm as a step must fit into 4.0 GiB, which networks of this size do at no batch size (other backends have more): current value is 2, which takes about 5.0 GiB',
    );
  });

  it('refuses on any backend in main memory what the machine does not have', () => {
    const { recipe } = fit('lenet5', { batchSize: 2 });
    const memory = { fixed: 12 * 2 ** 30, forEachImage: 1 };
    for (const backend of ['cpu', 'node'] as const) {
      expect(() => assertFits(recipe, backend, memory, MACHINE)).not.toThrow();
      expect(() => assertFits(recipe, backend, memory, 16 * 2 ** 30)).toThrow(
        `Cannot distill on ${backend} as a step must fit into 9.6 GiB, which networks of this size do at no batch size: current value is 2, which takes about 12.0 GiB`,
      );
    }
    expect(() => assertFits(recipe, 'webgpu', memory, 8 * 2 ** 30)).not.toThrow();
    expect(() => assertFits(recipe, 'wasm', { fixed: 0, forEachImage: 2 ** 29 }, 2 ** 29)).toThrow('fit into 0.3 GiB');
  });
});
