import type { Tensor, TensorBackend } from '@dafl/core';

/** What was seen of one kernel at one set of shapes. */
export interface KernelTime {
  readonly kernel: string;
  readonly shapes: string;
  calls: number;
  milliseconds: number;
}

/** A backend whose kernels are timed. */
export interface BackendProfile {
  readonly backend: TensorBackend;
  /** By kernel and shapes. */
  readonly times: Map<string, KernelTime>;
  /** Most bytes of live tensors so far. */
  peakBytes: number;
}

/** What takes no time worth measuring, or is not a kernel. */
const UNTIMED = new Set(['constructor', 'read', 'memory', 'close', 'dispose', 'reshape']);

function isTensor(value: unknown): value is Tensor {
  return typeof value === 'object' && value !== null && 'shape' in value && 'dataType' in value;
}

function formatArgument(value: unknown): string {
  if (isTensor(value)) return `[${value.shape.join(', ')}]`;
  return typeof value === 'string' ? value : '';
}

/**
 * Wraps every kernel of a backend with a clock. Only right for a backend whose kernels are done when they return, as
 * those of wasm and cpu are.
 */
export function profileBackend(backend: TensorBackend): BackendProfile {
  const time = (owner: object, name: string): ((...values: unknown[]) => unknown) => {
    const run = Reflect.get(owner, name) as (...values: unknown[]) => unknown;
    return (...values) => {
      const startedMs = performance.now();
      const result = run.apply(owner, values);
      const milliseconds = performance.now() - startedMs;
      profile.peakBytes = Math.max(profile.peakBytes, backend.memory().bytes);
      const shapes = values.map(formatArgument).filter(Boolean).join(' ');
      const key = `${name} ${shapes}`;
      const seen = profile.times.get(key) ?? { kernel: name, shapes, calls: 0, milliseconds: 0 };
      seen.calls += 1;
      seen.milliseconds += milliseconds;
      profile.times.set(key, seen);
      return result;
    };
  };
  const timeAll = (owner: object, names: readonly string[]): object =>
    Object.fromEntries(names.map((name) => [name, time(owner, name)]));
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(backend));
  const fused = backend.fused ?? {};
  const profile: BackendProfile = { backend: Object.create(backend) as TensorBackend, times: new Map(), peakBytes: 0 };
  Object.assign(profile.backend, {
    name: backend.name,
    description: backend.description,
    fused: timeAll(fused, Object.keys(fused)),
    // Bound, as the methods of a class with private members must be.
    ...Object.fromEntries(
      [...UNTIMED].map((name) => [
        name,
        (...values: unknown[]) => Reflect.apply(Reflect.get(backend, name), backend, values),
      ]),
    ),
    ...timeAll(
      backend,
      names.filter((name) => !UNTIMED.has(name)),
    ),
  });
  return profile;
}
