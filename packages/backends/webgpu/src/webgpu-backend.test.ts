import { describeBackend } from '@dafl/conformance';
import { describe, it } from 'vitest';
import { useSoftwareVulkan } from './_software-vulkan.ts';
import { createWebgpuBackend } from './index.ts';

const { adapter, reason } = await useSoftwareVulkan();

if (adapter === null) {
  describe('webgpu', () => {
    it('conformance', (context) => context.skip(`no adapter: ${reason}`));
  });
} else {
  describeBackend({ name: 'webgpu', create: () => createWebgpuBackend({ allowSoftwareAdapter: true }), skip: [] });
}
