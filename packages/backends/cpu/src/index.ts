export { createCpuBackend } from './cpu-backend.ts';
export type { CpuBackendOptions } from './cpu-backend.ts';
