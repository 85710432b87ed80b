import { DaflError } from '@dafl/core';

/** An adapter and what is known of it. */
export interface OpenGpuAdapter {
  readonly adapter: GPUAdapter;
  readonly description: string;
  readonly isSoftware: boolean;
}

/** Names that software adapters go by. */
const SOFTWARE_NAMES = /swiftshader|llvmpipe|lavapipe|softpipe|microsoft basic render|\bwarp\b|\bcpu\b/i;

/** npm's `webgpu`, Dawn for Node and Bun. */
interface DawnModule {
  create(options: readonly string[]): GPU;
}

/** In a variable, so that bundlers for browsers don't look for it. */
const DAWN_PACKAGE: string = 'webgpu';

function isModuleMissing(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return code === 'ERR_MODULE_NOT_FOUND' || /cannot find (module|package)|resolve/i.test(String(message));
}

/**
 * No kernel reads what it has not written, and clearing a workgroup's memory, which Dawn does for pages that it must not
 * trust, takes SwiftShader several times as long as a tile of a product.
 */
const DAWN_OPTIONS: readonly string[] = ['enable-dawn-features=disable_workgroup_init'];

/** Dawn of this process. It ends when it is collected, whatever still uses it, and so never is. */
let dawnGpu: GPU | null = null;

async function findGpu(): Promise<GPU> {
  // Node has a navigator without `gpu`.
  const { gpu } = (globalThis.navigator ?? {}) as Partial<Navigator>;
  if (gpu !== undefined) return gpu;
  if ('document' in globalThis) {
    throw new DaflError(
      'USAGE',
      `Cannot find a GPU as the page must have 'navigator.gpu': current value is undefined. WebGPU needs a browser that ` +
        'has it and a page served over https or from localhost',
    );
  }
  if (dawnGpu !== null) return dawnGpu;
  let dawn: DawnModule;
  try {
    dawn = (await import(/* @vite-ignore */ /* webpackIgnore: true */ DAWN_PACKAGE)) as DawnModule;
  } catch (error) {
    if (isModuleMissing(error)) {
      throw new DaflError(
        'USAGE',
        `Cannot find a GPU as this runtime must have 'navigator.gpu' or the package 'webgpu': current state is neither. ` +
          'Get it by: npm install webgpu',
        { cause: error },
      );
    }
    const message = error instanceof Error ? error.message : String(error);
    throw new DaflError(
      'USAGE',
      `Cannot find a GPU as the package 'webgpu' must load on this system: current error is ${message}`,
      { cause: error },
    );
  }
  dawnGpu ??= dawn.create(DAWN_OPTIONS);
  return dawnGpu;
}

function describeAdapter({ vendor, architecture, device, description }: GPUAdapterInfo): string {
  // Browsers tell the vendor and the architecture only.
  if (description) return description;
  return device || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed GPU';
}

function isSoftwareAdapter(info: GPUAdapterInfo): boolean {
  const { vendor, architecture, device, description } = info;
  return info.isFallbackAdapter || SOFTWARE_NAMES.test([vendor, architecture, device, description].join(' '));
}

/**
 * The adapter that WebGPU gives here: the system's choice, else its software adapter.
 *
 * @throws {DaflError} `USAGE` if there is none, saying what is missing and how to get it.
 */
export async function openGpuAdapter(powerPreference: GPUPowerPreference | undefined): Promise<OpenGpuAdapter> {
  const gpu = await findGpu();
  const adapter =
    (await gpu.requestAdapter(powerPreference === undefined ? {} : { powerPreference })) ??
    (await gpu.requestAdapter({ forceFallbackAdapter: true }));
  if (adapter === null) {
    throw new DaflError(
      'USAGE',
      'Cannot find a GPU as WebGPU must offer an adapter: current value is null. It needs a GPU with a driver for ' +
        'Vulkan (on Linux also the library libvulkan1), Metal or Direct3D 12',
    );
  }
  const { info } = adapter;
  return { adapter, description: describeAdapter(info), isSoftware: isSoftwareAdapter(info) };
}
