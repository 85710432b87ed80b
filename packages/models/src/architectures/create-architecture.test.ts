import { describeClassifier } from '@dafl/core';
import { expect, test } from 'vitest';
import { architectures } from './architectures.ts';
import { createArchitecture } from './create-architecture.ts';
import { lenet5 } from './lenet5.ts';

test('every architecture is a classifier of its own name, with as many classes as asked for', () => {
  for (const [name, architecture] of architectures) {
    expect(architecture.create().name).toBe(name);
    expect(describeClassifier(architecture.create({ classes: 7 })).classes).toBe(7);
    expect(architecture.description).not.toBe('');
  }
});

test('createArchitecture finds by name', () => {
  expect(createArchitecture('lenet5')).toEqual(lenet5());
  expect(createArchitecture('lenet5-half', { name: 'small' })).toEqual(lenet5({ width: 0.5, name: 'small' }));
});

test.each(['lenet6', 'constructor', ''])('createArchitecture rejects %j', (name) => {
  expect(() => createArchitecture(name)).toThrow(
    expect.objectContaining({
      code: 'USAGE',
      message: `Cannot create architecture as its name must be one of [${[...architectures.keys()].join(', ')}]: current value is '${name}'`,
    }),
  );
});
