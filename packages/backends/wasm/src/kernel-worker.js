// @ts-check
/**
 * One worker of the pool: instantiates the kernels on the shared memory and serves the scheduler until it is closed.
 *
 * This file is JavaScript so that it has one name in the sources and in the published package: engines and bundlers
 * find it by `new URL('./kernel-worker.js', import.meta.url)`.
 */

/**
 * @typedef {object} WorkerStart
 * @property {WebAssembly.Module} module
 * @property {WebAssembly.Memory} memory
 * @property {number} index Number of the thread, 1 or more.
 */

/**
 * @param {WorkerStart} start
 * @param {(message: 'ready') => void} report
 */
function serve({ module, memory, index }, report) {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  report('ready');
  /** @type {(index: number) => void} */ (exports.runWorker)(index);
}

const isNode = typeof process === 'object' && typeof process.getBuiltinModule === 'function';
if (isNode && !('Bun' in globalThis)) {
  const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads');
  serve(workerData, (message) => parentPort?.postMessage(message));
} else {
  globalThis.addEventListener('message', (event) => {
    serve(event.data, (message) => globalThis.postMessage(message));
    globalThis.close();
  });
}
