import { presets } from '@dafl/core';
import { expect, test } from 'vitest';
import { hyperParameters, readHyperParameters, writeHyperParameters } from './hyper-parameters.ts';

/** Every value of a preset by its path. */
function leaves(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === '' ? key : `${path}.${key}`));
}

const others: Readonly<Record<string, string>> = {
  alternating: 'two-stage',
  cosine: 'constant',
  constant: 'cosine',
  normalized: 'pixels',
  pixels: 'normalized',
  random: 'teacher',
  auto: 'random',
  moving: 'fixed',
  equal: 'relative',
  none: 'layers',
  own: 'batch',
  divergence: 'mse',
};

/** Another value of the same kind. */
function another(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return value.map((item) => (item as number) + 1);
  if (typeof value === 'number') return /Beta|Decay/.test(name) ? 0.25 : value + 1;
  return name === 'studentWhitening' ? 'inputs' : others[value as string];
}

test('each value of the presets but the optimizers can be overridden', () => {
  // Adam for both is part of the method; the number of steps is an option of its own.
  const fixed = ['dafl.generatorOptimizer.kind', 'training.optimizer.kind', 'steps'];
  for (const preset of Object.values(presets)) {
    const values = Object.entries(readHyperParameters(preset));
    const changed = Object.fromEntries(values.map(([name, value]) => [name, another(value, name)]));
    // Images that are normalised have no tone.
    if (changed.generatorOutput === 'normalized')
      Object.assign(changed, { generatorContrast: 1, generatorBrightness: 0 });
    expect(Object.values(changed)).not.toContain(undefined);
    const other = writeHyperParameters(preset, changed);
    expect(readHyperParameters(other)).toEqual(changed);
    const at = (root: unknown, path: string): unknown =>
      path.split('.').reduce((value, key) => (value as Record<string, unknown> | null)?.[key], root);
    const same = leaves(preset).filter((path) => JSON.stringify(at(preset, path)) === JSON.stringify(at(other, path)));
    expect(same).toEqual(fixed);
  }
});

test('a preset written over with its own values is that preset', () => {
  for (const preset of Object.values(presets)) {
    expect(writeHyperParameters(preset, readHyperParameters(preset))).toEqual(preset);
    expect(writeHyperParameters(preset, {})).toBe(preset);
  }
});

test('replay is switched on and off by the number of batches', () => {
  expect(writeHyperParameters(presets.fast, { replayBatches: 0 }).dafl.replay).toBeNull();
  expect(writeHyperParameters(presets.paper, { replayBatches: 5, studentSteps: 3 }).dafl.replay).toEqual({
    batches: 5,
    studentSteps: 3,
  });
  expect(writeHyperParameters(presets.paper, { replayBatches: 5 }).dafl.replay).toEqual({
    batches: 5,
    studentSteps: 1,
  });
});

test('tone belongs to pixels', () => {
  const { output } = writeHyperParameters(presets.paper, { generatorOutput: 'pixels', generatorBrightness: -1 }).dafl
    .generator;
  expect(output).toEqual({ kind: 'pixels', contrast: 2, brightness: -1 });
  expect(() => writeHyperParameters(presets.paper, { generatorContrast: 3 })).toThrow(
    "Cannot distill as 'generatorContrast' must be 1 with normalized generator output: current value is 3",
  );
});

test('each has a description', () => {
  for (const { schema } of Object.values(hyperParameters)) expect(schema.description).toMatch(/^[A-Z]/);
});
