import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { findGpuAdapter, type GpuAdapterDescription } from './find-gpu-adapter.ts';

/** Where Debian's chromium keeps SwiftShader. */
const CHROMIUM_ICD = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** glibc's RTLD_NODELETE: the library stays though Node closes it, as it is no addon. */
const KEEP_LOADED = 0x1000;

/**
 * Points Vulkan at a software driver, so that WebGPU finds an adapter on machines without a GPU: the one that the
 * environment variable DAFL_VULKAN_ICD names, else Chromium's SwiftShader. Must run before WebGPU is first used.
 *
 * @returns The adapter that WebGPU then has, or null and what it says to that.
 */
export async function useSoftwareVulkan(): Promise<
  { adapter: GpuAdapterDescription; reason: null } | { adapter: null; reason: string }
> {
  const driver = process.env['VK_ICD_FILENAMES'] ?? process.env['DAFL_VULKAN_ICD'] ?? CHROMIUM_ICD;
  if (existsSync(driver)) {
    process.env['VK_ICD_FILENAMES'] = driver;
    // The driver's folder may have a Vulkan loader too, which is found by its name once it was loaded.
    const loader = join(dirname(driver), 'libvulkan.so.1');
    if (existsSync(loader)) {
      try {
        process.dlopen({ exports: {} }, loader, constants.dlopen.RTLD_NOW | KEEP_LOADED);
      } catch {
        // Always: it is loaded, but no addon.
      }
    }
  }
  try {
    return { adapter: await findGpuAdapter(), reason: null };
  } catch (error) {
    return { adapter: null, reason: error instanceof Error ? error.message : String(error) };
  }
}
