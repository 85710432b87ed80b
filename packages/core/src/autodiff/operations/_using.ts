import type { Tensor, TensorBackend } from '../../backend.ts';

/** Runs `compute` and frees every tensor passed to `keep` in it, whatever happens. */
export function using<Result>(backend: TensorBackend, compute: (keep: (tensor: Tensor) => Tensor) => Result): Result {
  const kept: Tensor[] = [];
  try {
    return compute((tensor) => {
      kept.push(tensor);
      return tensor;
    });
  } finally {
    for (const tensor of kept) backend.dispose(tensor);
  }
}
