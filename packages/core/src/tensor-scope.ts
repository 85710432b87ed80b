import type { Tensor, TensorBackend } from './backend.ts';

type Kernel = (...args: readonly unknown[]) => unknown;

/** What makes no tensors. */
const OTHERS: ReadonlySet<PropertyKey> = new Set(['read', 'memory', 'close']);

/**
 * Frees what was made where it is not known how far the maker came: tensors made through `backend` while `run` runs are
 * freed if it throws, and are the maker's if it doesn't. Outside of `run` this backend is like any other.
 */
export class TensorScope {
  /** The same kernels on the same device, watched. */
  readonly backend: TensorBackend;
  readonly #original: TensorBackend;
  /** What was made in each `run` that is under way, the outermost first. */
  readonly #runs: Set<Tensor>[] = [];

  constructor(original: TensorBackend) {
    this.#original = original;
    this.backend = this.#watch(original);
  }

  /** @throws What `use` throws, after everything is freed that it made through `backend` and did not dispose. */
  run<Result>(use: () => Result): Result {
    const made = new Set<Tensor>();
    this.#runs.push(made);
    try {
      const result = use();
      const outer = this.#runs.at(-2);
      if (outer !== undefined) for (const tensor of made) outer.add(tensor);
      return result;
    } catch (error) {
      for (const tensor of made) {
        try {
          this.#original.dispose(tensor);
        } catch {
          // Freed past this scope, or the device is gone: what made it fail says more.
        }
      }
      throw error;
    } finally {
      this.#runs.pop();
    }
  }

  /** Hands a tensor over to who outlives the run: it stays alive if that throws. */
  keep(tensor: Tensor): Tensor {
    for (const made of this.#runs) made.delete(tensor);
    return tensor;
  }

  /** Kernels, and in them the fused ones, that remember what they return. */
  #watch<Kernels extends object>(kernels: Kernels): Kernels {
    const known = new Map<PropertyKey, unknown>();
    return new Proxy(kernels, {
      get: (target, name) => {
        if (known.has(name)) return known.get(name);
        const member: unknown = Reflect.get(target, name, target);
        const watched = this.#watchMember(target, name, member);
        known.set(name, watched);
        return watched;
      },
    });
  }

  #watchMember(target: object, name: PropertyKey, member: unknown): unknown {
    if (name === 'fused' && typeof member === 'object' && member !== null) return this.#watch(member);
    if (typeof member !== 'function') return member;
    const kernel: Kernel = (...args) => Reflect.apply(member, target, args) as unknown;
    if (OTHERS.has(name)) return kernel;
    if (name === 'dispose') {
      return (tensor: Tensor) => {
        kernel(tensor);
        this.keep(tensor);
      };
    }
    return (...args: readonly unknown[]) => {
      const result = kernel(...args);
      const made = this.#runs.at(-1);
      if (made !== undefined) for (const tensor of tensorsIn(result)) made.add(tensor);
      return result;
    };
  }
}

/** The tensors that a kernel returned: one, or several in a list or by name. */
function tensorsIn(result: unknown): Tensor[] {
  if (typeof result !== 'object' || result === null) return [];
  return 'dataType' in result ? [result as Tensor] : Object.values(result).flatMap(tensorsIn);
}
