import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { DaflError, type TensorBackend } from '@dafl/core';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { useSoftwareVulkan } from './_software-vulkan.ts';
import { CommandQueue, foldWorkgroups } from './command-queue.ts';
import { createWebgpuBackend, findGpuAdapter } from './index.ts';
import { openGpuAdapter } from './open-gpu-adapter.ts';
import { WebgpuBackend } from './webgpu-backend.ts';

const { adapter, reason } = await useSoftwareVulkan();

function needsAdapter(context: TestContext): void {
  context.skip(adapter === null, `no adapter: ${reason}`);
}

/** Runs a module in a process of its own, without the Vulkan drivers of this one. */
function runModule(source: string, environment: Readonly<Record<string, string>> = {}): string {
  const prologue = `import * as webgpu from '${new URL('index.ts', import.meta.url).href}';\n`;
  const { stdout, stderr, error } = spawnSync(process.execPath, ['--input-type=module', '--eval', prologue + source], {
    encoding: 'utf8',
    env: { ...process.env, VK_ICD_FILENAMES: 'missing.json', ...environment },
    timeout: 30_000,
  });
  if (error !== undefined) throw error;
  return stdout === '' ? stderr : stdout.trim();
}

async function openBackend(longestDimension?: number): Promise<{ backend: WebgpuBackend; device: GPUDevice }> {
  const { adapter: found } = await openGpuAdapter(undefined);
  const device = await found.requestDevice();
  const queue = new CommandQueue(device, longestDimension);
  return { backend: new WebgpuBackend({ queue, description: 'webgpu (test)' }), device };
}

describe('findGpuAdapter', () => {
  it('tells what there is', async (context) => {
    needsAdapter(context);
    const found = await findGpuAdapter();
    expect(found).toEqual({ description: expect.stringMatching(/./), isSoftware: expect.any(Boolean) });
  });

  it('says what is missing where no adapter is', (context) => {
    context.skip(process.platform !== 'linux', 'needs a system whose Vulkan drivers can be hidden');
    const look = `await import('webgpu').then(() => console.log('here'), () => console.log('missing'));`;
    context.skip(runModule(look) === 'missing', "the package webgpu is not here: 'npm run tool -- webgpu' gets it");
    const code = `await webgpu.findGpuAdapter().catch(({ code, message }) => console.log(code, message));`;
    expect(runModule(code)).toBe(
      'USAGE Cannot find a GPU as WebGPU must offer an adapter: current value is null. It needs a GPU with a driver for ' +
        'Vulkan (on Linux also the library libvulkan1), Metal or Direct3D 12',
    );
  });

  it('says how to get the package that it needs in Node', () => {
    const code = `
      import { registerHooks } from 'node:module';
      registerHooks({ resolve: (name, context, next) => next(name === 'webgpu' ? 'webgpu-is-not-here' : name, context) });
      await webgpu.findGpuAdapter().catch(({ code, message }) => console.log(code, message));`;
    expect(runModule(code)).toBe(
      "USAGE Cannot find a GPU as this runtime must have 'navigator.gpu' or the package 'webgpu': current state is " +
        'neither. Get it by: npm install webgpu',
    );
  });
});

describe('createWebgpuBackend', () => {
  it('refuses a software adapter unless it is allowed', async (context) => {
    needsAdapter(context);
    context.skip(!adapter!.isSoftware, 'there is a GPU here');
    const error: unknown = await createWebgpuBackend().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DaflError);
    expect(error).toMatchObject({
      code: 'USAGE',
      message:
        `Cannot create the webgpu backend as its adapter must be a GPU: current adapter is ${adapter!.description}, ` +
        "which computes on the CPU. The option 'allowSoftwareAdapter' allows it",
    });
  });

  it('describes itself', async (context) => {
    needsAdapter(context);
    const backend = await createWebgpuBackend({ allowSoftwareAdapter: true });
    expect(backend.name).toBe('webgpu');
    const software = adapter!.isSoftware ? ', software' : '';
    expect(backend.description).toBe(`webgpu (${adapter!.description}${software})`);
    await backend.close();
  });

  it('lets Node end once it is closed', (context) => {
    needsAdapter(context);
    const code = `
      const { useSoftwareVulkan } = await import('${new URL('_software-vulkan.ts', import.meta.url).href}');
      await useSoftwareVulkan();
      const backend = await webgpu.createWebgpuBackend({ allowSoftwareAdapter: true });
      const x = backend.fill([3], 2);
      console.log((await backend.read(backend.affine(x, 2, 1))).join());
      await backend.close();`;
    const drivers = process.env['VK_ICD_FILENAMES'];
    expect(runModule(code, drivers === undefined ? {} : { VK_ICD_FILENAMES: drivers })).toBe('5,5,5');
  });
});

describe('a webgpu backend', () => {
  let backend: TensorBackend;
  beforeAll(async () => {
    if (adapter !== null) backend = await createWebgpuBackend({ allowSoftwareAdapter: true });
  });
  afterAll(async () => {
    await backend?.close();
  });

  it('needs no new buffers once it has made a step, and none stays in use', async (context) => {
    needsAdapter(context);
    const padding = { top: 1, bottom: 1, left: 1, right: 1 };
    const options = { strides: [1, 1], dilations: [1, 1], groups: 1, padding } as const;
    const filter = backend.fill([3, 3, 3, 8], 0.1);
    const before = backend.memory();
    const step = async (): Promise<void> => {
      const x = backend.tensor(new Float32Array(4 * 12 * 12 * 3).fill(1), [4, 12, 12, 3]);
      const y = backend.conv2d(x, filter, null, options);
      const { output, mean, variance } = backend.fused!.batchNorm!(y, null, null, 1e-5, null);
      const gradient = backend.conv2dFilterGradient(x, output, filter.shape, options);
      const sum = backend.reduce('sum', gradient, [0, 1, 2, 3], false);
      await backend.read(sum);
      for (const tensor of [x, y, output, mean, variance, gradient, sum]) backend.dispose(tensor);
    };
    await step();
    const { createdBuffers } = backend as WebgpuBackend;
    for (let i = 0; i < 20; i++) await step();
    expect((backend as WebgpuBackend).createdBuffers).toBe(createdBuffers);
    expect(backend.memory()).toEqual(before);
    backend.dispose(filter);
  });

  it('keeps what recorded commands are to read when its buffer is filled anew', async (context) => {
    needsAdapter(context);
    const x = backend.tensor(new Float32Array(1000).fill(1), [1000]);
    const y = backend.affine(x, 1, 1);
    backend.dispose(x);
    const z = backend.tensor(new Float32Array(1000).fill(7), [1000]);
    expect(new Set(await backend.read(y))).toEqual(new Set([2]));
    expect(new Set(await backend.read(z))).toEqual(new Set([7]));
    for (const tensor of [y, z]) backend.dispose(tensor);
  });

  it('loses no run of many', async (context) => {
    needsAdapter(context);
    let x = backend.fill([3000], 0);
    for (let step = 0; step < 1000; step++) {
      const y = backend.affine(x, 1, 1);
      backend.dispose(x);
      x = y;
    }
    expect(new Set(await backend.read(x))).toEqual(new Set([1000]));
    backend.dispose(x);
  });

  it('runs more workgroups than one dimension has', async (context) => {
    needsAdapter(context);
    const { backend: narrow } = await openBackend(3);
    const results = [backend, narrow].map((each) => {
      const x = each.tensor(
        Float32Array.from({ length: 7 * 40 * 40 * 2 }, (_, i) => Math.sin(i)),
        [7, 40, 40, 2],
      );
      const filter = each.fill([3, 3, 2, 5], 0.5);
      const padding = { top: 1, bottom: 0, left: 2, right: 0 };
      const options = { strides: [1, 1], dilations: [1, 1], groups: 1, padding } as const;
      const rows = each.reshape(x, [280, 80]);
      const { divergence } = each.fused!.softmaxDivergence!(rows, rows);
      const { variance } = each.fused!.batchNorm!(rows, null, null, 1e-5, null);
      const y = each.conv2d(x, filter, null, options);
      const reduced = each.reduce('sum', rows, [1], false);
      return Promise.all([divergence, variance, y, reduced, x].map((tensor) => each.read(tensor)));
    });
    const [expected, actual] = await Promise.all(results);
    expect(actual).toEqual(expected);
    await narrow.close();
  });

  it('throws OUT_OF_MEMORY for a tensor larger than any buffer, and leaves nothing behind', (context) => {
    needsAdapter(context);
    const left = backend.fill([1_000_000, 1], 0);
    const right = backend.fill([1, 1_000_000], 0);
    const before = backend.memory();
    let error: unknown = null;
    try {
      backend.matMul(left, right, false, false);
    } catch (caught) {
      error = caught;
    }
    expect(error).toMatchObject({ code: 'OUT_OF_MEMORY' });
    expect((error as Error).message).toMatch(
      /^Cannot make a tensor of shape \[1000000, 1000000\] as its size must be at most \d+ bytes on this GPU: current value is 4000000000000$/,
    );
    expect(backend.memory()).toEqual(before);
    for (const tensor of [left, right]) backend.dispose(tensor);
  });

  it('refuses the tensors of another backend, and disposed ones', async (context) => {
    needsAdapter(context);
    const other = await createWebgpuBackend({ allowSoftwareAdapter: true });
    const x = other.fill([2, 3], 1);
    expect(() => backend.affine(x, 1, 1)).toThrow(
      `Cannot compute affine as 'input' must be a tensor of this webgpu backend: current value is another webgpu ` +
        `backend's`,
    );
    other.dispose(x);
    expect(() => other.leakyRelu(x, 0)).toThrow(
      `Cannot compute leakyRelu as 'input' must be a live tensor: current value is a disposed tensor of shape [2, 3]`,
    );
    await other.close();
  });

  it('says that it is closed, also where a read was under way', async (context) => {
    needsAdapter(context);
    const other = await createWebgpuBackend({ allowSoftwareAdapter: true });
    const x = other.fill([2], 1);
    const reading = other.read(x).catch((error: unknown) => error);
    await other.close();
    await other.close();
    expect(await reading).toMatchObject({
      message: expect.stringMatching(/^Cannot read a tensor as the webgpu backend must stay open until it is read/),
    });
    expect(other.memory()).toEqual({ tensors: 0, bytes: 0 });
    expect(() => other.affine(x, 1, 1)).toThrow(
      'Cannot compute affine as the webgpu backend must be open: current value is closed',
    );
    expect(() => other.fill([1], 1)).toThrow(
      'Cannot make a tensor as the webgpu backend must be open: current value is closed',
    );
  });

  it('rejects reads once its device is lost', async (context) => {
    needsAdapter(context);
    const { backend: other, device } = await openBackend();
    const x = other.fill([2], 1);
    expect(await other.read(x)).toEqual(new Float32Array([1, 1]));
    device.destroy();
    await device.lost;
    await expect(other.read(x)).rejects.toThrow(
      /^Cannot use the GPU as its device must not be lost: current reason is /,
    );
    await other.close();
  });

  it('rejects reads once the device refused a command', async (context) => {
    needsAdapter(context);
    const { backend: other, device } = await openBackend();
    const x = other.fill([2], 1);
    device.createBuffer({ size: 2 ** 50, usage: 8 });
    await expect(other.read(x)).rejects.toThrow(/^Cannot compute on the GPU as it must /);
    await other.close();
  });
});

describe('foldWorkgroups', () => {
  it('lays as many as one dimension takes in a line', () => {
    expect(foldWorkgroups(1, 65_535)).toEqual([1, 1]);
    expect(foldWorkgroups(65_535, 65_535)).toEqual([65_535, 1]);
  });

  it('folds more into a rectangle with few to spare', () => {
    expect(foldWorkgroups(65_536, 65_535)).toEqual([32_768, 2]);
    expect(foldWorkgroups(11, 4)).toEqual([4, 3]);
    for (const count of [100_000, 131_071, 4_000_001]) {
      const [width, height] = foldWorkgroups(count, 65_535);
      expect(width).toBeLessThanOrEqual(65_535);
      expect(width * height).toBeGreaterThanOrEqual(count);
      expect(width * height - count).toBeLessThan(height);
    }
  });
});
