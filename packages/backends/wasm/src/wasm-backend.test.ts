import { describeBackend } from '@dafl/conformance';
import { createWasmBackend } from './index.ts';

describeBackend({ name: 'wasm, 1 thread', create: () => createWasmBackend({ threads: 1 }), skip: [] });
describeBackend({ name: 'wasm, 2 threads', create: () => createWasmBackend({ threads: 2 }), skip: [] });
describeBackend({
  name: 'wasm, plain SIMD',
  create: () => createWasmBackend({ threads: 1, relaxedSimd: false }),
  skip: [],
});
