import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findTensorflow } from '@dafl/backend-node';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { backendNames, selectBackend } from './select-backend.ts';

let empty: string;
beforeEach(() => {
  empty = mkdtempSync(join(tmpdir(), 'dafl-select-'));
  vi.stubEnv('DAFL_TENSORFLOW_DIR', empty);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(empty, { recursive: true });
});

it('lists the backends in the order in which auto prefers them', () => {
  expect(backendNames).toEqual(['node', 'webgpu', 'wasm', 'cpu']);
});

it('takes wasm where there is neither TensorFlow nor a GPU', async (context) => {
  context.skip(findTensorflow().length > 0, 'tfjs-node is installed beside this package');
  const { name, backend, reason } = await selectBackend({ backend: 'auto', threads: 1 });
  await backend.close();
  context.skip(name === 'webgpu', 'there is a GPU here');
  expect(name).toBe('wasm');
  expect(backend.description).toMatch(/1 thread\)$/);
  expect(reason).toBe("chosen as the best one here; 'dafl doctor' tells of the others");
});

it('says why the one that is asked for cannot run', async (context) => {
  context.skip(findTensorflow().length > 0, 'tfjs-node is installed beside this package');
  await expect(selectBackend({ backend: 'node' })).rejects.toThrow(
    "Cannot use backend 'node' as it must be able to run here: Cannot start TensorFlow as it must be installed",
  );
});

it('takes the one that is asked for, however slow', async () => {
  const { name, backend, reason } = await selectBackend({ backend: 'cpu' });
  await backend.close();
  expect({ name, reason }).toEqual({ name: 'cpu', reason: 'as asked for' });
});
