import type { TensorflowBinding } from '../tensorflow-binding.ts';

/** A binding that computes nothing and counts what it is asked for. */
export interface CountingBinding extends TensorflowBinding {
  /** Operations by name since the last `clear`. */
  readonly counts: Map<string, number>;
}

/** Results are of no shape, and read as ones: enough for a backend that knows its tensors' shapes itself. */
export function createCountingBinding(): CountingBinding {
  const counts = new Map<string, number>();
  let next = 0;
  return {
    TF_FLOAT: 1,
    TF_INT32: 3,
    TF_ATTR_STRING: 0,
    TF_ATTR_INT: 1,
    TF_ATTR_FLOAT: 2,
    TF_ATTR_BOOL: 3,
    TF_ATTR_TYPE: 4,
    TF_Version: '0',
    counts,
    createTensor: () => next++,
    deleteTensor: () => undefined,
    tensorDataSync: () => new Float32Array(64).fill(1),
    executeOp(name, _attributes, _inputs, outputCount) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
      return Array.from({ length: outputCount }, () => ({ id: next++, shape: [], dtype: 1 }));
    },
    isUsingGpuDevice: () => false,
  };
}
