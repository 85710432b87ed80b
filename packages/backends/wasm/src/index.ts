export { createWasmBackend, type WasmBackendOptions } from './create-wasm-backend.ts';
export { OutOfMemoryError } from './wasm-heap.ts';
