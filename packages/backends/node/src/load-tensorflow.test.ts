import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createNodeBackend, findTensorflow, setupTensorflow, tensorflowFolder } from './index.ts';

// Before a test names a folder of its own.
const { DAFL_TENSORFLOW_DIR } = process.env;
const [onThisMachine] = findTensorflow();
const canBeMuted = onThisMachine !== undefined && existsSync(join(dirname(onThisMachine.path), 'mute.node'));

it('writes nothing to stderr, unless TensorFlow is asked to', (context) => {
  context.skip(!canBeMuted, `no TensorFlow with its 'mute.node' is here: 'dafl doctor --setup-tensorflow' makes it`);
  const entry = JSON.stringify(new URL('./index.ts', import.meta.url).href);
  const script = `const { createNodeBackend } = await import(${entry}); await createNodeBackend({ device: 'cpu' }).close(); console.error('after');`;
  const load = (level?: string) =>
    spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      env: { ...process.env, DAFL_TENSORFLOW_DIR, TF_CPP_MIN_LOG_LEVEL: level },
    }).stderr;
  expect(load()).toBe('after\n');
  expect(load('0').length).toBeGreaterThan('after\n'.length);
}, 60_000);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dafl-load-'));
  vi.stubEnv('DAFL_TENSORFLOW_DIR', folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

it('takes the addon of the newest Node-API from the folder that was set up', () => {
  for (const version of [7, 8, 10]) {
    mkdirSync(join(folder, 'lib', `napi-v${version}`), { recursive: true });
    if (version < 10) writeFileSync(join(folder, 'lib', `napi-v${version}`, 'tfjs_binding.node'), '');
  }
  expect(findTensorflow()[0]).toEqual({
    source: 'setup',
    path: join(folder, 'lib', 'napi-v8', 'tfjs_binding.node'),
  });
});

it.runIf(process.platform === 'linux')('keeps what it sets up in the cache of the user', () => {
  vi.stubEnv('DAFL_TENSORFLOW_DIR', '');
  vi.stubEnv('XDG_CACHE_HOME', folder);
  expect(tensorflowFolder()).toBe(join(folder, 'dafl', 'tensorflow'));
});

it('says how to get TensorFlow where there is none', () => {
  expect(() => createNodeBackend()).toThrow(
    "run 'dafl doctor --setup-tensorflow', or npm install @tensorflow/tfjs-node",
  );
});

it('says why an addon does not load', () => {
  mkdirSync(join(folder, 'lib', 'napi-v8'), { recursive: true });
  writeFileSync(join(folder, 'lib', 'napi-v8', 'tfjs_binding.node'), 'no library');
  expect(() => createNodeBackend()).toThrow(/^Cannot start TensorFlow as its addon must load: setup: /);
});

it('refuses a number of threads that is none', () => {
  expect(() => createNodeBackend({ threads: 0 })).toThrow(
    "Cannot create the node backend as 'threads' must be an integer >= 1: current value is 0",
  );
});

it.runIf(process.platform === 'linux')('refuses a wheel that is none and leaves the folder as it was', async () => {
  writeFileSync(join(folder, 'kept'), '');
  const wheel = join(folder, 'broken.whl');
  await expect(setupTensorflow({ wheel, folder })).rejects.toThrow(`Cannot set TensorFlow up as '${wheel}' must exist`);
  writeFileSync(wheel, 'not a zip archive at all, however long it may be');
  await expect(setupTensorflow({ wheel, folder })).rejects.toThrow(`Cannot unpack '${wheel}' as it must be a wheel`);
  await expect(setupTensorflow({ wheel: folder, folder })).rejects.toThrow('must contain libtensorflow_cc.so.2');
  expect(findTensorflow().filter(({ source }) => source === 'setup')).toEqual([]);
});
