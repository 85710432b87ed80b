import type { TensorBackend } from '../backend.ts';

/** A backend that remembers how many tensors were alive at once. */
export interface WatchedBackend {
  readonly backend: TensorBackend;
  /** The most tensors alive after a kernel, since the last call. */
  takePeak(): number;
}

/** Watches `backend`: the same kernels, with a look at its memory after each. */
export function watchBackend(backend: TensorBackend): WatchedBackend {
  let peak = 0;
  const watched = new Proxy(backend, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        const result: unknown = Reflect.apply(member, target, args);
        peak = Math.max(peak, target.memory().tensors);
        return result;
      };
    },
  });
  return {
    backend: watched,
    takePeak() {
      const taken = peak;
      peak = 0;
      return taken;
    },
  };
}
