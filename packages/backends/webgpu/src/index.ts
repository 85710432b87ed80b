export { createWebgpuBackend, type WebgpuBackendOptions } from './create-webgpu-backend.ts';
export {
  findGpuAdapter,
  type FindGpuAdapterOptions,
  type GpuAdapterDescription,
  type GpuPowerPreference,
} from './find-gpu-adapter.ts';
