import { shrink } from '@dafl/core';
import { createArchitecture } from '@dafl/models';
import { expect, it } from 'vitest';
import { type DistillationOptions, parseDistillationOptions } from '../options/distillation-options.ts';
import { fitRecipe } from './fit-recipe.ts';
import { resolveRecipe } from './resolve-recipe.ts';

it.each<[string, Partial<DistillationOptions>, number | undefined]>([
  ['lenet5', {}, undefined],
  ['resnet20', {}, 2],
  ['resnet20', { initialization: 'random' }, 2],
  ['airbench', { student: 'low-rank' }, 2],
  ['resnet20', { usesPerBatch: 4 }, 4],
  ['lenet5', { usesPerBatch: 1 }, 1],
  // The teacher's answers would take most of the time, or nobody knows how long.
  ['resnet20', { student: 0.25 }, undefined],
  ['resnet20', { answersOnly: true }, undefined],
  ['resnet20', { method: 'dafl' }, undefined],
])('decides in how many updates a batch of %s with %o is used', (architecture, given, uses) => {
  const teacher = createArchitecture(architecture);
  const options = parseDistillationOptions({ teacher: 'teacher.onnx', ...given });
  const { recipe } = fitRecipe(
    options,
    resolveRecipe(options),
    teacher,
    shrink(teacher, given.student === 0.25 ? 0.25 : 0.5),
  );
  expect(recipe.options.usesPerBatch).toBe(uses);
});

it('holds more batches at once the fewer updates use them', () => {
  const teacher = createArchitecture('resnet20');
  const bytes = ([2, 8] as const).map((usesPerBatch) => {
    const { forEachImage } = resolveRecipe(parseDistillationOptions({ teacher: 't', usesPerBatch })).stepMemory(
      teacher,
      shrink(teacher, 0.5),
    );
    return forEachImage;
  });
  expect(bytes[0]).toBeGreaterThan(bytes[1]);
});
