/**
 * Flags of WebGPU's buffers, as its specification numbers them: Node has no `GPUBufferUsage` and `GPUMapMode`.
 */
export const GPU_CONSTANTS = {
  MAP_READ: 0x1,
  COPY_SRC: 0x4,
  COPY_DST: 0x8,
  UNIFORM: 0x40,
  STORAGE: 0x80,
  SHADER_STAGE_COMPUTE: 0x4,
  MAP_MODE_READ: 0x1,
} as const;
