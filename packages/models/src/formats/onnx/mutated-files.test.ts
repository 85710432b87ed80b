import { readdirSync, readFileSync } from 'node:fs';
import { DaflError } from '@dafl/core';
import { expect, it } from 'vitest';
import { importModel } from '../import-model.ts';

/** Files that `npm run bench:fuzz` once made and no reader coped with. */
const folder = new URL('../../../../../test-fixtures/onnx/mutated/', import.meta.url);

it.each(readdirSync(folder))('ends in a model or in an error of ours: %s', async (name) => {
  const error = await importModel(readFileSync(new URL(name, folder)), name).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error !== undefined && !(error instanceof DaflError)) throw error;
  expect(error instanceof Error ? error.name : 'a model').toMatch(/^(DaflError|a model)$/);
});
