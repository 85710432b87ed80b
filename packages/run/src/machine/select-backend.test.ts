import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findTensorflow } from '@dafl/backend-node';
import { createArchitecture } from '@dafl/models';
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

it('says why it takes wasm for a narrow network', async (context) => {
  const { backend, name, reason } = await selectBackend({ backend: 'auto', networks: [createArchitecture('lenet5')] });
  await backend.close();
  context.skip(name !== 'wasm', 'there is a GPU here');
  expect(reason).toMatch(/^chosen as the fastest for narrow networks on a CPU: 17 multiply-accumulates/);
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

it('loads no TensorFlow to look for a GPU where there is none', async (context) => {
  context.skip(process.platform !== 'linux', 'tells loaded libraries by /proc');
  context.skip(
    readdirSync('/dev').some((name) => /^(nvidia|nvmap|dxg)/.test(name)),
    'there is a GPU here',
  );
  vi.unstubAllEnvs();
  context.skip(findTensorflow().length === 0, 'TensorFlow is not installed here');
  const program = `
    import { readFileSync } from 'node:fs';
    import { selectBackend } from ${JSON.stringify(new URL('./select-backend.ts', import.meta.url).href)};
    import { createArchitecture } from ${JSON.stringify(import.meta.resolve('@dafl/models'))};
    const { name, backend } = await selectBackend({ backend: 'auto', networks: [createArchitecture('lenet5')] });
    await backend.close();
    console.log(name, readFileSync('/proc/self/maps', 'utf8').includes('libtensorflow'));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
  expect(stdout.trim()).toBe('wasm false');
});

// Last, as TensorFlow stays loaded.
it('takes wasm for narrow networks although TensorFlow is here, and TensorFlow for wide ones', async (context) => {
  vi.unstubAllEnvs();
  context.skip(findTensorflow().length === 0, 'TensorFlow is not installed here');
  const choose = async (architecture: string): Promise<string> => {
    const { backend, name } = await selectBackend({ backend: 'auto', networks: [createArchitecture(architecture)] });
    await backend.close();
    return name;
  };
  context.skip((await choose('lenet5')) === 'webgpu', 'there is a GPU here');
  expect(await choose('lenet5')).toBe('wasm');
  expect(await choose('resnet20')).toBe('wasm');
  expect(await choose('mobilenetv2')).toBe('wasm');
  expect(await choose('wrn-16-2')).toBe('node');
  expect(await choose('resnet18')).toBe('node');
});
