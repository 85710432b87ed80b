import { describeBackend } from '@dafl/conformance';
import { describe } from 'vitest';
import { useSoftwareVulkan } from './_software-vulkan.ts';
import { createWebgpuBackend } from './index.ts';

const { adapter, reason } = await useSoftwareVulkan();

describe.skipIf(adapter === null)(`where WebGPU has an adapter${reason === null ? '' : ` (${reason})`}`, () => {
  describeBackend({ name: 'webgpu', create: () => createWebgpuBackend({ allowSoftwareAdapter: true }), skip: [] });
});
