import type { TestedBackendName } from './backends.ts';
import type { RuntimeName } from './runtimes.ts';

/** One row of the table: a backend that is to pass the conformance suite in a runtime. */
export interface Pair {
  readonly backend: TestedBackendName;
  readonly runtime: RuntimeName;
  /** Why this backend never runs in this runtime, whatever the machine. */
  readonly unavailable?: string;
}

const native = "TensorFlow's library is native code, which no browser loads";

/** Every backend in every runtime that it is made for. A row that cannot run is shown with its reason. */
export const pairs: readonly Pair[] = [
  { backend: 'cpu', runtime: 'node-22' },
  { backend: 'cpu', runtime: 'node-24' },
  { backend: 'cpu', runtime: 'node-26' },
  { backend: 'cpu', runtime: 'deno' },
  { backend: 'cpu', runtime: 'bun' },
  { backend: 'cpu', runtime: 'chromium' },

  { backend: 'wasm', runtime: 'node-22' },
  { backend: 'wasm', runtime: 'node-24' },
  { backend: 'wasm', runtime: 'node-26' },
  { backend: 'wasm', runtime: 'deno' },
  { backend: 'wasm', runtime: 'bun' },
  { backend: 'wasm', runtime: 'chromium' },

  // Node and Bun by npm's `webgpu` (Dawn), one Node for all: Dawn's addon is built for Node-API, which they share.
  { backend: 'webgpu', runtime: 'deno' },
  { backend: 'webgpu', runtime: 'chromium' },
  { backend: 'webgpu', runtime: 'node-24' },
  { backend: 'webgpu', runtime: 'bun' },

  { backend: 'node', runtime: 'node-22' },
  { backend: 'node', runtime: 'node-24' },
  { backend: 'node', runtime: 'node-26' },
  { backend: 'node', runtime: 'deno' },
  { backend: 'node', runtime: 'bun' },
  { backend: 'node', runtime: 'chromium', unavailable: native },
];
